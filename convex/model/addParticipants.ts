import type { Doc, Id } from "../_generated/dataModel";
import { type ParticipantEntry, type SkipCode, type SkippedEntry, skipReasons } from "../contract/entries";
import type { ErrorCode } from "../contract/errors";
import type { ParticipantData } from "../contract/participantData";
import type { ParticipantRole } from "../contract/participants";
import { requireWritable } from "./attributesSize";
import { bannedPeople } from "./bans";
import { fail } from "./errors";
import type { MeetingEdit } from "./meetingEdit";
import {
  countHosts,
  findParticipants,
  insertParticipants,
  patchParticipants,
  placesLeft,
} from "./participants";
import { findPeople, givenRefOf, namedBy, type Person, type PersonRef, type UnknownEmail } from "./people";
import { deleteWaiting, insertWaiting, MAX_WAITING, waitingPeople } from "./waitlist";

/** What to do about people who are there already, who cannot be added, and for whom there is no place. */
export interface AddPolicy {
  /** `fail`: undo everything and fail, else as the contract says. */
  onExisting: "skip" | "update" | "return" | "fail";
  onInvalid: "perItem" | "failAll";
  onFull: "perItem" | "failAll" | "waitlist";
  /** Whom an address stands for that nobody has: nobody, if absent. */
  unknownEmail?: UnknownEmail;
  /** Says in a failure of the whole where the entry stands that is to blame; nothing, if absent. */
  placeOf?: (index: number) => string;
}

/** What has become of one entry. */
export type ItemOutcome =
  | { kind: "added" | "updated" | "existing"; participantId: Id<"meetingParticipants"> }
  | { kind: "waitlisted"; waitlistId: Id<"waitlist"> }
  | { kind: "skipped"; skipped: SkippedEntry };

type Row = Doc<"meetingParticipants">;

type Known = Exclude<Person, { kind: "unknown" }>;

type Decision =
  | { kind: "insert" | "wait"; person: Known; role: ParticipantRole; entry: ParticipantEntry }
  /** Who has left is invited anew, under the participant id they had. */
  | { kind: "renew" | "update"; person: Known; row: Row; role: ParticipantRole; entry: ParticipantEntry }
  | { kind: "return"; person: Known; row: Row }
  | { kind: "refuse"; code: SkipCode; entry: ParticipantEntry };

const DEFAULT_ROLE: ParticipantRole = "participant";

const refusalErrors: Record<SkipCode, ErrorCode> = {
  user_not_found: "USER_NOT_FOUND",
  guest_not_found: "GUEST_NOT_FOUND",
  user_inactive: "USER_INACTIVE",
  banned: "BANNED",
  duplicate: "ALREADY_PARTICIPANT",
  already_participant: "ALREADY_PARTICIPANT",
  already_waiting: "ALREADY_PARTICIPANT",
  last_host: "LAST_HOST",
  meeting_full: "MEETING_FULL",
  one_on_one_full: "ONE_ON_ONE_FULL",
};

/**
 * Adds people to a meeting: the one core under every way to do so. The caller has been checked to be allowed to, and
 * the meeting to be open.
 *
 * A person who has left is still in the meeting and holds a place, so adding them again renews their row: the same
 * participant id, the role asked for, invited anew.
 *
 * Fails with PAYLOAD_TOO_LARGE, whatever the policy.
 *
 * @param people Whom the entries name, if that has been looked up.
 * @returns what has become of each entry, in the order of the entries.
 */
export async function addParticipants(
  edit: MeetingEdit,
  entries: readonly ParticipantEntry[],
  policy: AddPolicy,
  people?: readonly Person[],
): Promise<ItemOutcome[]> {
  const decisions = await decide(edit, entries, policy, people);
  for (const [index, decision] of decisions.entries()) {
    if (decision.kind === "refuse" && failsAll(decision.code, policy)) {
      const reason = skipReasons[decision.code];
      fail(refusalErrors[decision.code], policy.placeOf ? `${policy.placeOf(index)}: ${reason}` : reason);
    }
  }
  return write(edit, decisions);
}

