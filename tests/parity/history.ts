import fc from "fast-check";
import { type Backend, type Result, type Row, valueOf } from "./story";

const people = ["p0", "p1", "p2", "p3", "p4", "p5"] as const;
const PLACES = 4;

const person = fc.nat({ max: people.length - 1 });
const role = fc.constantFrom("host", "co-host", "participant", "observer");
const entry = fc.record({ who: person, role });

const several = fc.uniqueArray(person, { maxLength: 4 });
/** Person 0 acts most, so that much of it is allowed. */
const actor = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, person);

/** One thing that one person tries to do to the meeting, allowed or not. */
export type Command =
  | { kind: "add"; by: number; entries: { who: number; role: string }[]; waitlist: boolean }
  | { kind: "remove"; by: number; who: number }
  | { kind: "removeMany"; by: number; whom: number[]; ban: boolean }
  | { kind: "ban" | "unban"; by: number; whom: number[] }
  | { kind: "places"; by: number; places: number }
  | { kind: "lobby"; by: number; lobby: boolean }
  | { kind: "admit" | "refuse"; by: number; whom: number[] }
  | { kind: "leaveWaitlist"; by: number }
  | { kind: "role"; by: number; who: number; role: string }
  | { kind: "join" | "leave"; by: number }
  | { kind: "deactivate"; by: number };

/** Random histories of one meeting, whose first host is person 0. */
export const histories: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("add" as const),
      by: actor,
      entries: fc.array(entry, { maxLength: 5 }),
      waitlist: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant("removeMany" as const),
      by: actor,
      whom: several,
      ban: fc.boolean(),
    }),
    fc.record({ kind: fc.constantFrom("ban" as const, "unban" as const), by: actor, whom: several }),
    fc.record({ kind: fc.constant("places" as const), by: actor, places: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ kind: fc.constant("lobby" as const), by: actor, lobby: fc.boolean() }),
    fc.record({ kind: fc.constantFrom("admit" as const, "refuse" as const), by: actor, whom: several }),
    fc.record({ kind: fc.constant("leaveWaitlist" as const), by: person }),
    fc.record({
      kind: fc.constant("remove" as const),
      by: fc.oneof(fc.constant(0), person),
      who: person,
    }),
    fc.record({
      kind: fc.constant("role" as const),
      by: fc.oneof(fc.constant(0), person),
      who: person,
      role,
    }),
    fc.record({ kind: fc.constantFrom("join" as const, "leave" as const), by: person }),
    // Few are, so that enough is left for the others to do.
    fc.record({ kind: fc.constant("deactivate" as const), by: fc.constantFrom(4, 5) }),
  ),
  { maxLength: 30 },
);

/** A started meeting with few places and more people than places. */
export interface Stage {
  backend: Backend;
  meetingId: string;
  /** By whose tokens the people call; no two stages have the same. */
  subjects: string[];
  userIds: string[];
}

let stages = 0;

/** Signs the people up and lets the first of them start the meeting. */
export async function setStage(backend: Backend): Promise<Stage> {
  stages++;
  const subjects = people.map((name) => `${name}.${stages}`);
  const userIds: string[] = [];
  for (const subject of subjects) {
    const args = { workosUserId: subject, email: `${subject}@example.com` };
    userIds.push(String(valueOf(await backend.as({ subject }).call("users/mutations:upsertUser", args))));
  }
  const host = backend.as({ subject: subjects[0] as string });
  const created = await host.call("meetings/lifecycle:createMeeting", {
    title: "History",
    maxParticipants: PLACES,
  });
  const { meetingId } = valueOf(created) as { meetingId: string };
  valueOf(await host.call("meetings/lifecycle:startMeeting", { meetingId }));
  return { backend, meetingId, subjects, userIds };
}

/** Does what the command says. Refusals are part of a history. */
export function play({ backend, meetingId, subjects, userIds }: Stage, command: Command): Promise<Result> {
  const caller = backend.as({ subject: subjects[command.by] as string });
  const named = (whom: readonly number[]) => whom.map((who) => ({ userId: userIds[who] }));
  switch (command.kind) {
    case "add": {
      const participants = command.entries.map((entry) => ({ userId: userIds[entry.who], role: entry.role }));
      return caller.call("meetings/lifecycle:addMultipleParticipants", {
        meetingId,
        participants,
        ...(command.waitlist && { onFull: "waitlist" }),
      });
    }
    case "removeMany":
      return caller.call("meetings/lifecycle:removeMultipleParticipants", {
        meetingId,
        userIds: command.whom.map((who) => userIds[who]),
        ...(command.ban && { ban: {} }),
      });
    case "ban":
      return caller.call("meetings/bans:banParticipants", { meetingId, people: named(command.whom) });
    case "unban":
      return caller.call("meetings/bans:unbanParticipants", { meetingId, people: named(command.whom) });
    case "places":
      return caller.call("meetings/lifecycle:updateMeeting", {
        meetingId,
        maxParticipants: command.places,
      });
    case "lobby":
      return caller.call("meetings/lifecycle:updateMeeting", { meetingId, lobby: command.lobby });
    case "admit":
      return caller.call("meetings/lobby:admitParticipants", { meetingId, people: named(command.whom) });
    case "refuse":
      return caller.call("meetings/lobby:refuseParticipants", { meetingId, people: named(command.whom) });
    case "leaveWaitlist":
      return caller.call("meetings/waitlist:leaveWaitlist", { meetingId });
    case "remove":
      return caller.call("meetings/lifecycle:removeParticipant", { meetingId, userId: userIds[command.who] });
    case "role":
      return caller.call("meetings/lifecycle:updateParticipantRole", {
        meetingId,
        userId: userIds[command.who],
        newRole: command.role,
      });
    case "join":
      return caller.call("meetings/lifecycle:joinMeeting", { meetingId });
    case "leave":
      return caller.call("meetings/lifecycle:leaveMeeting", { meetingId });
    case "deactivate":
      return caller.call("users/mutations:deactivateUser", { userId: userIds[command.by] });
  }
}

