import type { Doc } from "../_generated/dataModel";
import type { Presence } from "../contract/participants";
import { beginStay, endStays } from "./attendance";
import { bannedPeople } from "./bans";
import { fail } from "./errors";
import type { MeetingEdit } from "./meetingEdit";
import { startMeeting } from "./meetings";
import { nextState } from "./meetingStates";
import { countJoined } from "./participants";

type Row = Doc<"meetingParticipants">;

/**
 * A person comes: is there, or waits in the lobby of a meeting that has one, unless they are a host. Nothing changes for one
 * who is there or waits already. MEETING_NOT_ACTIVE, BANNED.
 */
export async function join(edit: MeetingEdit, row: Row): Promise<Presence> {
  const banned = await bannedPeople(edit.ctx.db, edit.meeting);
  if (banned.has(row.userId ?? row.guestId ?? "")) fail("BANNED", "Banned from the meeting");
  if (mayStartEarly(edit)) await startMeeting(edit);
  nextState(edit.meeting.state, "join");
  if (row.presence === "joined" || row.presence === "waiting") return row.presence;
  const presence = edit.meeting.lobby === true && row.role !== "host" ? "waiting" : "joined";
  await enter(edit, row, presence);
  return presence;
}

/** Lets a person in, or into the lobby. */
export async function enter(edit: MeetingEdit, row: Row, presence: "joined" | "waiting"): Promise<void> {
  const isThere = presence === "joined";
  await edit.ctx.db.patch("meetingParticipants", row._id, {
    presence,
    ...(isThere && { joinedAt: Date.now() }),
    leftAt: undefined,
  });
  if (isThere) {
    await beginStay(edit, row);
    countJoined(edit, 1);
  }
  edit.event(isThere ? "participant.joined" : "participant.waiting", [
    { subject: row._id, before: { presence: row.presence }, after: { presence } },
  ]);
}

/** A person goes, or will not come. The place stays theirs. MEETING_CLOSED. */
export async function leave(edit: MeetingEdit, row: Row): Promise<void> {
  nextState(edit.meeting.state, "leave");
  if (row.presence === "left") return;
  await edit.ctx.db.patch("meetingParticipants", row._id, { presence: "left", leftAt: Date.now() });
  if (row.presence === "joined") {
    await endStays(edit, [row]);
    countJoined(edit, -1);
  }
  edit.event("participant.left", [
    { subject: row._id, before: { presence: row.presence }, after: { presence: "left" } },
  ]);
}

/** May the first who comes start the meeting? */
function mayStartEarly({ meeting: { state, scheduledAt }, tenant }: MeetingEdit): boolean {
  const { earlyJoinMs = 0 } = tenant.config;
  if (state !== "scheduled" || earlyJoinMs === 0 || scheduledAt === undefined) return false;
  return scheduledAt - Date.now() <= earlyJoinMs;
}
