/** People: how this wire names them, and what it is told of them. */
import type { Doc } from "../../_generated/dataModel";
import type { DatabaseReader } from "../../_generated/server";
import { sends } from "../../contract/capabilities";
import type { ParticipantEntry } from "../../contract/entries";
import { phone as phoneSchema, sip as sipSchema } from "../../contract/guests";
import { email as emailSchema } from "../../contract/users";
import { addParticipants } from "../../model/addParticipants";
import { effectiveCapabilities } from "../../model/capabilities";
import { fail } from "../../model/errors";
import type { MeetingEdit } from "../../model/meetingEdit";
import { findParticipants } from "../../model/participants";
import { findPeople, givenRefOf, keyOf } from "../../model/people";
import { failForSkipped } from "./errors";
import type { Attendee, ConferenceInfo } from "./wire";

type Row = Doc<"meetingParticipants">;

/** How many people of a meeting a list looks at. */
const MAX_LISTED = 3000;

/** What this wire alone says of a person is kept under names of its own among the attributes. */
export const HAND = "huawei.hand";
const attributeNames = {
  type: "huawei.type",
  phone: "huawei.phone",
  phone2: "huawei.phone2",
  phone3: "huawei.phone3",
  sms: "huawei.sms",
  deptUUID: "huawei.deptUUID",
} as const;

const MUTED = { audio: "Receive", video: "SendReceive", content: "SendReceive" } as const;

/** Invites people, or gives those who are there the name and role; nobody if there is one who can't be. */
export async function inviteAttendees(edit: MeetingEdit, attendees: readonly Attendee[]): Promise<void> {
  const entries = await Promise.all(attendees.map((attendee) => entryOf(edit, attendee)));
  const outcomes = await addParticipants(edit, await withKeptAttributes(edit, entries), {
    onExisting: "update",
    onInvalid: "perItem",
    onFull: "failAll",
  });
  for (const outcome of outcomes) {
    // A number that is called twice is called.
    if (outcome.kind === "skipped" && outcome.skipped.code !== "duplicate") {
      failForSkipped(outcome.skipped.code, outcome.skipped.reason);
    }
  }
}

async function entryOf(edit: MeetingEdit, attendee: Attendee): Promise<ParticipantEntry> {
  const { name, role, phone, deptName, isMute } = attendee;
  const own = Object.entries(attributeNames).flatMap(([field, attribute]) => {
    const value = attendee[field as keyof typeof attributeNames];
    return value === undefined || value === "" ? [] : [[attribute, value] as const];
  });
  return {
    ...(await namingOf(edit, attendee)),
    displayName: name,
    ...(role !== undefined && { role: role === 1 ? ("host" as const) : ("participant" as const) }),
    ...(phoneSchema.safeParse(phone).success && { phone: phone as string }),
    ...(sipSchema.safeParse(phone).success && { sip: phone as string }),
    ...(deptName && { department: deptName }),
    ...(isMute === 1 && { capabilities: MUTED }),
    ...(own.length > 0 && { attributes: Object.fromEntries(own) }),
  };
}

/** By whom an attendee is meant: an account, or else a number or an address that does for one. */
async function namingOf(
  { ctx, tenant }: MeetingEdit,
  { accountId, userUUID, phone, email, sms }: Attendee,
): Promise<Pick<ParticipantEntry, "userId" | "guestId" | "externalId" | "email">> {
  const address = emailSchema.safeParse(email).data;
  const account = accountId || userUUID;
  if (account)
    return { ...personOfId(ctx.db, account), ...(address && !isOurs(ctx.db, account) && { email: address }) };
  if (phone) return { externalId: phone, ...(address && { email: address }) };
  if (!email) return { externalId: sms as string };
  const [person] = address ? await findPeople(ctx.db, tenant._id, [{ email: address }]) : [];
  if (person && person.kind !== "unknown") return { email: address as string };
  return { externalId: email, ...(address && { email: address }) };
}

/** An id that this wire was told is one of ours; any other is the application's own. */
function personOfId(db: DatabaseReader, given: string) {
  const userId = db.normalizeId("users", given);
  if (userId) return { userId };
  const guestId = db.normalizeId("guests", given);
  return guestId ? { guestId } : { externalId: given };
}

function isOurs(db: DatabaseReader, given: string): boolean {
  return !("externalId" in personOfId(db, given));
}

/** Attributes are given as a whole: those that others have given to people who are there already are kept. */
async function withKeptAttributes(
  { ctx, meeting, tenant }: MeetingEdit,
  entries: readonly ParticipantEntry[],
): Promise<ParticipantEntry[]> {
  const withAttributes = entries.filter(({ attributes }) => attributes !== undefined);
  const people = await findPeople(ctx.db, tenant._id, withAttributes);
  const rows = await findParticipants(ctx.db, meeting, people.map(givenRefOf));
  const kept = new Map(withAttributes.map((entry, index) => [entry, rows[index]?.attributes]));
  return entries.map((entry) =>
    entry.attributes === undefined
      ? entry
      : { ...entry, attributes: { ...kept.get(entry), ...entry.attributes } },
  );
}

/** A person in a meeting as this wire shows them. */
export interface Shown {
  row: Row;
  name: string;
  accountId: string;
  userUUID: string;
  phone: string;
  email: string;
}

