/** What this wire calls conversations and people. */
import type { Doc, Id } from "../../_generated/dataModel";
import type { ParticipantEntry } from "../../contract/entries";
import { openAsTenant, requireOwnMeeting } from "../../model/access";
import { ensureAliases, findSubject, makeNumber } from "../../model/aliases";
import type { MeetingEdit } from "../../model/meetingEdit";
import type { MeetingAction } from "../../model/meetingStates";
import { findParticipants } from "../../model/participants";
import {
  findGuestOfUser,
  findGuestsOfUser,
  findPeople,
  givenRefOf,
  type PersonRef,
} from "../../model/people";
import type { VolcengineCtx } from "./context";
import { refuse } from "./errors";
import { long } from "./wire";

const CONVERSATION = "volc.conversation";
/** Of people who have no external id, or one that is no number. */
const USER = "volc.user";

/** JavaScript's clients read numbers of up to 15 digits without loss. */
const DIGITS = 15;

/** Numbers that are made for people are of these alone, so that the numbers of applications hardly ever have to be looked up. */
const MADE_NUMBER = /^9\d{14}$/;

const makeUserNumber = () => `9${String(Math.floor(Math.random() * 1e14)).padStart(14, "0")}`;

type Row = Doc<"meetingParticipants">;

/** A person as a request names them: by a number or, in the fields that end in `Str`, by a text, which counts if both are there. */
export interface PersonId {
  id?: string | undefined;
  str?: string | undefined;
}

/** A person as answers name them: everybody has a number, and whose external id is another text has that too. */
export interface PersonName {
  id: bigint;
  str?: string;
}

/** The ConversationShortIds of meetings, in their order. */
export async function conversationIdsOf(
  ctx: VolcengineCtx,
  meetings: readonly Doc<"meetings">[],
): Promise<bigint[]> {
  const subjects = meetings.map(({ _id }) => _id);
  const aliases = await ensureAliases(ctx, kind(ctx, CONVERSATION), subjects, () => makeNumber(DIGITS));
  return aliases.map(BigInt);
}

/** The meeting of a ConversationShortId; null if there is none. */
export async function findConversation(ctx: VolcengineCtx, id: string): Promise<Doc<"meetings"> | null> {
  const subject = await findSubject(ctx.db, kind(ctx, CONVERSATION), id);
  const meetingId = subject === null ? null : ctx.db.normalizeId("meetings", subject);
  return meetingId && ctx.db.get("meetings", meetingId);
}

/** The meeting of a ConversationShortId; MEETING_NOT_FOUND. */
export async function requireConversation(ctx: VolcengineCtx, id: string): Promise<Doc<"meetings">> {
  const subject = await findSubject(ctx.db, kind(ctx, CONVERSATION), id);
  return requireOwnMeeting(ctx.db, ctx.principal.tenantId, subject);
}

/** The meeting of a ConversationShortId for changes; MEETING_NOT_FOUND, or what its state forbids. */
export async function openConversation(
  ctx: VolcengineCtx,
  id: string,
  action: MeetingAction,
): Promise<MeetingEdit> {
  return openAsTenant(ctx, ctx.principal, await findSubject(ctx.db, kind(ctx, CONVERSATION), id), action);
}

/** The person whom a field of a request names, or the field beside it that ends in `Str`; MissingParameter. */
export function requirePerson(id: string | undefined, str: string | undefined, field: string): PersonId {
  if (id === undefined && str === undefined) {
    refuse("MissingParameter", `The request is missing ${field} parameter.`);
  }
  return { id, str };
}

/** How the core is told of a person. */
export async function namedBy(
  ctx: VolcengineCtx,
  { id = "", str }: PersonId,
): Promise<Pick<ParticipantEntry, "userId" | "guestId" | "externalId">> {
  if (str !== undefined) return { externalId: str };
  if (!MADE_NUMBER.test(id)) return { externalId: id };
  const subject = await findSubject(ctx.db, kind(ctx, USER), id);
  if (subject === null) return { externalId: id };
  const userId = ctx.db.normalizeId("users", subject);
  if (userId) return { userId };
  const guestId = ctx.db.normalizeId("guests", subject);
  return guestId ? { guestId } : { externalId: id };
}

/** Whom the ids stand for, in their order; null for those of whom nothing is known. */
export async function findRefs(ctx: VolcengineCtx, ids: readonly PersonId[]): Promise<(PersonRef | null)[]> {
  const named = await Promise.all(ids.map((id) => namedBy(ctx, id)));
  const people = await findPeople(ctx.db, ctx.principal.tenantId, named);
  return people.map(givenRefOf);
}

/** The members of a conversation whom the ids name, in their order; null for those who are not in it. */
export async function findMembers(
  ctx: VolcengineCtx,
  meeting: Doc<"meetings">,
  ids: readonly PersonId[],
): Promise<(Row | null)[]> {
  return findParticipants(ctx.db, meeting, await findRefs(ctx, ids));
}

/** The names of people, in their order: by either of them the same person is found again. */
export async function namesOf(
  ctx: VolcengineCtx,
  refs: readonly { userId?: Id<"users">; guestId?: Id<"guests"> }[],
): Promise<PersonName[]> {
  const externalIds = await Promise.all(refs.map((ref) => externalIdOf(ctx, ref)));
  const unnumbered = refs.flatMap(({ userId, guestId = "" }, index) =>
    isNumber(externalIds[index]) ? [] : [userId ?? guestId],
  );
  // So many are possible that none will be an external id by chance.
  const made = await ensureAliases(ctx, kind(ctx, USER), unnumbered, makeUserNumber);
  const numbers = made.values();
  return externalIds.map((externalId): PersonName => {
    if (isNumber(externalId)) return { id: BigInt(externalId) };
    const id = BigInt(numbers.next().value as string);
    return externalId === undefined ? { id } : { id, str: externalId };
  });
}

/** All by which a person can be named: a user may have several external ids. */
export async function everyNameOf(ctx: VolcengineCtx, { id, str }: PersonName): Promise<string[]> {
  const [ref = null] = await findRefs(ctx, [{ id: String(id), str }]);
  const guests = ref?.userId ? await findGuestsOfUser(ctx.db, ctx.principal.tenantId, ref.userId) : [];
  return [String(id), str, ...guests.map(({ externalId }) => externalId)].filter((one) => one !== undefined);
}

/** Does a text name a person as a number does? Zeros before it, and what 64 bits do not hold, make it another name. */
function isNumber(externalId: string | undefined): externalId is string {
  if (externalId === undefined) return false;
  const number = long.safeParse(externalId);
  return number.success && number.data === externalId && !externalId.startsWith("-") && externalId !== "0";
}

async function externalIdOf(
  { db, principal }: VolcengineCtx,
  { userId, guestId }: { userId?: Id<"users">; guestId?: Id<"guests"> },
): Promise<string | undefined> {
  const guest = guestId
    ? await db.get("guests", guestId)
    : userId && (await findGuestOfUser(db, principal.tenantId, userId));
  return (guest || undefined)?.externalId;
}

function kind({ principal: { tenantId } }: VolcengineCtx, kind: string) {
  return { tenantId, kind };
}
