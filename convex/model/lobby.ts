import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { MAX_BATCH } from "../contract/participants";
import type { PersonName, SkippedPerson } from "../contract/personNames";
import { openAsSystem } from "./access";
import type { MeetingEdit } from "./meetingEdit";
import { findNamed, known, onlyParticipants, skip, skippedOf } from "./namedPeople";
import { act } from "./presence";

interface Answer {
  changed: Id<"meetingParticipants">[];
  skipped: SkippedPerson[];
  isDone: boolean;
}

/**
 * Lets people in from the lobby, or sends them away: those named, or else as many as one request can. Guests who are named need not
 * wait to be let in, as they have no account to knock with.
 */
export async function decideLobby(
  edit: MeetingEdit,
  action: "admit" | "refuse",
  names: readonly PersonName[] | undefined,
): Promise<Answer> {
  if (names === undefined) {
    const rows = await waitingInLobby(edit);
    await act(edit, rows.slice(0, MAX_BATCH), action);
    return {
      changed: rows.slice(0, MAX_BATCH).map(({ _id }) => _id),
      skipped: [],
      isDone: rows.length <= MAX_BATCH,
    };
  }
  const isMeant = ({ presence, guestId }: Doc<"meetingParticipants">) =>
    presence === "waiting" || (action === "admit" && guestId !== undefined && presence !== "joined");
  const found = onlyParticipants(names, await findNamed(edit, names)).map((one, index) =>
    one.kind === "known" && !isMeant(one.row) ? skip(names[index] as PersonName, "not_waiting") : one,
  );
  const rows = known(found).map(({ row }) => row);
  await act(edit, rows, action === "admit" ? "join" : "refuse");
  return { changed: rows.map(({ _id }) => _id), skipped: skippedOf(found), isDone: true };
}

/** Lets in whoever waits, those whom one transaction cannot hold in further ones. To be called when the lobby is closed. */
export async function openDoors(edit: MeetingEdit): Promise<void> {
  const { isDone } = await decideLobby(edit, "admit", undefined);
  if (isDone) return;
  await edit.ctx.scheduler.runAfter(0, internal.lobby.admitRest, { meetingId: edit.meeting._id });
}

/** Goes on where {@link openDoors} has stopped, unless there is a lobby again or the meeting is over. */
export async function continueOpening(ctx: MutationCtx, meetingId: Id<"meetings">): Promise<void> {
  const meeting = await ctx.db.get("meetings", meetingId);
  if (meeting?.state !== "active" || meeting.lobby === true) return;
  const edit = await openAsSystem(ctx, meeting);
  await openDoors(edit);
  await edit.save();
}

function waitingInLobby({ ctx, meeting }: MeetingEdit): Promise<Doc<"meetingParticipants">[]> {
  return ctx.db
    .query("meetingParticipants")
    .withIndex("by_meeting_and_presence", (q) => q.eq("meetingId", meeting._id).eq("presence", "waiting"))
    .take(MAX_BATCH + 1);
}
