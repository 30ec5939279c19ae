import type { WithoutSystemFields } from "convex/server";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader } from "../_generated/server";
import { bannedPeople } from "./bans";
import type { MeetingEdit } from "./meetingEdit";
import { isClosed } from "./meetingStates";
import { findParticipant, insertParticipants, placesLeft, type NewParticipant } from "./participants";
import { refOf } from "./people";

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

/** Takes people off the waitlist. */
export async function deleteWaiting(edit: MeetingEdit, entries: readonly Waiting[]): Promise<void> {
  await Promise.all(entries.map(({ _id }) => edit.ctx.db.delete("waitlist", _id)));
  countWaiting(edit, -entries.length);
}

/**
 * Gives the places that are left to those who have waited longest. Who may not be added any more loses their turn.
 * To be called whenever places become free, in the same transaction.
 */
export async function promoteWaiting(edit: MeetingEdit): Promise<void> {
  const { ctx, meeting } = edit;
  if ((meeting.waitlistCount ?? 0) === 0 || placesLeft(edit) <= 0 || isClosed(meeting.state)) return;
  const [waiting, banned] = await Promise.all([
    listWaiting(ctx.db, meeting._id),
    bannedPeople(ctx.db, meeting),
  ]);
  const inOrder = waiting.toSorted((one, other) => one._creationTime - other._creationTime);
  const places = placesLeft(edit);
  const promoted: Waiting[] = [];
  const dropped: Waiting[] = [];
  for (let next = 0; next < inOrder.length && promoted.length < places;) {
    const candidates = inOrder.slice(next, next + places - promoted.length);
    next += candidates.length;
    const allowed = await Promise.all(candidates.map((entry) => mayBeAdded(edit, entry, banned)));
    candidates.forEach((entry, index) => (allowed[index] ? promoted : dropped).push(entry));
  }
  if (dropped.length > 0) {
    edit.event(
      "waitlist.removed",
      dropped.map((entry) => ({ subject: entry._id, before: { ...refOf(entry) } })),
    );
  }
  await deleteWaiting(edit, [...promoted, ...dropped]);
  const { changes } = await insertParticipants(
    edit,
    promoted.map((entry) => participantOf(entry, edit)),
  );
  edit.event("waitlist.promoted", changes);
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

function listWaiting(db: DatabaseReader, meetingId: Id<"meetings">): Promise<Waiting[]> {
  return db
    .query("waitlist")
    .withIndex("by_meeting_and_user", (q) => q.eq("meetingId", meetingId))
    .take(MAX_WAITING);
}

function countWaiting(edit: MeetingEdit, difference: number): void {
  if (difference !== 0) edit.set({ waitlistCount: (edit.meeting.waitlistCount ?? 0) + difference });
}
