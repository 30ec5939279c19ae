import type { Auth, UserIdentity } from "convex/server";
import type { Doc } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { fail } from "./errors";
import { findByWorkosId } from "./users";

/** Who is calling, by a token that has been verified; UNAUTHENTICATED without one. */
export async function requireIdentity({ auth }: { auth: Auth }): Promise<UserIdentity> {
  return (await auth.getUserIdentity()) ?? fail("UNAUTHENTICATED", "A bearer token is required");
}

/** The caller's user; USER_NOT_PROVISIONED if there is none, USER_DEACTIVATED if it may do nothing any more. */
export async function requireUser({ db }: QueryCtx, identity: UserIdentity): Promise<Doc<"users">> {
  const user =
    (await findByWorkosId(db, identity.subject)) ??
    fail("USER_NOT_PROVISIONED", "Call users/mutations/upsertUser first");
  if (!user.isActive) fail("USER_DEACTIVATED", "This user is deactivated");
  return user;
}

/** The WorkOS organization of the caller's session and the caller's role in it, as the token says. */
export function organizationOf(identity: UserIdentity): { orgId?: string; orgRole?: string } {
  const { org_id: orgId, role: orgRole } = identity;
  return {
    ...(typeof orgId === "string" && { orgId }),
    ...(typeof orgRole === "string" && { orgRole }),
  };
}
