/** Guests who turn out to be users: what was the guest's in meetings becomes the user's. */
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import { moveInMeeting } from "./mergePeople";
import { findGuestByExternalId } from "./people";
import { findTenant } from "./tenants";
import { findWorkosUser } from "./workosReports";

/** How many guests one transaction binds, and how many places of each it moves: each is one meeting's work. */
const GUESTS_AT_ONCE = 4;
const ROWS_AT_ONCE = 25;

/**
 * Binds the guests who are this user: those with the user's verified address, in any tenant, and the one whom the user's
 * organization knows by the external id that WorkOS has of the user. What one transaction does not take is scheduled.
 */
export async function bindGuests(ctx: MutationCtx, user: Doc<"users">): Promise<void> {
  if (!user.isActive) return;
  const guests = await unboundGuestsOf(ctx.db, user);
  for (const guest of guests.slice(0, GUESTS_AT_ONCE)) await bindGuest(ctx, guest._id, user._id);
  if (guests.length > GUESTS_AT_ONCE) {
    await ctx.scheduler.runAfter(0, internal.guests.binding.bindMore, { userId: user._id });
  }
}

/** Says that a guest is a user, and moves the guest's places. */
export async function bindGuest(ctx: MutationCtx, guestId: Id<"guests">, userId: Id<"users">): Promise<void> {
  await ctx.db.patch("guests", guestId, { userId });
  await moveRows(ctx, guestId, userId);
}

/** Gives a user a guest's places in some meetings, and schedules itself for the rest. */
export async function moveRows(ctx: MutationCtx, guestId: Id<"guests">, userId: Id<"users">): Promise<void> {
  const [rows, waiting, bans] = await Promise.all([
    ctx.db
      .query("meetingParticipants")
      .withIndex("by_user", (q) => q.eq("userId", undefined).eq("guestId", guestId))
      .take(ROWS_AT_ONCE),
    ctx.db
      .query("waitlist")
      .withIndex("by_guest", (q) => q.eq("guestId", guestId))
      .take(ROWS_AT_ONCE),
    ctx.db
      .query("bans")
      .withIndex("by_guest", (q) => q.eq("guestId", guestId))
      .take(ROWS_AT_ONCE),
  ]);
  const meetingIds = new Set([...rows, ...waiting, ...bans].map(({ meetingId }) => meetingId));
  // One after the other, since two of them may need the same tenant to be made.
  for (const meetingId of meetingIds) await moveInMeeting(ctx, meetingId, { guestId, userId });
  if ([rows, waiting, bans].some(({ length }) => length === ROWS_AT_ONCE)) {
    await ctx.scheduler.runAfter(0, internal.guests.binding.moveMore, { guestId });
  }
}

async function unboundGuestsOf(db: DatabaseReader, user: Doc<"users">): Promise<Doc<"guests">[]> {
  const { verifiedEmail, orgId } = user;
  const [byEmail, report, tenant] = await Promise.all([
    verifiedEmail === undefined
      ? []
      : db
          .query("guests")
          .withIndex("by_email_and_user", (q) => q.eq("email", verifiedEmail).eq("userId", undefined))
          .take(GUESTS_AT_ONCE + 1),
    findWorkosUser(db, user.workosUserId),
    orgId === undefined ? null : findTenant(db, { kind: "organization", of: orgId }),
  ]);
  const { externalId } = report ?? {};
  const known =
    tenant && externalId !== undefined ? await findGuestByExternalId(db, tenant._id, externalId) : null;
  const others = byEmail.filter(({ _id }) => _id !== known?._id);
  return known && known.userId === undefined ? [known, ...others] : others;
}
