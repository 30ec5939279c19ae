import type { Doc } from "../_generated/dataModel";
import { endStays } from "./attendance";
import type { MeetingEdit } from "./meetingEdit";
import { countJoined, requireOtherHost } from "./participants";
import { refOf } from "./people";
import { promoteWaiting } from "./waitlist";

/**
 * Deletes rows, which frees their places for those on the waitlist. Fails with LAST_HOST if no host would be left.
 *
 * @param rows Rows of the meeting, each once.
 */
export async function removeParticipants(
  edit: MeetingEdit,
  rows: readonly Doc<"meetingParticipants">[],
): Promise<void> {
  if (rows.length === 0) return;
  await requireOtherHost(
    edit.ctx.db,
    edit.meeting._id,
    rows.filter(({ role }) => role === "host"),
  );
  await deleteParticipants(edit, rows);
  await promoteWaiting(edit, rows.length);
}

/** Deletes rows. The caller has seen to it that a host is left, and gives the places to those on the waitlist. */
export async function deleteParticipants(
  edit: MeetingEdit,
  rows: readonly Doc<"meetingParticipants">[],
): Promise<void> {
  if (rows.length === 0) return;
  const { ctx, meeting } = edit;
  const joined = rows.filter(({ presence }) => presence === "joined");
  await Promise.all([
    endStays(edit, joined),
    ...rows.map(({ _id }) => ctx.db.delete("meetingParticipants", _id)),
  ]);
  for (const { _id } of rows) edit.syncMedia(_id, { evict: true });
  edit.set({
    participantCount: meeting.participantCount - rows.length,
    version: (meeting.version ?? 0) + 1,
  });
  countJoined(edit, -joined.length);
  edit.event(
    "participants.removed",
    rows.map((row) => ({
      subject: row._id,
      before: { ...refOf(row), role: row.role, presence: row.presence },
    })),
  );
}
