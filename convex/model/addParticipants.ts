import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import type { ErrorCode } from "../contract/errors";
import {
  type ParticipantEntry,
  type ParticipantRole,
  type SkipCode,
  type SkippedEntry,
  skipReasons,
} from "../contract/participants";
import { fail } from "./errors";
import { countHosts, findParticipant, insertParticipants } from "./participants";

/** What to do about a person who cannot be added: go on without them, or undo everything and fail. */
export type RefusalPolicy = "skip" | "fail";

/** The participant ids of those who were added, and the others with the reason, each in the order of the request. */
export interface Outcome {
  added: Id<"meetingParticipants">[];
  skipped: SkippedEntry[];
}

/** A known user, and the row of theirs if they are in the meeting. */
interface Person {
  user: Doc<"users">;
  row: Doc<"meetingParticipants"> | null;
}

type Decision =
  | { kind: "insert"; userId: Id<"users">; role: ParticipantRole }
  | { kind: "renew"; participantId: Id<"meetingParticipants">; role: ParticipantRole }
  | { kind: "refuse"; skipped: SkippedEntry };

const refusalErrors: Record<SkipCode, ErrorCode> = {
  user_not_found: "USER_NOT_FOUND",
  user_inactive: "USER_INACTIVE",
  duplicate: "ALREADY_PARTICIPANT",
  already_participant: "ALREADY_PARTICIPANT",
  last_host: "LAST_HOST",
  meeting_full: "MEETING_FULL",
  one_on_one_full: "ONE_ON_ONE_FULL",
};

/**
 * Adds people to a meeting: the one core under every way to do so. The caller has been checked to be allowed to, and
 * the meeting to be open.
 *
 * A person who has left is still in the meeting and holds a place, so adding them again renews their row: the same
 * participant id, the role asked for, invited anew.
 */
export async function addParticipants(
  ctx: MutationCtx,
  meeting: Doc<"meetings">,
  entries: readonly ParticipantEntry[],
  onRefusal: RefusalPolicy,
): Promise<Outcome> {
  const personOf = await loadPeople(ctx.db, meeting._id, entries);
  const decisions = await decide(ctx.db, meeting, entries, personOf);

  const skipped = decisions.flatMap((decision) => (decision.kind === "refuse" ? [decision.skipped] : []));
  const [first] = skipped;
  if (first && onRefusal === "fail") fail(refusalErrors[first.code], first.reason);

  return { added: await write(ctx, meeting, decisions), skipped };
}

/** Reads everybody at once, each person once however often, and in whatever spelling, the request names them. */
async function loadPeople(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  entries: readonly ParticipantEntry[],
): Promise<(given: string) => Person | undefined> {
  const idOf = new Map<string, Id<"users"> | null>();
  for (const { userId } of entries) {
    if (!idOf.has(userId)) idOf.set(userId, db.normalizeId("users", userId));
  }
  const people = new Map<string | null | undefined, Person>();
  await Promise.all(
    [...new Set(idOf.values())].map(async (userId) => {
      if (userId === null) return;
      const [user, row] = await Promise.all([
        db.get("users", userId),
        findParticipant(db, meetingId, userId),
      ]);
      if (user) people.set(userId, { user, row });
    }),
  );
  return (given) => people.get(idOf.get(given));
}

/** What becomes of each entry, in the order given: earlier ones get the places that are left. */
async function decide(
  db: DatabaseReader,
  meeting: Doc<"meetings">,
  entries: readonly ParticipantEntry[],
  personOf: (given: string) => Person | undefined,
): Promise<Decision[]> {
  let places = meeting.maxParticipants - meeting.participantCount;
  // No more hosts than there are entries can be renewed as something less, so that counting one more is enough.
  let hosts = await countHosts(db, meeting._id, entries.length + 1);
  const seen = new Set<Id<"users">>();

  return entries.map(({ userId: given, role }): Decision => {
    const person = personOf(given);
    if (!person) return refuse(given, "user_not_found");
    const { user, row } = person;
    if (!user.isActive) return refuse(given, "user_inactive");
    if (seen.has(user._id)) return refuse(given, "duplicate");
    seen.add(user._id);
    if (row && row.presence !== "left") return refuse(given, "already_participant");
    const hostsAfter = hosts + Number(role === "host") - Number(row?.role === "host");
    if (hostsAfter === 0) return refuse(given, "last_host");
    if (!row && places <= 0) {
      return refuse(given, meeting.meetingType === "one-on-one" ? "one_on_one_full" : "meeting_full");
    }
    hosts = hostsAfter;
    if (row) return { kind: "renew", participantId: row._id, role };
    places -= 1;
    return { kind: "insert", userId: user._id, role };
  });
}

function refuse(userId: Id<"users">, code: SkipCode): Decision {
  return { kind: "refuse", skipped: { userId, reason: skipReasons[code], code } };
}

/** Carries the decisions out. Gives the participant ids in their order. */
async function write(
  ctx: MutationCtx,
  meeting: Doc<"meetings">,
  decisions: readonly Decision[],
): Promise<Id<"meetingParticipants">[]> {
  const inserts = decisions.filter((decision) => decision.kind === "insert");
  const renewals = decisions.filter((decision) => decision.kind === "renew");
  const [inserted] = await Promise.all([
    insertParticipants(ctx, meeting, inserts),
    ...renewals.map(({ participantId, role }) =>
      ctx.db.patch("meetingParticipants", participantId, { role, presence: "invited", leftAt: undefined }),
    ),
  ]);
  return decisions.flatMap((decision) => {
    if (decision.kind === "renew") return [decision.participantId];
    return decision.kind === "insert" ? inserted.splice(0, 1) : [];
  });
}
