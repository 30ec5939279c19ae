/** People to whom something is to be done, as a request names them. */
import type { Doc, Id } from "../_generated/dataModel";
import {
  type ChangeSkipCode,
  changeSkipReasons,
  type PersonName,
  type SkippedPerson,
} from "../contract/personNames";
import { findInPortions } from "./attributesSize";
import type { MeetingEdit } from "./meetingEdit";
import { countHosts, findParticipant } from "./participants";
import { findPeople, keyOf, type Person, type PersonRef, refOf } from "./people";

type Row = Doc<"meetingParticipants">;

/** Somebody who is known, and their row if they are in the meeting. */
export interface Named {
  kind: "known";
  ref: PersonRef;
  /** The same for every way to name the same person. */
  key: string;
  row: Row | null;
}

/** Nobody to whom anything can be done, and why. */
export interface Skipped {
  kind: "skipped";
  skipped: SkippedPerson;
}

/** Lists in which a request names people. */
export interface NameLists {
  participantIds?: Id<"meetingParticipants">[];
  userIds?: Id<"users">[];
  guestIds?: Id<"guests">[];
  externalIds?: string[];
  emails?: string[];
}

/** The names in the lists, one list after the other. */
export function namesOf(lists: NameLists): PersonName[] {
  const { participantIds = [], userIds = [], guestIds = [], externalIds = [], emails = [] } = lists;
  return [
    ...participantIds.map((participantId) => ({ participantId })),
    ...userIds.map((userId) => ({ userId })),
    ...guestIds.map((guestId) => ({ guestId })),
    ...externalIds.map((externalId) => ({ externalId })),
    ...emails.map((email) => ({ email })),
  ];
}

/** Whom the names stand for, in their order; who is named twice is skipped the second time. PAYLOAD_TOO_LARGE. */
export async function findNamed(
  edit: MeetingEdit,
  names: readonly PersonName[],
): Promise<(Named | Skipped)[]> {
  const people = findPeople(edit.ctx.db, edit.tenant._id, names);
  const found = await findInPortions(
    names,
    async (name, index) =>
      name.participantId === undefined
        ? findOne(edit, name, (await people)[index] as Person)
        : findByParticipantId(edit, name, name.participantId),
    (one) => (one.kind === "known" ? one.row : null),
  );
  const seen = new Set<string>();
  return found.map((one, index) => {
    if (one.kind === "skipped") return one;
    if (seen.has(one.key)) return skip(names[index] as PersonName, "duplicate");
    seen.add(one.key);
    return one;
  });
}

/** Those of the people found who are in the meeting; the others are skipped. */
export function onlyParticipants(
  names: readonly PersonName[],
  found: readonly (Named | Skipped)[],
): ((Named & { row: Row }) | Skipped)[] {
  return found.map((one, index) => {
    if (one.kind === "skipped") {
      const isUnknown = one.skipped.code === "user_not_found" || one.skipped.code === "guest_not_found";
      return isUnknown ? skip(names[index] as PersonName, "participant_not_found") : one;
    }
    const { row } = one;
    return row ? { ...one, row } : skip(names[index] as PersonName, "participant_not_found");
  });
}

/**
 * Skips the last host of the meeting, so that one is left when all the others of the people found have gone; of several hosts
 * the one who is named last.
 */
export async function spareLastHost<One extends Named>(
  { ctx, meeting }: MeetingEdit,
  names: readonly PersonName[],
  found: readonly (One | Skipped)[],
): Promise<(One | Skipped)[]> {
  const isHost = (one: One | Skipped) => one.kind === "known" && one.row?.role === "host";
  const leaving = found.filter(isHost).length;
  if (leaving === 0 || (await countHosts(ctx.db, meeting._id, leaving + 1)) > leaving) return [...found];
  const last = found.findLastIndex(isHost);
  return found.with(last, skip(names[last] as PersonName, "last_host"));
}

/** Those of the people found who are not skipped. */
export function known<One extends Named>(found: readonly (One | Skipped)[]): One[] {
  return found.filter((one) => one.kind === "known");
}

/** What a request is told of somebody to whom nothing was done. */
export function skip(name: Omit<SkippedPerson, "reason" | "code">, code: ChangeSkipCode): Skipped {
  return { kind: "skipped", skipped: { ...name, reason: changeSkipReasons[code], code } };
}

/** What a request is told of all to whom nothing was done. */
export function skippedOf(
  outcomes: readonly (Skipped | { kind: Exclude<string, "skipped">; skipped?: never })[],
): SkippedPerson[] {
  return outcomes.flatMap(({ skipped }) => skipped ?? []);
}

async function findOne(
  { ctx, meeting }: MeetingEdit,
  name: PersonName,
  person: Person,
): Promise<Named | Skipped> {
  if (person.kind === "unknown") return skip(name, person.code);
  if (person.kind === "newcomer") return skip(name, "guest_not_found");
  const { key, ref } = person;
  return { kind: "known", key, ref, row: await findParticipant(ctx.db, meeting._id, ref) };
}

async function findByParticipantId(
  { ctx, meeting }: MeetingEdit,
  name: PersonName,
  given: string,
): Promise<Named | Skipped> {
  const participantId = ctx.db.normalizeId("meetingParticipants", given);
  const row = participantId && (await ctx.db.get("meetingParticipants", participantId));
  if (row?.meetingId !== meeting._id) return skip(name, "participant_not_found");
  return { kind: "known", key: keyOf(row), ref: refOf(row), row };
}
