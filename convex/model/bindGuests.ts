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
/** Of how many users one transaction looks whether they are still active. */
const USERS_AT_ONCE = 25;

/**
 * Binds the guests who are this user: those with the user's verified address, in any tenant, and the one whom the user's
 * organization knows by the external id that WorkOS has of the user. Guests who are another user stay that user, as long as it is
 * active. What one transaction does not take is scheduled.
 *
 * @param after The last of those other users who has been looked at.
 */
export async function bindGuests(ctx: MutationCtx, user: Doc<"users">, after?: Id<"users">): Promise<void> {
  if (!user.isActive) return;
  const [known, { guests: byEmail, next }] = await Promise.all([
    findByWorkosExternalId(ctx.db, user),
    findByAddress(ctx.db, user, after),
  ]);
  const guests = known ? [known, ...byEmail.filter(({ _id }) => _id !== known._id)] : byEmail;
  for (const guest of guests.slice(0, GUESTS_AT_ONCE)) await bindGuest(ctx, guest._id, user._id);
  const areMore = guests.length > GUESTS_AT_ONCE;
  if (!areMore && next === undefined) return;
  const from = areMore ? after : next;
  await ctx.scheduler.runAfter(0, internal.guests.binding.bindMore, {
    userId: user._id,
    ...(from !== undefined && { after: from }),
  });
}

/** Is a guest no user yet, or one who is no longer active? */
export async function isBindable(db: DatabaseReader, { userId }: Doc<"guests">): Promise<boolean> {
  return userId === undefined || !(await db.get("users", userId))?.isActive;
}

/** Says that a guest is a user, and moves the guest's places. Those that became another user's before stay that user's. */
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

/** The guest whom the user's organization knows by the external id that WorkOS has of the user, if they can be bound. */
async function findByWorkosExternalId(db: DatabaseReader, user: Doc<"users">): Promise<Doc<"guests"> | null> {
  const { workosUserId, orgId } = user;
  const [report, tenant] = await Promise.all([
    findWorkosUser(db, workosUserId),
    orgId === undefined ? null : findTenant(db, { kind: "organization", of: orgId }),
  ]);
  if (!tenant || report?.externalId === undefined) return null;
  const guest = await findGuestByExternalId(db, tenant._id, report.externalId);
  return guest && (await isBindable(db, guest)) ? guest : null;
}

/**
 * Guests with the user's verified address who can be bound: all, or more than are bound at once, or, with the last user who was
 * looked at, those found so far.
 */
async function findByAddress(
  db: DatabaseReader,
  { _id, verifiedEmail }: Doc<"users">,
  after: Id<"users"> | undefined,
): Promise<{ guests: Doc<"guests">[]; next?: Id<"users"> | undefined }> {
  if (verifiedEmail === undefined) return { guests: [] };
  const ofUser = (userId: Id<"users"> | undefined) =>
    db
      .query("guests")
      .withIndex("by_email_and_user", (q) => q.eq("email", verifiedEmail).eq("userId", userId))
      .take(GUESTS_AT_ONCE + 1);
  const guests = await ofUser(undefined);
  let last = after;
  for (let looked = 0; looked < USERS_AT_ONCE && guests.length <= GUESTS_AT_ONCE; looked += 1) {
    const bound = await db
      .query("guests")
      // A user that is missing comes before all others.
      .withIndex("by_email_and_user", (q) => q.eq("email", verifiedEmail).gt("userId", last))
      .first();
    if (!bound?.userId) return { guests };
    last = bound.userId;
    if (last !== _id && (await isBindable(db, bound))) guests.push(...(await ofUser(last)));
  }
  return { guests, next: last };
}
