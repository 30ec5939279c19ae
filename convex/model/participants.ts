import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import type { ParticipantRole } from "../contract/participants";
import { fail } from "./errors";
import type { Access } from "./access";

/** The row of a person in a meeting. */
export function findParticipant(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  userId: Id<"users">,
): Promise<Doc<"meetingParticipants"> | null> {
  return db
    .query("meetingParticipants")
    .withIndex("by_meeting_and_user", (q) => q.eq("meetingId", meetingId).eq("userId", userId))
    .unique();
}

/** Counts the hosts of a meeting, but no further than `limit`. */
export async function countHosts(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  limit: number,
): Promise<number> {
  const hosts = await db
    .query("meetingParticipants")
    .withIndex("by_meeting_and_role_and_presence", (q) => q.eq("meetingId", meetingId).eq("role", "host"))
    .take(limit);
  return hosts.length;
}

/**
 * Gives people who are not in the meeting a row each, and counts them. This and `removeParticipant` are the only places
 * where rows come and go, so that `participantCount` is always their number.
 */
export async function insertParticipants(
  ctx: MutationCtx,
  meeting: Pick<Doc<"meetings">, "_id" | "participantCount">,
  people: readonly { userId: Id<"users">; role: ParticipantRole }[],
): Promise<Id<"meetingParticipants">[]> {
  if (people.length === 0) return [];
  await ctx.db.patch("meetings", meeting._id, {
    participantCount: meeting.participantCount + people.length,
    updatedAt: Date.now(),
  });
  return Promise.all(
    people.map(({ userId, role }) =>
      ctx.db.insert("meetingParticipants", { meetingId: meeting._id, userId, role, presence: "invited" }),
    ),
  );
}

/** Deletes a person's row, which frees the place. PARTICIPANT_NOT_FOUND, or LAST_HOST. */
export async function removeParticipant(
  ctx: MutationCtx,
  { meeting }: Access,
  givenUserId: string,
): Promise<void> {
  const row = await requireRow(ctx.db, meeting._id, givenUserId);
  await requireOtherHost(ctx.db, row);
  await ctx.db.delete("meetingParticipants", row._id);
  await ctx.db.patch("meetings", meeting._id, {
    participantCount: meeting.participantCount - 1,
    updatedAt: Date.now(),
  });
}

/** Gives a person another role. PARTICIPANT_NOT_FOUND, or LAST_HOST. */
export async function changeRole(
  ctx: MutationCtx,
  { meeting }: Access,
  givenUserId: string,
  role: ParticipantRole,
): Promise<void> {
  const row = await requireRow(ctx.db, meeting._id, givenUserId);
  if (row.role === role) return;
  await requireOtherHost(ctx.db, row);
  await ctx.db.patch("meetingParticipants", row._id, { role });
}

/** Notes that a person is there; nothing changes for one who is there already. */
export async function join(ctx: MutationCtx, { participant }: Access): Promise<void> {
  if (participant.presence === "joined") return;
  await ctx.db.patch("meetingParticipants", participant._id, {
    presence: "joined",
    joinedAt: Date.now(),
    leftAt: undefined,
  });
}

/** Notes that a person has gone, or will not come. The place stays theirs. */
export async function leave(ctx: MutationCtx, { participant }: Access): Promise<void> {
  if (participant.presence === "left") return;
  await ctx.db.patch("meetingParticipants", participant._id, { presence: "left", leftAt: Date.now() });
}

async function requireRow(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  givenUserId: string,
): Promise<Doc<"meetingParticipants">> {
  const userId = db.normalizeId("users", givenUserId);
  const row = userId && (await findParticipant(db, meetingId, userId));
  return row || fail("PARTICIPANT_NOT_FOUND", "This person is not in the meeting");
}

/** A meeting always has a host, so that somebody can manage it. */
async function requireOtherHost(db: DatabaseReader, row: Doc<"meetingParticipants">): Promise<void> {
  if (row.role === "host" && (await countHosts(db, row.meetingId, 2)) < 2) {
    fail("LAST_HOST", "A meeting keeps at least one host");
  }
}