/** People of a meeting, those who have left too. */
export function rowsOf(db: DatabaseReader, { _id }: Doc<"meetings">): Promise<Row[]> {
  return db
    .query("meetingParticipants")
    .withIndex("by_meeting_and_user", (q) => q.eq("meetingId", _id))
    .take(MAX_LISTED);
}

/** All people of a meeting to whom something is to be done at once; INVALID_ARGUMENT if they are too many for that. */
export async function allRowsOf({ ctx, meeting }: MeetingEdit): Promise<Row[]> {
  if (meeting.participantCount > MAX_LISTED) {
    fail("INVALID_ARGUMENT", `Only for meetings of up to ${MAX_LISTED} people`);
  }
  return rowsOf(ctx.db, meeting);
}

/** People with what is known of them. */
export function show(db: DatabaseReader, rows: readonly Row[]): Promise<Shown[]> {
  return Promise.all(
    rows.map(async (row) => {
      const { userId, guestId } = row;
      const [user, guest] = await Promise.all([
        userId && db.get("users", userId),
        guestId && db.get("guests", guestId),
      ]);
      const userUUID = keyOf(row);
      const accountId = guest?.externalId ?? userUUID;
      return {
        row,
        name: row.displayName ?? user?.displayName ?? guest?.displayName ?? "",
        accountId,
        userUUID,
        phone: numberOf(row, guest),
        email: guest?.email ?? "",
      };
    }),
  );
}

/** The number of somebody as this wire was told it, or else what the guest is called by. */
function numberOf(row: Row, guest: Doc<"guests"> | null | undefined): string {
  return row.attributes?.[attributeNames.phone] ?? guest?.phone ?? guest?.sip ?? guest?.externalId ?? "";
}

/** The same for whom no more is wanted. Guests are looked up only if this wire was told nothing, as a meeting may have thousands. */
async function findNumber(db: DatabaseReader, row: Row): Promise<string> {
  const isTold = row.attributes?.[attributeNames.phone] !== undefined;
  return numberOf(row, isTold || !row.guestId ? null : await db.get("guests", row.guestId));
}

/** A page of those whose name or number holds `searchKey`, and how many there are in all. */
export async function pageOfPeople(
  db: DatabaseReader,
  rows: readonly Row[],
  { offset, limit, searchKey = "" }: { offset: number; limit: number; searchKey?: string | undefined },
): Promise<{ people: Shown[]; count: number }> {
  if (searchKey === "") {
    return { people: await show(db, rows.slice(offset, offset + limit)), count: rows.length };
  }
  const wanted = searchKey.toLowerCase();
  const found = (await show(db, rows)).filter(({ name, phone, accountId }) =>
    [name, phone, accountId].some((text) => text.toLowerCase().includes(wanted)),
  );
  return { people: found.slice(offset, offset + limit), count: found.length };
}

/** The rows of people named by the number or account of an attendee, in their order; null for nobody in the meeting. */
export async function findByNumbers(
  { ctx, meeting, tenant }: MeetingEdit,
  numbers: readonly string[],
): Promise<(Row | null)[]> {
  const named = await findPeople(
    ctx.db,
    tenant._id,
    numbers.map((number) => personOfId(ctx.db, number)),
  );
  const rows = await findParticipants(ctx.db, meeting, named.map(givenRefOf));
  if (!rows.includes(null)) return rows;
  const everybody = await rowsOf(ctx.db, meeting);
  const theirs = await Promise.all(everybody.map((row) => findNumber(ctx.db, row)));
  const byNumber = new Map(everybody.map((row, index) => [theirs[index], row] as const).toReversed());
  return rows.map((row, index) => row ?? byNumber.get(numbers[index]) ?? null);
}

export function isMuted(row: Row): boolean {
  return !sends(effectiveCapabilities(row, Date.now()).audio);
}

function roleOf({ role }: Row): 0 | 1 {
  return role === "host" ? 1 : 0;
}

export function participantInfo({ row, name, accountId, userUUID, phone, email }: Shown) {
  const { attributes = {} } = row;
  return {
    participantID: row._id,
    name,
    subscriberID: phone,
    role: roleOf(row),
    // The vendor says nothing else here of anybody.
    state: "MEETING",
    attendeeType: attributes[attributeNames.type] ?? "normal",
    accountId,
    userUUID,
    email,
    sms: attributes[attributeNames.sms] ?? "",
    phone2: attributes[attributeNames.phone2] ?? "",
    phone3: attributes[attributeNames.phone3] ?? "",
    deptName: row.department ?? "",
  };
}

export function onlineAttendee({ row, name, accountId, userUUID, phone }: Shown) {
  return {
    participant_id: row._id,
    name,
    call_number: phone,
    role: roleOf(row),
    third_account: "",
    account: accountId,
    user_id: userUUID,
  };
}

/** The people of a new meeting, as its maker is told of them. */
export function partAttendees(
  attendees: readonly Attendee[],
): NonNullable<ConferenceInfo["partAttendeeInfo"]> {
  return attendees.map(({ name, phone = "", type = "normal", role = 0 }) => ({ name, phone, type, role }));
}