/** What must hold of a meeting at any time, in words; empty if it does. */
export async function violations({ backend, meetingId }: Stage): Promise<string[]> {
  const ofMeeting = async (table: string) =>
    (await backend.rows(table)).filter((row) => row.meetingId === meetingId);
  const [meeting = {}] = (await backend.rows("meetings")).filter(({ _id }) => _id === meetingId);
  const rows = await ofMeeting("meetingParticipants");
  const waiting = await ofMeeting("waitlist");
  const bans = await ofMeeting("bans");
  const found: string[] = [];
  const compare = (counter: string, actual: number) => {
    const count = Number(meeting[counter] ?? 0);
    if (count !== actual) found.push(`${counter} is ${count}, but there are ${actual}`);
  };
  compare("participantCount", rows.length);
  compare("joinedCount", rows.filter(({ presence }) => presence === "joined").length);
  compare("waitlistCount", waiting.length);
  compare("banCount", bans.length);
  compare("eventSequence", (await ofMeeting("meetingEvents")).length);
  const places = Number(meeting["maxParticipants"]);
  if (rows.length > places) found.push(`${rows.length} people on ${places} places`);
  if (waiting.length > 0 && rows.length < places) found.push("somebody waits for a place that is free");
  if (!rows.some((row) => row.role === "host")) found.push("no host is left");
  const whoEver = [...rows, ...waiting].map(({ userId }) => userId);
  if (new Set(whoEver).size !== whoEver.length) found.push("somebody is there twice");
  if (bans.some(({ userId }) => whoEver.includes(userId))) found.push("somebody is there who is banned");
  const inactive = (await backend.rows("users")).filter(({ isActive }) => isActive === false);
  const gone = new Set(inactive.map(({ _id }) => _id));
  if (rows.some(({ userId, presence }) => presence === "joined" && gone.has(userId as string))) {
    found.push("somebody is there who is deactivated");
  }
  return [...found, ...(await attendanceViolations(backend, meeting, rows))];
}

/** The histories of who was there tell what the rows do, and nobody was there twice at a time. */
async function attendanceViolations(
  backend: Backend,
  meeting: Row | undefined,
  rows: readonly Row[],
): Promise<string[]> {
  const found: string[] = [];
  const joined = rows.filter(({ presence }) => presence === "joined");
  const attendees = (await backend.rows("attendees")).filter(({ meetingId }) => meetingId === meeting?._id);
  const participantIds = new Set(attendees.map(({ participantId }) => participantId));
  const stays = (await backend.rows("stays")).filter(({ participantId }) =>
    participantIds.has(participantId),
  );
  const open = stays.filter(({ leftAt }) => leftAt === undefined);
  if (idsOf(open, "participantId") !== idsOf(joined, "_id"))
    found.push("the open stays are not those of the joined");
  for (const attendee of attendees) {
    const own = stays.filter(({ participantId }) => participantId === attendee.participantId);
    const over = own.filter(({ leftAt }) => leftAt !== undefined);
    const total = over.reduce((sum, { joinedAt, leftAt }) => sum + Number(leftAt) - Number(joinedAt), 0);
    if (attendee.stayCount !== own.length || attendee.totalMs !== total)
      found.push("an attendee's sums are wrong");
    const inOrder = own.toSorted((a, b) => Number(a._creationTime) - Number(b._creationTime));
    const leftBefore = (index: number) => Number(index === 0 ? 0 : (inOrder[index - 1]?.leftAt ?? Infinity));
    if (inOrder.some(({ joinedAt }, index) => Number(joinedAt) < leftBefore(index))) {
      found.push("two stays of one person overlap");
    }
  }
  return found;
}

function idsOf(rows: readonly Row[], field: string): string {
  return rows
    .map((row) => String(row[field]))
    .toSorted()
    .join();
}

/** Who waits for a place, in the order of their coming. */
export async function waitingList({ backend, meetingId }: Stage): Promise<unknown[]> {
  const waiting = (await backend.rows("waitlist")).filter((row) => row.meetingId === meetingId);
  return waiting
    .toSorted((one, other) => Number(one["_creationTime"]) - Number(other["_creationTime"]))
    .map(({ userId }) => userId);
}

/** Those who have got a place though somebody who waited longer has not. */
export async function overtakers(stage: Stage, waitedBefore: readonly unknown[]): Promise<unknown[]> {
  const rows = await stage.backend.rows("meetingParticipants");
  const isIn = new Set(
    rows.filter(({ meetingId }) => meetingId === stage.meetingId).map(({ userId }) => userId),
  );
  const stillWaiting = new Set(await waitingList(stage));
  const first = waitedBefore.findIndex((userId) => stillWaiting.has(userId));
  return first < 0 ? [] : waitedBefore.slice(first).filter((userId) => isIn.has(userId));
}
