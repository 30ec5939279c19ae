import type { Doc } from "../_generated/dataModel";
import type { DatabaseReader } from "../_generated/server";

/** The most bans a meeting can have, so that one request can look at all of them. */
export const MAX_BANS = 2000;

/**
 * The ids of the users and guests who are banned from a meeting now. Meetings without bans, which is most of them, cost
 * nothing.
 */
export async function bannedPeople(
  db: DatabaseReader,
  meeting: Doc<"meetings">,
): Promise<ReadonlySet<string>> {
  if ((meeting.banCount ?? 0) === 0) return new Set();
  const bans = await db
    .query("bans")
    .withIndex("by_meeting_and_user", (q) => q.eq("meetingId", meeting._id))
    .take(MAX_BANS);
  const now = Date.now();
  return new Set(
    bans
      .filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now)
      .flatMap(({ userId, guestId }) => userId ?? guestId ?? []),
  );
}
