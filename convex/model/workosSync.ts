import type { Doc } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { avatarUrl, displayName } from "../contract/users";
import type { WorkosEvent, WorkosMembershipEvent, WorkosUserEvent } from "../contract/workos";
import { bindGuests } from "./bindGuests";
import { putOut } from "./deactivation";
import { chooseOrganization } from "./organizations";
import { findByVerifiedEmail, findByWorkosId } from "./users";
import { normalAddress, settleAddresses } from "./verifiedEmail";
import { findWorkosUser, isNewer } from "./workosReports";

/**
 * Takes in one event. What is kept is the newest state of each object, so that any order and repetition of the same
 * events ends in the same users.
 */
export async function applyWorkosEvent(ctx: MutationCtx, event: WorkosEvent): Promise<void> {
  const workosUserId = isUserEvent(event) ? event.data.id : event.data.user_id;
  const changed = isUserEvent(event) ? await keepUser(ctx, event) : await keepMembership(ctx, event);
  if (changed) await refreshUser(ctx, workosUserId);
}

/** Brings the row in `users` in line with what WorkOS has said, creating it if need be. */
export async function refreshUser(ctx: MutationCtx, workosUserId: string): Promise<void> {
  const [known, memberships, user] = await Promise.all([
    findWorkosUser(ctx.db, workosUserId),
    ctx.db
      .query("workosMemberships")
      .withIndex("by_workos_user_id", (q) => q.eq("workosUserId", workosUserId))
      .collect(), // As many as the organizations that the person has ever been in.
    findByWorkosId(ctx.db, workosUserId),
  ]);
  const organization = chooseOrganization(memberships, {
    orgId: user?.sessionOrgId,
    orgRole: user?.sessionOrgRole,
  });
  if (user) {
    await ctx.db.patch("users", user._id, { ...organization, ...(known && profileOf(known, user)) });
    if (user.isActive && known?.deleted) await putOut(ctx, user._id);
  } else if (known) {
    const userId = await ctx.db.insert("users", {
      workosUserId,
      email: known.email,
      isActive: !known.deleted,
    });
    await ctx.db.patch("users", userId, { ...organization, ...profileOf(known) });
  }
  const refreshed = await findByWorkosId(ctx.db, workosUserId);
  if (refreshed && known) await settleAddresses(ctx, refreshed, known);
  const settled = await findByWorkosId(ctx.db, workosUserId);
  if (settled) await bindGuests(ctx, settled);
  // Guests who were the deleted user are whoever has the address now.
  const heir = known?.deleted ? await findByVerifiedEmail(ctx.db, known.email.toLowerCase()) : null;
  if (heir) await bindGuests(ctx, heir);
}

/** What WorkOS says of a person, but for what the person has set here. Nobody is activated again by it. */
function profileOf(known: Doc<"workosUsers">, user?: Doc<"users">) {
  const edited = user?.editedFields ?? [];
  return {
    email: known.email,
    isActive: (user?.isActive ?? true) && !known.deleted,
    ...(!edited.includes("displayName") && { displayName: known.displayName }),
    ...(!edited.includes("avatarUrl") && { avatarUrl: known.avatarUrl }),
  };
}

async function keepUser(ctx: MutationCtx, { id, event, data }: WorkosUserEvent): Promise<boolean> {
  const kept = await findWorkosUser(ctx.db, data.id);
  const name = displayName.safeParse([data.first_name, data.last_name].filter(Boolean).join(" "));
  const picture = avatarUrl.safeParse(data.profile_picture_url);
  const deleted = event === "user.deleted";
  const isVerified = data.email_verified === true && !deleted;
  const state = {
    workosUserId: data.id,
    email: data.email,
    ...((data.email_verified !== undefined || deleted) && {
      verifiedEmail: (isVerified && normalAddress(data.email)) || "",
    }),
    ...(typeof data.external_id === "string" && { externalId: data.external_id }),
    ...(name.success && { displayName: name.data }),
    ...(picture.success && { avatarUrl: picture.data }),
    deleted,
    updatedAt: Date.parse(data.updated_at),
    eventId: id,
  };
  if (kept && !isNewer(state, kept)) return false;
  if (kept) await ctx.db.replace("workosUsers", kept._id, state);
  else await ctx.db.insert("workosUsers", state);
  return true;
}

async function keepMembership(
  ctx: MutationCtx,
  { id, event, data }: WorkosMembershipEvent,
): Promise<boolean> {
  const kept = await ctx.db
    .query("workosMemberships")
    .withIndex("by_membership_id", (q) => q.eq("membershipId", data.id))
    .unique();
  const state = {
    membershipId: data.id,
    workosUserId: data.user_id,
    orgId: data.organization_id,
    ...(data.role && { orgRole: data.role.slug }),
    active: data.status === "active",
    createdAt: Date.parse(data.created_at),
    deleted: event === "organization_membership.deleted",
    updatedAt: Date.parse(data.updated_at),
    eventId: id,
  };
  if (kept && !isNewer(state, kept)) return false;
  if (kept) await ctx.db.replace("workosMemberships", kept._id, state);
  else await ctx.db.insert("workosMemberships", state);
  return true;
}

function isUserEvent(event: WorkosEvent): event is WorkosUserEvent {
  return event.event.startsWith("user.");
}
