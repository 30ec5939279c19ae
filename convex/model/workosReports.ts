/** What WorkOS has said of users and memberships, as it is kept. */
import type { Doc } from "../_generated/dataModel";
import type { DatabaseReader } from "../_generated/server";

/** What tells states of one object apart. */
export type Version = Pick<Doc<"workosUsers">, "deleted" | "updatedAt" | "eventId">;

/** What WorkOS has said of a user, if it has. */
export function findWorkosUser(db: DatabaseReader, workosUserId: string): Promise<Doc<"workosUsers"> | null> {
  return db
    .query("workosUsers")
    .withIndex("by_workos_user_id", (q) => q.eq("workosUserId", workosUserId))
    .unique();
}

/** Which of two states is the newer one. A deleted object stays deleted. */
export function isNewer(state: Version, kept: Version): boolean {
  if (state.deleted !== kept.deleted) return state.deleted;
  if (state.updatedAt !== kept.updatedAt) return state.updatedAt > kept.updatedAt;
  return state.eventId > kept.eventId;
}
