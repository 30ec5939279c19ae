import { omit } from "convex-helpers";
import type { PaginationOptions, WithoutSystemFields } from "convex/server";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import type { ParticipantData } from "../contract/participantData";
import { openAsSystem } from "./access";
import { bannedPeople } from "./bans";
import type { MeetingEdit } from "./meetingEdit";
import { isClosed } from "./meetingStates";
import { findParticipant, insertParticipants, placesLeft, type NewParticipant } from "./participants";
import { keyOf, type PersonRef, refOf } from "./people";

type Waiting = Doc<"waitlist">;

/** The longest waitlist a meeting can have, so that one request can look at all of it. */
export const MAX_WAITING = 2000;

/** Everybody on the waitlist by the id of the user or guest. Meetings without one cost nothing. */
export async function waitingPeople(
  db: DatabaseReader,
  meeting: Doc<"meetings">,
): Promise<ReadonlyMap<string, Waiting>> {
  const waiting = (meeting.waitlistCount ?? 0) === 0 ? [] : await listWaiting(db, meeting._id);
  return new Map(waiting.map((entry) => [keyOf(entry), entry]));
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
  return {
    ...result,
    page: result.page.map((entry) => omit(entry, ["meetingId", "data", "attributesId", "hideHistory"])),
  };
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

/** Somebody who is to wait: the meeting is added, and the attributes are kept apart. */
type NewWaiting = Omit<WithoutSystemFields<Waiting>, "meetingId" | "data" | "attributesId"> & {
  data: ParticipantData;
};

/** Puts people on the waitlist. */
export async function insertWaiting(
  edit: MeetingEdit,
  people: readonly NewWaiting[],
): Promise<Id<"waitlist">[]> {
  if (people.length === 0) return [];
  const { ctx, meeting } = edit;
  const attributesIds = await Promise.all(people.map(({ data }) => keepAttributes(ctx, data)));
  // All at once, in the order of the people, which is the order in which they will be promoted.
  const ids = await Promise.all(
    people.map((person, index) => {
      const attributesId = attributesIds[index];
      const data = omit(person.data, ["attributes"]);
      const kept = { ...person, data, ...(attributesId && { attributesId }) };
      return ctx.db.insert("waitlist", { ...kept, meetingId: meeting._id });
    }),
  );
  countWaiting(edit, ids.length);
  edit.event(
    "waitlist.added",
    ids.map((subject, index) => ({ subject, after: { ...people[index] } })),
  );
  return ids;
}

async function keepAttributes({ db }: MutationCtx, { attributes }: ParticipantData) {
  return attributes && db.insert("waitlistAttributes", { attributes });
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
  const { db, scheduler } = edit.ctx;
  await Promise.all(entries.map(({ _id }) => db.delete("waitlist", _id)));
  countWaiting(edit, -entries.length);
  const ids = entries.flatMap(({ attributesId }) => attributesId ?? []);
  for (let start = 0; start < ids.length; start += ATTRIBUTES_AT_ONCE) {
    const page = ids.slice(start, start + ATTRIBUTES_AT_ONCE);
    await scheduler.runAfter(0, internal.waitlist.deleteAttributes, { ids: page });
  }
}

/** Deletes attributes that {@link deleteWaiting} has left, as many as it schedules at once. */
export async function deleteAttributes(
  { db }: MutationCtx,
  ids: readonly Id<"waitlistAttributes">[],
): Promise<void> {
  await Promise.all(ids.map((id) => db.delete("waitlistAttributes", id)));
}

/** Beside how many people a request may promote as many, and how many beside more: each takes some of what a transaction may read. */
const MANY = 250;
const FEW = 10;

/** Of how many people one transaction reads the attributes, which may have 48 KiB each, and writes them three times at most. */
const ATTRIBUTES_AT_ONCE = 100;

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
  const considered = firstOf(inOrder, handled);
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
  const newcomers = await Promise.all(promoted.map((entry) => participantOf(entry, edit)));
  const { changes } = await insertParticipants(edit, newcomers);
  edit.event("waitlist.promoted", changes);
  if (placesLeft(edit) > 0 && (edit.meeting.waitlistCount ?? 0) > 0) {
    await ctx.scheduler.runAfter(0, internal.waitlist.promoteRest, { meetingId: meeting._id });
  }
}

/** Those who can be promoted in one transaction that deals with `handled` people besides. */
function firstOf(inOrder: readonly Waiting[], handled: number): readonly Waiting[] {
  const first = inOrder.slice(0, handled > MANY ? FEW : MANY);
  let withAttributes = handled > 0 ? FEW : ATTRIBUTES_AT_ONCE;
  const end = first.findIndex(({ attributesId }) => attributesId !== undefined && withAttributes-- === 0);
  return end === -1 ? first : first.slice(0, end);
}

/** Goes on where {@link promoteWaiting} has stopped. */
export async function continuePromoting(ctx: MutationCtx, meetingId: Id<"meetings">): Promise<void> {
  const meeting = await ctx.db.get("meetings", meetingId);
  if (!meeting) return;
  const edit = await openAsSystem(ctx, meeting);
  await promoteWaiting(edit, 0);
  await edit.save();
}

async function mayBeAdded(
  { ctx, meeting }: MeetingEdit,
  entry: Waiting,
  banned: ReadonlySet<string>,
): Promise<boolean> {
  const { userId } = entry;
  if (banned.has(keyOf(entry))) return false;
  const [user, row] = await Promise.all([
    userId && ctx.db.get("users", userId),
    findParticipant(ctx.db, meeting._id, refOf(entry)),
  ]);
  return row === null && (userId === undefined || user?.isActive === true);
}

async function participantOf(entry: Waiting, { ctx, meeting }: MeetingEdit): Promise<NewParticipant> {
  const { role, data, attributesId, hideHistory } = entry;
  const kept = attributesId && (await ctx.db.get("waitlistAttributes", attributesId));
  return {
    ...refOf(entry),
    role,
    ...data,
    ...(kept && { attributes: kept.attributes }),
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