/** What becomes of each entry, in the order given: earlier ones get the places that are left. */
async function decide(
  edit: MeetingEdit,
  entries: readonly ParticipantEntry[],
  policy: AddPolicy,
  given?: readonly Person[],
): Promise<Decision[]> {
  const { ctx, meeting, tenant } = edit;
  const [people, banned, waiting] = await Promise.all([
    given ?? findPeople(ctx.db, tenant._id, entries, policy.unknownEmail),
    bannedPeople(ctx.db, meeting),
    waitingPeople(ctx.db, meeting),
  ]);
  const rows = await findParticipants(ctx.db, meeting, people.map(givenRefOf));
  let hosts = await hostsThatMatter(edit, rows);
  let places = placesLeft(edit);
  let waitingPlaces = MAX_WAITING - waiting.size;
  const seen = new Set<string>();

  return entries.map((entry, index): Decision => {
    const refuse = (code: SkipCode): Decision => ({ kind: "refuse", code, entry });
    const person = people[index] as Person;
    if (person.kind === "unknown") return refuse(person.code);
    if (person.kind === "user" && !person.user.isActive) return refuse("user_inactive");
    if (banned.has(person.key)) return refuse("banned");
    if (seen.has(person.key)) return refuse("duplicate");
    seen.add(person.key);

    const row = rows[index];
    if (row && row.presence !== "left") {
      if (policy.onExisting === "return") return { kind: "return", person, row };
      if (policy.onExisting !== "update") return refuse("already_participant");
    }
    const isFirstHost = hosts === 0 && !row && tenant.config.firstParticipantIsHost === true;
    const role = entry.role ?? row?.role ?? (isFirstHost ? "host" : DEFAULT_ROLE);
    const hostsAfter = hosts + Number(role === "host") - Number(row?.role === "host");
    if (row?.role === "host" && hostsAfter === 0) return refuse("last_host");
    if (row) {
      hosts = hostsAfter;
      return { kind: row.presence === "left" ? "renew" : "update", person, row, role, entry };
    }
    if (places <= 0) {
      if (policy.onFull === "waitlist" && waiting.has(person.key)) return refuse("already_waiting");
      if (policy.onFull === "waitlist" && waitingPlaces-- > 0) return { kind: "wait", person, role, entry };
      return refuse(meeting.meetingType === "one-on-one" ? "one_on_one_full" : "meeting_full");
    }
    hosts = hostsAfter;
    places -= 1;
    return { kind: "insert", person, role, entry };
  });
}

/** How many hosts there are, where that can make a difference: where a host may become something less, or the first be made. */
async function hostsThatMatter(
  { ctx, meeting, tenant }: MeetingEdit,
  rows: readonly (Row | null)[],
): Promise<number> {
  const touchesHost = rows.some((row) => row?.role === "host");
  if (!touchesHost && tenant.config.firstParticipantIsHost !== true) return 0;
  // No more hosts than there are entries can become something less, so that counting one more is enough.
  return countHosts(ctx.db, meeting._id, rows.length + 1);
}

function failsAll(code: SkipCode, { onExisting, onInvalid, onFull }: AddPolicy): boolean {
  if (code === "already_participant") return onExisting === "fail";
  if (code === "meeting_full" || code === "one_on_one_full") return onFull === "failAll";
  return code !== "already_waiting" && onInvalid === "failAll";
}

