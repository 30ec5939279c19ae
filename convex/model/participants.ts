import type { WithoutSystemFields } from "convex/server";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader } from "../_generated/server";
import type { EventChange } from "../contract/events";
import { findInPortions, ROWS_AT_ONCE } from "./attributesSize";
import { fail } from "./errors";
import { pick, same } from "./fields";
import type { MeetingEdit, Patch } from "./meetingEdit";
import { keyOf, type PersonRef } from "./people";

type Row = Doc<"meetingParticipants">;

/** A row that is to be: the meeting is added to it. */
export type NewParticipant = PersonRef &
  Omit<WithoutSystemFields<Row>, "meetingId" | "presence" | "userId" | "guestId">;

/** Fields whose change makes tokens die that were issued before: they say what the bearer may do. */
const tokenFields: readonly (keyof Row)[] = ["role", "capabilities", "blockedUntil"];

/** The row of a person in a meeting. */
export function findParticipant(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  { userId, guestId }: PersonRef,
): Promise<Row | null> {
  return db
    .query("meetingParticipants")
    .withIndex("by_meeting_and_user", (q) =>
      // A user's row may hold no guest.
      q.eq("meetingId", meetingId).eq("userId", userId).eq("guestId", guestId),
    )
    .unique();
}

/** The rows of people in a meeting, in the order of the people; `null` for who is not in it, and for nobody. PAYLOAD_TOO_LARGE. */
export async function findParticipants(
  db: DatabaseReader,
  { _id: meetingId, participantCount }: Doc<"meetings">,
  people: readonly (PersonRef | null)[],
): Promise<(Row | null)[]> {
  // A row that is read with all others takes less than half the time of one that is looked up.
  const all = participantCount <= Math.min(ROWS_AT_ONCE, 2 * people.length);
  const found = all
    ? await db
        .query("meetingParticipants")
        .withIndex("by_meeting_and_user", (q) => q.eq("meetingId", meetingId))
        .collect()
    : await findInPortions(
        oneEach(people),
        (ref) => findParticipant(db, meetingId, ref),
        (row) => row,
      );
  const rows = new Map<string, Row>();
  for (const row of found) if (row) rows.set(keyOf(row), row);
  return people.map((ref) => (ref && rows.get(keyOf(ref))) ?? null);
}

/** Each person once. */
function oneEach(people: readonly (PersonRef | null)[]): PersonRef[] {
  const refs = new Map<string, PersonRef>();
  for (const ref of people) if (ref) refs.set(keyOf(ref), ref);
  return [...refs.values()];
}

/** Counts the hosts of a meeting, but no further than `limit`. */
export async function countHosts(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  limit: number,
): Promise<number> {
  const hosts = await db
    .query("meetingParticipants")
    .withIndex("by_meeting_and_role_and_presence", (q) => q.eq("meetingId", meetingId).eq("role", "host"))
    .take(limit);
  return hosts.length;
}

/** The places of a meeting: what it has, or less if its tenant gives less. */
export function placesOf(meeting: Doc<"meetings">, tenant: Doc<"tenants"> | null): number {
  return Math.min(
    meeting.maxParticipants,
    tenant?.config.maxParticipantsPerMeeting ?? meeting.maxParticipants,
  );
}

/** How many places are left. */
export function placesLeft({ meeting, tenant }: MeetingEdit): number {
  return placesOf(meeting, tenant) - meeting.participantCount;
}

/**
 * Gives people who are not in the meeting a row each, and counts them. This and `removeParticipants` are the only
 * places where rows come and go, so that `participantCount` is always their number.
 *
 * @returns the participant ids, and what to say of them in an event.
 */
export async function insertParticipants(
  edit: MeetingEdit,
  people: readonly NewParticipant[],
): Promise<{ ids: Id<"meetingParticipants">[]; changes: EventChange[] }> {
  const { ctx, meeting } = edit;
  if (people.length > 0) {
    edit.set({
      participantCount: meeting.participantCount + people.length,
      version: (meeting.version ?? 0) + 1,
    });
  }
  const ids = await Promise.all(
    people.map((person) =>
      // What is spread comes last, for the reason given in `functions.ts`.
      ctx.db.insert("meetingParticipants", { meetingId: meeting._id, presence: "invited", ...person }),
    ),
  );
  return { ids, changes: ids.map((subject, index) => ({ subject, after: { ...people[index] } })) };
}

/**
 * Changes fields of rows, of which `undefined` removes one. The caller has seen to it that a host is left.
 *
 * @returns what to say of those rows in an event that are not as they were.
 */
export async function patchParticipants(
  edit: MeetingEdit,
  patches: readonly { row: Row; fields: Patch<Row> }[],
): Promise<EventChange[]> {
  if (patches.length === 0) return [];
  const changes = await Promise.all(
    patches.map(async ({ row, fields }): Promise<EventChange[]> => {
      const changed = (Object.keys(fields) as (keyof Row)[]).filter(
        (field) => !same(row[field], fields[field]),
      );
      if (changed.length === 0) return [];
      const dies = changed.some((field) => tokenFields.includes(field));
      if (dies || changed.includes("attributes")) {
        // The media server lets a host manage the room for as long as they stay in it.
        edit.syncMedia(row._id, { evict: row.role === "host" && changed.includes("role") });
      }
      await edit.ctx.db.patch("meetingParticipants", row._id, {
        ...pick(fields, changed),
        ...(dies && { tokenVersion: (row.tokenVersion ?? 0) + 1 }),
      });
      return [{ subject: row._id, before: pick(row, changed), after: pick(fields, changed) }];
    }),
  );
  const made = changes.flat();
  if (made.length > 0) edit.set({ version: (edit.meeting.version ?? 0) + 1 });
  return made;
}

/** Counts the people who are there. An active meeting without any is empty from now on. */
export function countJoined(edit: MeetingEdit, difference: number): void {
  if (difference === 0) return;
  const joinedCount = (edit.meeting.joinedCount ?? 0) + difference;
  edit.set({ joinedCount, emptySince: joinedCount === 0 ? Date.now() : undefined });
}

/** The row of a person of the meeting; PARTICIPANT_NOT_FOUND. */
export async function requireRow(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  givenUserId: string,
): Promise<Row> {
  const userId = db.normalizeId("users", givenUserId);
  const row = userId && (await findParticipant(db, meetingId, { userId }));
  return row || fail("PARTICIPANT_NOT_FOUND", "This person is not in the meeting");
}

/**
 * A meeting keeps a host. LAST_HOST if `leaving` are all there are. Hosts are counted whoever they are: where all that stay are guests
 * or deactivated, who can call nothing, applications of the tenant manage the meeting.
 */
export async function requireOtherHost(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  leaving: readonly Row[],
): Promise<void> {
  if (leaving.length === 0) return;
  if ((await countHosts(db, meetingId, leaving.length + 1)) <= leaving.length) {
    fail("LAST_HOST", "A meeting keeps at least one host");
  }
}
