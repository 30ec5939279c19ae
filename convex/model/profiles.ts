import { omit } from "convex-helpers";
import type { UserIdentity } from "convex/server";
import type * as z from "zod";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import type { PublicUser, User } from "../contract/users";
import type { updateUserProfile, upsertUser } from "../contract/usersMutations";
import { organizationOf } from "./caller";
import { putOut } from "./deactivation";
import { fail } from "./errors";
import { findById, findByWorkosId } from "./users";
import { addressOfToken, claimAddress } from "./verifiedEmail";
import { findWorkosUser } from "./workosReports";
import { refreshUser } from "./workosSync";

const MINUTE_MS = 60_000;

/** A user as the person and the people of the same organization see it. */
export function ownView(row: Doc<"users">): User {
  return omit(row, ["sessionOrgId", "sessionOrgRole", "editedFields", "verifiedEmail"]);
}

/** A user as everybody who is signed in sees it. */
export function publicView({ _id, displayName, avatarUrl, isActive }: Doc<"users">): PublicUser {
  return {
    _id,
    isActive,
    ...(displayName !== undefined && { displayName }),
    ...(avatarUrl !== undefined && { avatarUrl }),
  };
}

/**
 * Creates or updates the caller's own user from the arguments, and its organization and verified address from the token.
 * What WorkOS has reported, or the person has set, stays.
 */
export async function upsertOwnUser(
  ctx: MutationCtx,
  identity: UserIdentity,
  { workosUserId, ...claimed }: z.output<typeof upsertUser.args>,
): Promise<Id<"users">> {
  if (workosUserId !== identity.subject) fail("FORBIDDEN", "Only one's own user can be created or updated");
  const [user, reported] = await Promise.all([
    findByWorkosId(ctx.db, workosUserId),
    findWorkosUser(ctx.db, workosUserId),
  ]);
  if (user && !user.isActive) fail("USER_DEACTIVATED", "This user is deactivated");
  const hasOwnName = user?.editedFields?.includes("displayName") ?? false;
  const { orgId, orgRole } = organizationOf(identity);
  const userId = user?._id ?? (await ctx.db.insert("users", { workosUserId, ...claimed, isActive: true }));
  await ctx.db.patch("users", userId, {
    ...(!reported && (hasOwnName ? { email: claimed.email } : claimed)),
    sessionOrgId: orgId,
    sessionOrgRole: orgRole,
  });
  await refreshUser(ctx, workosUserId);
  const address = addressOfToken(identity);
  const signedIn = address === undefined ? null : await ctx.db.get("users", userId);
  if (address !== undefined && signedIn) await claimAddress(ctx, signedIn, address);
  return userId;
}

/** Sets the fields given, which from then on are the person's own and not WorkOS's. FORBIDDEN, USER_NOT_FOUND. */
export async function updateProfile(
  ctx: MutationCtx & { user: Doc<"users">; identity: UserIdentity },
  { userId, ...changes }: z.output<typeof updateUserProfile.args>,
): Promise<Id<"users">> {
  const user = await requireManaged(ctx, userId);
  const edited = (["displayName", "avatarUrl"] as const).filter((field) => changes[field] !== undefined);
  await ctx.db.patch("users", user._id, {
    ...changes,
    editedFields: [...new Set([...(user.editedFields ?? []), ...edited])],
  });
  return user._id;
}

/** Deactivates a user for good, who is put out of active meetings. FORBIDDEN, USER_NOT_FOUND, USER_ALREADY_DEACTIVATED. */
export async function deactivate(
  ctx: MutationCtx & { user: Doc<"users">; identity: UserIdentity },
  userId: Id<"users">,
): Promise<void> {
  const user = await requireManaged(ctx, userId);
  if (!user.isActive) fail("USER_ALREADY_DEACTIVATED", "This user is deactivated already");
  await ctx.db.patch("users", user._id, { isActive: false });
  await putOut(ctx, user._id);
}

/** Notes that the user is there, once a minute: each write makes the queries run again that have read the user. */
export async function noteSeen(ctx: MutationCtx, user: Doc<"users">): Promise<void> {
  const now = Date.now();
  if (now - (user.lastSeenAt ?? 0) < MINUTE_MS) return;
  await ctx.db.patch("users", user._id, { lastSeenAt: now });
}

/** A user whom the caller may change: the caller, or for an admin somebody of the organization of the session. */
async function requireManaged(
  ctx: MutationCtx & { user: Doc<"users">; identity: UserIdentity },
  givenUserId: string,
): Promise<Doc<"users">> {
  const user = (await findById(ctx.db, givenUserId)) ?? fail("USER_NOT_FOUND", "There is no such user");
  const { orgId, orgRole } = organizationOf(ctx.identity);
  const isAdminOfUser = orgRole === "admin" && orgId !== undefined && orgId === user.orgId;
  if (user._id !== ctx.user._id && !isAdminOfUser) {
    fail("FORBIDDEN", "Only for oneself and for admins of the person's organization");
  }
  return user;
}
