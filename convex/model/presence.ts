import type { Doc } from "../_generated/dataModel";
import type { EventType } from "../contract/events";
import type { Presence } from "../contract/participants";
import { beginStay, endStays } from "./attendance";
import { bannedPeople } from "./bans";
import { fail } from "./errors";
import type { MeetingEdit, Patch } from "./meetingEdit";
import { startMeeting } from "./meetings";
import { nextState } from "./meetingStates";
import { countJoined } from "./participants";
import { nextPresence, type PresenceAction } from "./participantStates";
import { keyOf } from "./people";

type Row = Doc<"meetingParticipants">;

const eventTypes: Record<Exclude<PresenceAction, "invite">, EventType> = {
  knock: "participant.waiting",
  join: "participant.joined",
  admit: "participant.joined",
  refuse: "participant.refused",
  hold: "participant.waiting",
  leave: "participant.left",
};

/**
 * A person comes: is there, or waits in the lobby of a meeting that has one, unless they are a host. Nothing changes for one
 * who is there or waits already. MEETING_NOT_ACTIVE, BANNED, MEETING_LOCKED, TOO_MANY_ACTIVE_MEETINGS.
 */
export async function join(edit: MeetingEdit, row: Row): Promise<Presence> {
  const banned = await bannedPeople(edit.ctx.db, edit.meeting);
  if (banned.has(keyOf(row))) fail("BANNED", "Banned from the meeting");
  if (mayStartEarly(edit)) await startMeeting(edit);
  nextState(edit.meeting.state, "join");
  await comeIn(edit, [row]);
  return nextPresence(row.presence, entranceOf(edit, row)) ?? row.presence;
}

/** People come, as with {@link join}, of whom nobody is banned, to a meeting that is active. MEETING_LOCKED. */
export async function comeIn(edit: MeetingEdit, rows: readonly Row[]): Promise<void> {
  if (rows.some((row) => isLockedOut(edit.meeting, row))) fail("MEETING_LOCKED", "The meeting is locked");
  for (const action of ["join", "knock"] as const) {
    await act(
      edit,
      rows.filter((row) => entranceOf(edit, row) === action),
      action,
    );
  }
}

function entranceOf({ meeting }: MeetingEdit, { role }: Row): "join" | "knock" {
  return meeting.lobby === true && role !== "host" ? "knock" : "join";
}

/** Can a person not come in because the meeting is locked? Hosts can, and who is there already is. */
export function isLockedOut({ locked }: Doc<"meetings">, { role, presence }: Row): boolean {
  return locked === true && role !== "host" && presence !== "joined" && presence !== "waiting";
}

/** A person goes, or will not come. The place stays theirs. MEETING_CLOSED. */
export async function leave(edit: MeetingEdit, row: Row): Promise<void> {
  nextState(edit.meeting.state, "leave");
  await act(edit, [row], "leave");
}

/** Changes the presence of all whom the action changes, and counts who is there. */
export async function act(
  edit: MeetingEdit,
  rows: readonly Row[],
  action: keyof typeof eventTypes,
): Promise<void> {
  const moves = rows.flatMap((row) => {
    const next = nextPresence(row.presence, action);
    return next === null || next === row.presence ? [] : [{ row, next }];
  });
  await Promise.all(
    moves.map(({ row, next }) =>
      edit.ctx.db.patch("meetingParticipants", row._id, { presence: next, ...timesOf(next) }),
    ),
  );
  const came = moves.filter(({ next }) => next === "joined").map(({ row }) => row);
  const went = moves.filter(({ row }) => row.presence === "joined").map(({ row }) => row);
  await Promise.all([...came.map((row) => beginStay(edit, row)), endStays(edit, went)]);
  countJoined(edit, came.length - went.length);
  edit.event(
    eventTypes[action],
    moves.map(({ row, next }) => ({
      subject: row._id,
      before: { presence: row.presence },
      after: { presence: next },
    })),
  );
}

function timesOf(presence: Presence): Patch<Row> {
  if (presence === "left") return { leftAt: Date.now() };
  return { leftAt: undefined, ...(presence === "joined" && { joinedAt: Date.now() }) };
}

/** May the first who comes start the meeting? */
function mayStartEarly({ meeting: { state, scheduledAt }, tenant }: MeetingEdit): boolean {
  const { earlyJoinMs = 0 } = tenant.config;
  if (state !== "scheduled" || earlyJoinMs === 0 || scheduledAt === undefined) return false;
  return scheduledAt - Date.now() <= earlyJoinMs;
}