/** Carries the decisions out. */
async function write(edit: MeetingEdit, decisions: readonly Decision[]): Promise<ItemOutcome[]> {
  const inserts = ofKind(decisions, "insert");
  const waits = ofKind(decisions, "wait");
  const renewals = ofKind(decisions, "renew");
  const updates = ofKind(decisions, "update");
  requireWritable([
    ...[...inserts, ...waits].map(({ entry }) => ({ after: entry.attributes, before: undefined })),
    ...[...renewals, ...updates].map(({ entry, row }) => ({
      after: entry.attributes,
      before: row.attributes,
    })),
  ]);

  const concerned = [...inserts, ...waits, ...renewals, ...updates, ...ofKind(decisions, "return")];
  const refs = await refsFor(edit, concerned);
  const [{ ids, changes }, renewed, updated, waitlistIds] = await Promise.all([
    insertParticipants(
      edit,
      inserts.map(({ person, role, entry }) => ({
        role,
        ...(refs.get(person) as PersonRef),
        ...dataOf(entry),
        ...(entry.hideHistory && { historyFrom: (edit.meeting.historyCount ?? 0) + 1 }),
      })),
    ),
    patchParticipants(
      edit,
      renewals.map(({ row, role, entry }) => ({
        row,
        fields: { role, presence: "invited" as const, leftAt: undefined, ...dataOf(entry) },
      })),
    ),
    patchParticipants(
      edit,
      updates.map(({ row, role, entry }) => ({ row, fields: { role, ...dataOf(entry) } })),
    ),
    insertWaiting(
      edit,
      waits.map(({ person, role, entry }) => ({
        ...(refs.get(person) as PersonRef),
        role,
        data: dataOf(entry),
        ...(entry.hideHistory && { hideHistory: true }),
      })),
    ),
  ]);
  await leaveWaitlist(edit, inserts);
  edit.event("participants.added", [...changes, ...renewed]);
  edit.event("participants.updated", updated);

  const [nextId, nextWaitlistId] = [ids.values(), waitlistIds.values()];
  return decisions.map((decision): ItemOutcome => {
    switch (decision.kind) {
      case "insert":
        return { kind: "added", participantId: nextId.next().value as Id<"meetingParticipants"> };
      case "renew":
        return { kind: "added", participantId: decision.row._id };
      case "update":
        return { kind: "updated", participantId: decision.row._id };
      case "return":
        return { kind: "existing", participantId: decision.row._id };
      case "wait":
        return { kind: "waitlisted", waitlistId: nextWaitlistId.next().value as Id<"waitlist"> };
      case "refuse":
        return { kind: "skipped", skipped: skippedEntry(decision) };
    }
  });
}

function ofKind<Kind extends Decision["kind"]>(decisions: readonly Decision[], kind: Kind) {
  type Wanted = Decision & { kind: Kind };
  return decisions.filter((decision): decision is Wanted => decision.kind === kind);
}

/** Who gets a place in the ordinary way waits no longer. */
async function leaveWaitlist(
  edit: MeetingEdit,
  inserts: readonly { person: { key: string } }[],
): Promise<void> {
  if (inserts.length === 0 || (edit.meeting.waitlistCount ?? 0) === 0) return;
  const waiting = await waitingPeople(edit.ctx.db, edit.meeting);
  await deleteWaiting(
    edit,
    inserts.flatMap(({ person }) => waiting.get(person.key) ?? []),
  );
}

/** Whom the rows stand for, by the person; a new external id gets its document. */
async function refsFor(
  { ctx: { db } }: MeetingEdit,
  concerned: readonly { person: Known }[],
): Promise<ReadonlyMap<Known, PersonRef>> {
  const refs = new Map<Known, PersonRef>();
  const inserted: Promise<unknown>[] = [];
  for (const { person } of concerned) {
    if (person.kind === "newcomer") {
      const insert = db.insert("guests", person.guest);
      inserted.push(insert.then((guestId) => refs.set(person, { guestId })));
      continue;
    }
    if (person.kind === "user" && person.newGuest) inserted.push(db.insert("guests", person.newGuest));
    refs.set(person, person.ref);
  }
  await Promise.all(inserted);
  return refs;
}

function skippedEntry({ code, entry }: Extract<Decision, { kind: "refuse" }>): SkippedEntry {
  // What is spread comes last, for the reason given in `functions.ts`.
  return { reason: skipReasons[code], code, ...namedBy(entry) };
}

/** What an entry says of the person in this meeting. */
export function dataOf(entry: ParticipantData): ParticipantData {
  const { displayName, nickname, capabilities, attributes, level, department } = entry;
  return {
    ...(displayName !== undefined && { displayName }),
    ...(nickname !== undefined && { nickname }),
    ...(capabilities !== undefined && { capabilities }),
    ...(attributes !== undefined && { attributes }),
    ...(level !== undefined && { level }),
    ...(department !== undefined && { department }),
  };
}
