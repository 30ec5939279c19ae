import fc from "fast-check";
import { type Backend, type Result, type Row, valueOf } from "./story";

const people = ["p0", "p1", "p2", "p3", "p4", "p5"] as const;
const PLACES = 4;

const person = fc.nat({ max: people.length - 1 });
const role = fc.constantFrom("host", "co-host", "participant", "observer");
const entry = fc.record({ who: person, role });

/** One thing that one person tries to do to the meeting, allowed or not. */
export type Command =
  | { kind: "add"; by: number; entries: { who: number; role: string }[] }
  | { kind: "remove"; by: number; who: number }
  | { kind: "role"; by: number; who: number; role: string }
  | { kind: "join" | "leave"; by: number };

/** Random histories of one meeting. Person 0 is the first host and acts most, so that much of it is allowed. */
export const histories: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("add" as const),
      by: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, person),
      entries: fc.array(entry, { maxLength: 5 }),
    }),
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
  ),
  { maxLength: 25 },
);

/** A started meeting with few places and more people than places. */
export interface Stage {
  backend: Backend;
  meetingId: string;
  userIds: string[];
}

/** Signs the people up and lets the first of them start the meeting. */
export async function setStage(backend: Backend): Promise<Stage> {
  const userIds: string[] = [];
  for (const subject of people) {
    const args = { workosUserId: subject, email: `${subject}@example.com` };
    userIds.push(String(valueOf(await backend.as({ subject }).call("users/mutations:upsertUser", args))));
  }
  const host = backend.as({ subject: people[0] });
  const created = await host.call("meetings/lifecycle:createMeeting", {
    title: "History",
    maxParticipants: PLACES,
  });
  const { meetingId } = valueOf(created) as { meetingId: string };
  valueOf(await host.call("meetings/lifecycle:startMeeting", { meetingId }));
  return { backend, meetingId, userIds };
}

/** Does what the command says. Refusals are part of a history. */
export function play({ backend, meetingId, userIds }: Stage, command: Command): Promise<Result> {
  const caller = backend.as({ subject: people[command.by] ?? people[0] });
  switch (command.kind) {
    case "add": {
      const participants = command.entries.map((entry) => ({ userId: userIds[entry.who], role: entry.role }));
      return caller.call("meetings/lifecycle:addMultipleParticipants", { meetingId, participants });
    }
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
  }
}

/** What must hold of a meeting at any time, in words; empty if it does. */
export async function violations({ backend, meetingId }: Stage): Promise<string[]> {
  const [meeting] = (await backend.rows("meetings")).filter(({ _id }) => _id === meetingId);
  const rows = (await backend.rows("meetingParticipants")).filter((row) => row.meetingId === meetingId);
  const count = Number(meeting?.participantCount);
  const found: string[] = [];
  if (count !== rows.length) found.push(`participantCount is ${count}, but there are ${rows.length} rows`);
  if (count > PLACES) found.push(`${count} people on ${PLACES} places`);
  if (!rows.some((row) => row.role === "host")) found.push("no host is left");
  if (new Set(rows.map((row: Row) => row.userId)).size !== rows.length) found.push("somebody has two rows");
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
  if (Number(meeting?.joinedCount ?? 0) !== joined.length)
    found.push("joinedCount is not the number of those joined");
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
