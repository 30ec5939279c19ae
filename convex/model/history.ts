import type { PaginationOptions } from "convex/server";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader } from "../_generated/server";
import type { Place } from "./access";
import { fail } from "./errors";
import type { MeetingEdit } from "./meetingEdit";

/** Sets a marker behind all others. */
export async function addMarker(
  edit: MeetingEdit,
  text: string,
): Promise<{ markerId: Id<"historyMarkers">; number: number }> {
  const { ctx, meeting, actor } = edit;
  const number = (meeting.historyCount ?? 0) + 1;
  const markerId = await ctx.db.insert("historyMarkers", {
    meetingId: meeting._id,
    number,
    text,
    author: actor,
  });
  edit.set({ historyCount: number });
  edit.event("history.marked", [{ subject: markerId, after: { number, text } }]);
  return { markerId, number };
}

/** A page of the markers that a person may see: the only query that serves them. */
export function visibleMarkers(
  db: DatabaseReader,
  { meetingId, participant }: Place<"historyFrom">,
  paginationOpts: PaginationOptions,
) {
  return db
    .query("historyMarkers")
    .withIndex("by_meeting_and_number", (q) =>
      q.eq("meetingId", meetingId).gte("number", participant.historyFrom ?? 1),
    )
    .paginate(paginationOpts);
}

/**
 * Notes how far a person has read. This changes neither who is in the meeting nor as what, so its version stays.
 * READ_INDEX_BACKWARD.
 */
export async function setReadIndex(
  edit: MeetingEdit,
  { _id, readIndex: before = 0 }: Doc<"meetingParticipants">,
  readIndex: number,
): Promise<void> {
  if (readIndex < before) fail("READ_INDEX_BACKWARD", `The person has read up to ${before} already`);
  if (readIndex === before) return;
  await edit.ctx.db.patch("meetingParticipants", _id, { readIndex });
  edit.event("participants.updated", [{ subject: _id, before: { readIndex: before }, after: { readIndex } }]);
}
