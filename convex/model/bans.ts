import type { PaginationOptions } from "convex/server";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import { openAsSystem } from "./access";
import { fail } from "./errors";
import type { MeetingEdit } from "./meetingEdit";
import { keyOf, type PersonRef, refOf } from "./people";

type Ban = Doc<"bans">;

/** For how long somebody is banned, and why. */
export interface BanTerms {
  expiresAt?: number | undefined;
  reason?: string | undefined;
}

/** Somebody who is to be banned. */
interface NewBan {
  ref: PersonRef;
  terms: BanTerms;
}

/** The most bans a meeting can have, so that one request can look at all of them. */
const MAX_BANS = 2000;

/**
 * The ids of the users and guests who are banned from a meeting now. Meetings without bans, which is most of them, cost
 * nothing.
 */
export async function bannedPeople(
  db: DatabaseReader,
  meeting: Doc<"meetings">,
): Promise<ReadonlySet<string>> {
  const bans = await allBans(db, meeting);
  return new Set(bans.filter((ban) => !isOver(ban)).map(keyOf));
}

/**
 * Bans people, or gives who is banned the new terms. Bans that are over give way to new ones. TOO_MANY_BANS.
 *
 * @returns their bans, in their order.
 */
export async function banPeople(edit: MeetingEdit, people: readonly NewBan[]): Promise<Id<"bans">[]> {
  if (people.length === 0) return [];
  const { ctx, meeting } = edit;
  const bans = new Map((await allBans(ctx.db, meeting)).map((ban) => [keyOf(ban), ban]));
  const known = new Set(people.map(({ ref }) => keyOf(ref)));
  const over = [...bans.values()].filter((ban) => isOver(ban) && !known.has(keyOf(ban)));
  await deleteBans(edit, over);
  const ids = await Promise.all(
    people.map(async ({ ref, terms }) => {
      const banned = bans.get(keyOf(ref));
      if (!banned) return ctx.db.insert("bans", { ...ref, ...given(terms), meetingId: meeting._id });
      const { expiresAt, reason } = terms;
      await ctx.db.patch("bans", banned._id, { expiresAt, reason });
      return banned._id;
    }),
  );
  const banCount = bans.size - over.length + people.filter(({ ref }) => !bans.has(keyOf(ref))).length;
  if (banCount > MAX_BANS) fail("TOO_MANY_BANS", `A meeting has at most ${MAX_BANS} bans`);
  edit.set({ banCount });
  edit.event(
    "participants.banned",
    people.map(({ ref, terms }, index) => ({
      subject: ids[index] as Id<"bans">,
      after: { ...ref, ...given(terms) },
    })),
  );
  return ids;
}

/** EXPIRES_IN_PAST. */
export function requireAhead({ expiresAt }: BanTerms): void {
  if (expiresAt !== undefined && expiresAt <= Date.now()) fail("EXPIRES_IN_PAST", "A ban ends in the future");
}

/** Lifts bans. */
export async function deleteBans(edit: MeetingEdit, bans: readonly Ban[]): Promise<void> {
  if (bans.length === 0) return;
  await Promise.all(bans.map(({ _id }) => edit.ctx.db.delete("bans", _id)));
  edit.set({ banCount: (edit.meeting.banCount ?? 0) - bans.length });
  edit.event(
    "participants.unbanned",
    bans.map((ban) => ({ subject: ban._id, before: { ...refOf(ban), ...given(ban) } })),
  );
}

/** The ban of a person, over or not. */
export function findBan(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  { userId, guestId }: PersonRef,
): Promise<Ban | null> {
  return db
    .query("bans")
    .withIndex("by_meeting_and_user", (q) =>
      q.eq("meetingId", meetingId).eq("userId", userId).eq("guestId", guestId),
    )
    .unique();
}

export function isOver({ expiresAt }: Ban): boolean {
  return expiresAt !== undefined && expiresAt <= Date.now();
}

/** A page of the bans that are not over. */
export async function bansPage(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  paginationOpts: PaginationOptions,
) {
  const result = await db
    .query("bans")
    .withIndex("by_meeting_and_user", (q) => q.eq("meetingId", meetingId))
    .paginate(paginationOpts);
  return { ...result, page: result.page.filter((ban) => !isOver(ban)) };
}

/**
 * Deletes bans that are over, those first that have been for longest.
 *
 * @returns how many were deleted, at most `limit`.
 */
export async function deleteExpiredBans(ctx: MutationCtx, limit: number): Promise<number> {
  const over = await ctx.db
    .query("bans")
    // A ban without an end comes before all numbers.
    .withIndex("by_expires_at", (q) => q.gte("expiresAt", 0).lte("expiresAt", Date.now()))
    .take(limit);
  // One meeting after the other, since two of them may need the same tenant to be made.
  for (const id of new Set(over.map(({ meetingId }) => meetingId))) {
    const meeting = (await ctx.db.get("meetings", id)) as Doc<"meetings">;
    const edit = await openAsSystem(ctx, meeting);
    await deleteBans(
      edit,
      over.filter(({ meetingId }) => meetingId === id),
    );
    await edit.save();
  }
  return over.length;
}

async function allBans(db: DatabaseReader, meeting: Doc<"meetings">): Promise<Ban[]> {
  if ((meeting.banCount ?? 0) === 0) return [];
  return db
    .query("bans")
    .withIndex("by_meeting_and_user", (q) => q.eq("meetingId", meeting._id))
    .take(MAX_BANS);
}

/** The terms that are there. */
function given({ expiresAt, reason }: BanTerms) {
  return { ...(expiresAt !== undefined && { expiresAt }), ...(reason !== undefined && { reason }) };
}
