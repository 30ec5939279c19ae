import { omit } from "convex-helpers";
import type { PaginationOptions, WithoutSystemFields } from "convex/server";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import { bannedPeople } from "./bans";
import { MeetingEdit } from "./meetingEdit";
import { isClosed } from "./meetingStates";
import { findParticipant, insertParticipants, placesLeft, type NewParticipant } from "./participants";
import { type PersonRef, refOf } from "./people";
import { ensureTenantOf } from "./tenants";

type Waiting = Doc<"waitlist">;

/** The longest waitlist a meeting can have, so that one request can look at all of it. */
export const MAX_WAITING = 2000;

/** Everybody on the waitlist by the id of the user or guest. Meetings without one cost nothing. */
export async function waitingPeople(
  db: DatabaseReader,
  meeting: Doc<"meetings">,
): Promise<ReadonlyMap<string, Waiting>> {
  const waiting = (meeting.waitlistCount ?? 0) === 0 ? [] : await listWaiting(db, meeting._id);
  return new Map(waiting.map((entry) => [entry.userId ?? entry.guestId ?? "", entry]));
}

/** A page of the waitlist, those who have waited longest first. */
export async function waitlistPage(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  paginationOpts: PaginationOptions,
) {
  const result = await db
    .query("waitlist")
    .withIndex("by_meeting", (q) => q.eq("meetingId", meetingId))
    .paginate(paginationOpts);
  return { ...result, page: result.page.map((entry) => omit(entry, ["meetingId", "data", "hideHistory"])) };
}

/** The entry of a person; null for who does not wait. */
export function findWaiting(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  { userId, guestId }: PersonRef,
): Promise<Waiting | null> {
  return db
    .query("waitlist")
    .withIndex("by_meeting_and_user", (q) =>
      q.eq("meetingId", meetingId).eq("userId", userId).eq("guestId", guestId),
    )
    .unique();
}

/** Where on the waitlist somebody is: 1 for who gets the next place. */
export async function positionOf(db: DatabaseReader, { meetingId, _creationTime }: Waiting): Promise<number> {
  const before = await db
    .query("waitlist")
    .withIndex("by_meeting", (q) => q.eq("meetingId", meetingId).lt("_creationTime", _creationTime))
    .take(MAX_WAITING);
  return before.length + 1;
}

/** Puts people on the waitlist. */
export async function insertWaiting(
  edit: MeetingEdit,
  people: readonly Omit<WithoutSystemFields<Waiting>, "meetingId">[],
): Promise<Id<"waitlist">[]> {
  const { ctx, meeting } = edit;
  const ids = await Promise.all(
    people.map((person) => ctx.db.insert("waitlist", { ...person, meetingId: meeting._id })),
  );
  countWaiting(edit, ids.length);
  edit.event(
    "waitlist.added",
    ids.map((subject, index) => ({ subject, after: { ...people[index] } })),
  );
  return ids;
}

/** Takes people off the waitlist who have got no place. */
export async function removeWaiting(edit: MeetingEdit, entries: readonly Waiting[]): Promise<void> {
  await deleteWaiting(edit, entries);
  edit.event(
    "waitlist.removed",
    entries.map((entry) => ({ subject: entry._id, before: { ...refOf(entry) } })),
  );
}

/** Takes people off the waitlist, whatever the reason. */
export async function deleteWaiting(edit: MeetingEdit, entries: readonly Waiting[]): Promise<void> {
  await Promise.all(entries.map(({ _id }) => edit.ctx.db.delete("waitlist", _id)));
  countWaiting(edit, -entries.length);
}

/** Beside how many people a request may promote as many, and how many beside more: each takes some of what a transaction may read. */
const MANY = 250;
const FEW = 10;

/**
 * Gives the places that are left to those who have waited longest. Who may not be added any more loses their turn.
 * To be called whenever places become free, in the same transaction; those whom it cannot hold get their places at once
 * after it.
 *
 * @param handled How many people the transaction deals with besides.
 */
export async function promoteWaiting(edit: MeetingEdit, handled: number): Promise<void> {
  const { ctx, meeting } = edit;
  const places = placesLeft(edit);
  if ((meeting.waitlistCount ?? 0) === 0 || places <= 0 || isClosed(meeting.state)) return;
  const [inOrder, banned] = await Promise.all([
    listWaiting(ctx.db, meeting._id),
    bannedPeople(ctx.db, meeting),
  ]);
  const considered = inOrder.slice(0, handled > MANY ? FEW : MANY);
  const promoted: Waiting[] = [];
  const dropped: Waiting[] = [];
  for (let next = 0; next < considered.length && promoted.length < places;) {
    const candidates = considered.slice(next, next + places - promoted.length);
    next += candidates.length;
    const allowed = await Promise.all(candidates.map((entry) => mayBeAdded(edit, entry, banned)));
    candidates.forEach((entry, index) => (allowed[index] ? promoted : dropped).push(entry));
  }
  await removeWaiting(edit, dropped);
  await deleteWaiting(edit, promoted);
  const { changes } = await insertParticipants(
    edit,
    promoted.map((entry) => participantOf(entry, edit)),
  );
  edit.event("waitlist.promoted", changes);
  if (placesLeft(edit) > 0 && (edit.meeting.waitlistCount ?? 0) > 0) {
    await ctx.scheduler.runAfter(0, internal.waitlist.promoteRest, { meetingId: meeting._id });
  }
}

/** Goes on where {@link promoteWaiting} has stopped. */
export async function continuePromoting(ctx: MutationCtx, meetingId: Id<"meetings">): Promise<void> {
  const meeting = await ctx.db.get("meetings", meetingId);
  if (!meeting) return;
  const edit = new MeetingEdit(ctx, meeting, await ensureTenantOf(ctx, meeting), { kind: "system" });
  await promoteWaiting(edit, 0);
  await edit.save();
}

async function mayBeAdded(
  { ctx, meeting }: MeetingEdit,
  entry: Waiting,
  banned: ReadonlySet<string>,
): Promise<boolean> {
  const { userId, guestId } = entry;
  if (banned.has(userId ?? guestId ?? "")) return false;
  const [user, row] = await Promise.all([
    userId && ctx.db.get("users", userId),
    findParticipant(ctx.db, meeting._id, refOf(entry)),
  ]);
  return row === null && (userId === undefined || user?.isActive === true);
}

function participantOf(entry: Waiting, { meeting }: MeetingEdit): NewParticipant {
  const { role, data, hideHistory } = entry;
  return {
    ...refOf(entry),
    role,
    ...data,
    ...(hideHistory && { historyFrom: (meeting.historyCount ?? 0) + 1 }),
  };
}

/** Those who have waited longest first. */
function listWaiting(db: DatabaseReader, meetingId: Id<"meetings">): Promise<Waiting[]> {
  return db
    .query("waitlist")
    .withIndex("by_meeting", (q) => q.eq("meetingId", meetingId))
    .take(MAX_WAITING);
}

function countWaiting(edit: MeetingEdit, difference: number): void {
  if (difference !== 0) edit.set({ waitlistCount: (edit.meeting.waitlistCount ?? 0) + difference });
}
