import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader } from "../_generated/server";
import { fail } from "./errors";

/**
 * The user of a WorkOS user id, the subject of the token. Not looked up by `tokenIdentifier`, as is usual with several
 * providers: here all of them are WorkOS for one client id, and the two forms of its issuer give one person two
 * token identifiers.
 */
export function findByWorkosId(db: DatabaseReader, workosUserId: string): Promise<Doc<"users"> | null> {
  return db
    .query("users")
    .withIndex("by_workos_user_id", (q) => q.eq("workosUserId", workosUserId))
    .unique();
}

/** The user of an id as a client gave it; null also for an id that is malformed or of another table. */
export async function findById(db: DatabaseReader, given: string): Promise<Doc<"users"> | null> {
  const userId = db.normalizeId("users", given);
  return userId && (await db.get("users", userId));
}

/** The user for whose e-mail address WorkOS has vouched. `email`: in lower case. */
export function findByVerifiedEmail(db: DatabaseReader, email: string): Promise<Doc<"users"> | null> {
  return db
    .query("users")
    .withIndex("by_verified_email", (q) => q.eq("verifiedEmail", email))
    .first();
}

/** The user of an id that the backend has kept itself. */
export async function requireUserById(db: DatabaseReader, userId: Id<"users">): Promise<Doc<"users">> {
  return (await db.get("users", userId)) ?? fail("USER_NOT_FOUND", "There is no such user");
}
