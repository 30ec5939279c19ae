/** The members of conversations. */
import type { Doc, Id } from "../../_generated/dataModel";
import type { ParticipantEntry } from "../../contract/entries";
import type { ParticipantChange } from "../../contract/participantChanges";
import type { ParticipantRole } from "../../contract/participants";
import { addParticipants } from "../../model/addParticipants";
import type { MeetingEdit } from "../../model/meetingEdit";
import { setReadIndex } from "../../model/history";
import { patchParticipants } from "../../model/participants";
import { removeSeveral } from "../../model/removeByRequest";
import { updateSeveral } from "../../model/updateParticipants";
import type { Result, VolcengineCtx } from "./context";
import { asPersonId, findOwner, keyOf, LIVE, seconds, typeOf } from "./conversations";
import { refuse } from "./errors";
import {
  findMembers,
  findRefs,
  namedBy,
  namesOf,
  openConversation,
  type PersonId,
  type PersonName,
  requireConversation,
  requirePerson,
} from "./names";
import type { MemberToAdd, MemberToModify, RequestOf, Role } from "./shapes";

type Row = Doc<"meetingParticipants">;

/** A page is sorted by the time of entry, for which all members are read. */
const MAX_SCANNED = 16_000;

const MEMBER = 0;
const OWNER = 1;
const MANAGER = 2;

/** BatchAddConversationParticipant. Who is there already is overwritten; the owner stays the owner. */
export async function batchAddParticipants(
  ctx: VolcengineCtx,
  request: RequestOf<"BatchAddConversationParticipant">,
): Promise<Result> {
  requirePerson(request.Operator, request.OperatorStr, "Operator");
  const items = lastOfEach(request.ParticipantInfos.map(withPerson));
  const edit = await openGroup(ctx, request.ConversationShortId);
  const named = await Promise.all(items.map(({ person }) => namedBy(ctx, person)));
  const isOwner = await ownerTest(ctx, edit);
  const allowed = await Promise.all(
    items.map(async ({ person, info }) => mayBe(person) && (info.Role !== OWNER || (await isOwner(person)))),
  );
  const wanted = items.map((_, index) => index).filter((index) => allowed[index]);
  const entries = await Promise.all(
    wanted.map(async (index): Promise<ParticipantEntry> => {
      const { person, info } = items[index] as Item<MemberToAdd>;
      return {
        ...(named[index] as ParticipantEntry),
        role: (await isOwner(person)) ? "host" : roleOf(info.Role),
        ...dataOf(info),
        ...(request.Barrier === true && { hideHistory: true }),
      };
    }),
  );
  const outcomes = await addParticipants(edit, entries, {
    onExisting: "update",
    onInvalid: "perItem",
    onFull: "perItem",
  });
  const added = outcomes.map((outcome) => ("participantId" in outcome ? outcome.participantId : null));
  await noteReadIndexes(
    edit,
    wanted.map((index) => (items[index] as Item<MemberToAdd>).info.ReadIndex),
    added,
  );
  await edit.save();
  const failed = new Set(wanted.filter((_, at) => added[at] === null));
  return failedUsers(
    items.flatMap(({ person }, index) => (!allowed[index] || failed.has(index) ? [person] : [])),
  );
}

/** Notes how far newcomers have read; it goes forward only. */
async function noteReadIndexes(
  edit: MeetingEdit,
  readIndexes: readonly (number | undefined)[],
  added: readonly (Id<"meetingParticipants"> | null)[],
): Promise<void> {
  await Promise.all(
    readIndexes.map(async (readIndex = 0, index) => {
      const participantId = added[index];
      if (readIndex === 0 || !participantId) return;
      const row = (await edit.ctx.db.get("meetingParticipants", participantId)) as Row;
      if (readIndex > (row.readIndex ?? 0)) await setReadIndex(edit, row, readIndex);
    }),
  );
}

/** BatchModifyConversationParticipant. The owner stays the owner. */
export async function batchModifyParticipants(
  ctx: VolcengineCtx,
  request: RequestOf<"BatchModifyConversationParticipant">,
): Promise<Result> {
  requirePerson(request.Operator, request.OperatorStr, "Operator");
  const items = lastOfEach(request.ParticipantInfos.map(withPerson));
  const edit = await openConversation(ctx, request.ConversationShortId, "change");
  const isOwner = await ownerTest(ctx, edit);
  const changes = await Promise.all(
    items.map(async ({ person, info }): Promise<ParticipantChange | null> => {
      const owns = await isOwner(person);
      if (info.Role === OWNER && !owns) return null;
      const role = owns ? "host" : roleOf(info.Role);
      return {
        ...(await namedBy(ctx, person)),
        ...(info.Role !== undefined && { role }),
        ...dataOf(info),
        ...blockOf(info),
      };
    }),
  );
  const { skipped } = await updateSeveral(
    edit,
    changes.filter((change) => change !== null),
  );
  await edit.save();
  const unchanged = new Set(skipped.map(nameKey));
  return failedUsers(
    items.flatMap(({ person }, index) => {
      const change = changes[index];
      return !change || unchanged.has(nameKey(change)) ? [person] : [];
    }),
  );
}

/** BatchDeleteConversationParticipant. The last host stays. */
export async function batchDeleteParticipants(
  ctx: VolcengineCtx,
  request: RequestOf<"BatchDeleteConversationParticipant">,
): Promise<Result> {
  requirePerson(request.Operator, request.OperatorStr, "Operator");
  const people = peopleOf(request.ParticipantUserIds, request.ParticipantUserIdsStr, "ParticipantUserIds");
  const edit = await openGroup(ctx, request.ConversationShortId);
  const named = await Promise.all(people.map((person) => namedBy(ctx, person)));
  const { skipped } = await removeSeveral(edit, named);
  await edit.save();
  const stay = new Set(skipped.filter(({ code }) => code !== "duplicate").map(nameKey));
  return failedUsers(people.filter((_, index) => stay.has(nameKey(named[index] ?? {}))));
}

/** BatchGetConversationParticipant. Who is not in the conversation is left out. */
export async function batchGetParticipants(
  ctx: VolcengineCtx,
  request: RequestOf<"BatchGetConversationParticipant">,
): Promise<Result> {
  const people = peopleOf(request.ParticipantUserIds, request.ParticipantUserIdsStr, "ParticipantUserIds");
  const meeting = await requireConversation(ctx, request.ConversationShortId);
  const rows = await findMembers(ctx, meeting._id, people);
  const found = [...new Map(rows.flatMap((row) => (row ? [[row._id, row] as const] : []))).values()];
  return { Participants: await describeMembers(ctx, request.ConversationShortId, found) };
}

/**
 * ScanConversationParticipantList: members in the order of their entry. Of live groups it lists owner and managers, or, if those
 * are wanted who are there now, them, the last to come first.
 */
export async function scanParticipants(
  ctx: VolcengineCtx,
  request: RequestOf<"ScanConversationParticipantList">,
): Promise<Result> {
  const { ConversationShortId, Cursor, Limit, OnlyUserIds = false } = request;
  const meeting = await requireConversation(ctx, ConversationShortId);
  const rows = await listedRows(ctx, meeting, request);
  const page = rows.slice(Cursor, Cursor + Limit);
  const HasMore = rows.length > Cursor + Limit;
  const names = OnlyUserIds && !request.ScanOnlineParticipant ? await namesOf(ctx, page) : null;
  return {
    HasMore,
    NextCursor: HasMore ? Cursor + Limit : -1,
    Participants: names
      ? names.map(nameFields)
      : (await describeMembers(ctx, ConversationShortId, page)).map((member) => ({
          ...member,
          AvatarUrl: "",
        })),
  };
}

async function listedRows(
  { db }: VolcengineCtx,
  meeting: Doc<"meetings">,
  { ScanOnlineParticipant = false, Reverse = false, MarkType }: RequestOf<"ScanConversationParticipantList">,
): Promise<Row[]> {
  const isLive = typeOf(meeting) === LIVE;
  // Nobody has marks here.
  if (MarkType !== undefined || (ScanOnlineParticipant && !isLive)) return [];
  if (ScanOnlineParticipant) {
    const online = await db
      .query("meetingParticipants")
      .withIndex("by_meeting_and_presence", (q) => q.eq("meetingId", meeting._id).eq("presence", "joined"))
      .take(MAX_SCANNED);
    return online.toSorted((one, other) => (other.joinedAt ?? 0) - (one.joinedAt ?? 0));
  }
  const rows = isLive
    ? (await Promise.all([rowsOf(db, meeting._id, "host"), rowsOf(db, meeting._id, "co-host")])).flat()
    : await allRows(db, meeting);
  const inOrder = rows.toSorted((one, other) => one._creationTime - other._creationTime);
  return Reverse ? inOrder.toReversed() : inOrder;
}

function rowsOf(db: VolcengineCtx["db"], meetingId: Id<"meetings">, role: ParticipantRole): Promise<Row[]> {
  return db
    .query("meetingParticipants")
    .withIndex("by_meeting_and_role_and_presence", (q) => q.eq("meetingId", meetingId).eq("role", role))
    .take(MAX_SCANNED);
}

function allRows(db: VolcengineCtx["db"], meeting: Doc<"meetings">): Promise<Row[]> {
  if (meeting.participantCount > MAX_SCANNED) {
    refuse(
      "InvalidParameter.SizeOverLimit",
      `Conversations of more than ${MAX_SCANNED} members are not listed`,
    );
  }
  return db
    .query("meetingParticipants")
    .withIndex("by_meeting_and_user", (q) => q.eq("meetingId", meeting._id))
    .collect();
}

/** IsUserInConversation. Who has left is not. */
export async function isUserInConversation(
  ctx: VolcengineCtx,
  request: RequestOf<"IsUserInConversation">,
): Promise<Result> {
  const person = requirePerson(request.ParticipantUserId, request.ParticipantUserIdStr, "ParticipantUserId");
  const meeting = await requireConversation(ctx, request.ConversationShortId);
  const [row = null] = await findMembers(ctx, meeting._id, [person]);
  return { IsUserInConversation: row !== null && row.presence !== "left" };
}

/** GetParticipantReadIndex, of those who have read something. */
export async function getReadIndexes(
  ctx: VolcengineCtx,
  { ConversationShortId }: RequestOf<"GetParticipantReadIndex">,
): Promise<Result> {
  const rows = await allRows(ctx.db, await requireConversation(ctx, ConversationShortId));
  const readers = rows.filter(({ readIndex = 0 }) => readIndex > 0);
  const names = await namesOf(ctx, readers);
  return {
    ReadIndexes: names.map((name, index) => ({ ...nameFields(name), ReadIndex: readers[index]?.readIndex })),
  };
}

/** ModifyParticipantReadIndex, which goes forward only. */
export async function modifyReadIndex(
  ctx: VolcengineCtx,
  request: RequestOf<"ModifyParticipantReadIndex">,
): Promise<Result> {
  const person = requirePerson(request.ParticipantUserId, request.ParticipantUserIdStr, "ParticipantUserId");
  const edit = await openConversation(ctx, request.ConversationShortId, "change");
  const [row = null] = await findMembers(ctx, edit.meeting._id, [person]);
  if (!row) refuse("InvalidParameter.NotExistParticipant", "ParticipantUserId is not in the conversation");
  if (request.ReadIndex <= (row.readIndex ?? 0)) {
    refuse("InvalidParameter", `ReadIndex: Must be greater than ${row.readIndex ?? 0}, which it is now`);
  }
  await setReadIndex(edit, row, request.ReadIndex);
  await edit.save();
  return undefined;
}

/** BatchAddManager. The owner, and who is not a member, cannot be made one. */
export function batchAddManagers(ctx: VolcengineCtx, request: RequestOf<"BatchAddManager">): Promise<Result> {
  return changeManagers(ctx, request, (role) => (role === "host" ? null : "co-host"));
}

/** BatchRemoveManager: managers become ordinary members. */
export function batchRemoveManagers(
  ctx: VolcengineCtx,
  request: RequestOf<"BatchRemoveManager">,
): Promise<Result> {
  return changeManagers(ctx, request, (role) => (role === "co-host" ? "participant" : null));
}

async function changeManagers(
  ctx: VolcengineCtx,
  request: RequestOf<"BatchAddManager" | "BatchRemoveManager">,
  nextRole: (role: ParticipantRole) => ParticipantRole | null,
): Promise<Result> {
  requirePerson(request.Operator, request.OperatorStr, "Operator");
  const people = peopleOf(request.ManagerUserIds, request.ManagerUserIdsStr, "ManagerUserIds");
  const edit = await openLive(ctx, request.ConversationShortId);
  const rows = await findMembers(ctx, edit.meeting._id, people);
  const roles = rows.map((row) => row && nextRole(row.role));
  const patches = new Map(
    rows.flatMap((row, index) => {
      const role = roles[index];
      return row && role ? [[row._id, { row, fields: { role } }] as const] : [];
    }),
  );
  edit.event("participants.updated", await patchParticipants(edit, [...patches.values()]));
  await edit.save();
  const failed = people.filter((_, index) => !roles[index]);
  return failedAs("FailedManagerUserIds", failed);
}

/** A live group for changes. */
export async function openLive(ctx: VolcengineCtx, id: string): Promise<MeetingEdit> {
  const edit = await openConversation(ctx, id, "change");
  if (typeOf(edit.meeting) !== LIVE) {
    refuse("InvalidParameter.IllegalConversationType", "The conversation is not a live group");
  }
  return edit;
}

async function openGroup(ctx: VolcengineCtx, id: string): Promise<MeetingEdit> {
  const edit = await openConversation(ctx, id, "change");
  if (edit.meeting.meetingType === "one-on-one") {
    refuse(
      "InvalidParameter.IllegalConversationType",
      "The members of a one-to-one conversation stay as they are",
    );
  }
  return edit;
}

/** Tells whether a conversation is a person's, who may be named in any way and need not be a member. */
async function ownerTest(
  ctx: VolcengineCtx,
  { meeting }: MeetingEdit,
): Promise<(person: PersonId) => Promise<boolean>> {
  const owner = await findOwner(ctx, meeting);
  if (!owner) return async () => false;
  const [ownerRef = null] = await findRefs(ctx, [asPersonId(owner)]);
  const ownerNames = new Set([`id:${owner.id}`, ...(owner.str === undefined ? [] : [`str:${owner.str}`])]);
  return async (person) => {
    if (ownerNames.has(personKey(person))) return true;
    // Whose name is a text has a number too.
    if (!ownerRef || (person.str === undefined) === (owner.str === undefined)) return false;
    const [ref = null] = await findRefs(ctx, [person]);
    return ref !== null && keyOf(ref) === keyOf(ownerRef);
  };
}

interface Item<Info> {
  person: PersonId;
  info: Info;
}

function withPerson<Info extends MemberToAdd | MemberToModify>(info: Info): Item<Info> {
  const { ParticipantUserId, ParticipantUserIdStr } = info;
  return { person: requirePerson(ParticipantUserId, ParticipantUserIdStr, "ParticipantUserId"), info };
}

/** Who is named more than once is overwritten by what comes later. */
function lastOfEach<Info extends object>(items: readonly Item<Info>[]): Item<Info>[] {
  const byPerson = new Map<string, Item<Info>>();
  for (const { person, info } of items) {
    const before = byPerson.get(personKey(person))?.info;
    byPerson.set(personKey(person), { person, info: { ...before, ...info } });
  }
  return [...byPerson.values()];
}

/** The people whom two fields of a request name, each once; MissingParameter. */
export function peopleOf(
  ids: readonly string[] | undefined,
  strs: readonly string[] | undefined,
  field: string,
): PersonId[] {
  if (ids === undefined && strs === undefined) {
    refuse("MissingParameter", `The request is missing ${field} parameter.`);
  }
  const people = strs && strs.length > 0 ? strs.map((str) => ({ str })) : (ids ?? []).map((id) => ({ id }));
  return [...new Map(people.map((person) => [personKey(person), person])).values()];
}

function personKey({ id, str }: PersonId): string {
  return str === undefined ? `id:${id}` : `str:${str}`;
}

/** The same for the same way to name the same person. */
export function nameKey(name: { userId?: string; guestId?: string; externalId?: string }): string {
  return JSON.stringify([name.userId, name.guestId, name.externalId]);
}

/** Numbers have to be greater than 0. */
function mayBe({ id, str }: PersonId): boolean {
  return str !== undefined || BigInt(id ?? 0) > 0n;
}

function roleOf(role: Role | undefined): ParticipantRole {
  return role === MANAGER ? "co-host" : "participant";
}

const wireRoles: Record<ParticipantRole, Role> = {
  host: OWNER,
  "co-host": MANAGER,
  participant: MEMBER,
  observer: MEMBER,
};

function dataOf({
  NickName,
  Level,
  Ext,
}: MemberToAdd | MemberToModify): Pick<ParticipantEntry, "nickname" | "level" | "attributes"> {
  const nickname = NickName?.trim();
  return {
    ...(nickname && { nickname }),
    ...(Level !== undefined && { level: Level }),
    ...(Ext !== undefined && { attributes: Ext }),
  };
}

function blockOf({ BlockTime }: MemberToModify): Pick<ParticipantChange, "blockedUntil"> {
  if (BlockTime === undefined) return {};
  return { blockedUntil: BlockTime === 0 ? null : BlockTime * 1000 };
}

function failedUsers(people: readonly PersonId[]): Result {
  return failedAs("FailedUserIds", people);
}

/** Names those to whom nothing was done as the request did: numbers in the field, texts in the field that ends in `Str`. */
export function failedAs(field: string, people: readonly PersonId[]): Result {
  const strs = people.flatMap(({ str }) => str ?? []);
  return {
    [field]: people.flatMap(({ id, str }) => (str === undefined && id !== undefined ? [BigInt(id)] : [])),
    ...(strs.length > 0 && { [`${field}Str`]: strs }),
  };
}

/** Members as answers show them. */
async function describeMembers(
  ctx: VolcengineCtx,
  conversationId: string,
  rows: readonly Row[],
): Promise<Record<string, unknown>[]> {
  const [names, nicknames] = await Promise.all([
    namesOf(ctx, rows),
    Promise.all(rows.map((row) => nicknameOf(ctx, row))),
  ]);
  return rows.map((row, index) => ({
    ConversationShortId: BigInt(conversationId),
    // Who has added a member is not kept.
    Operator: 0,
    ...nameFields(names[index] as PersonName),
    Role: wireRoles[row.role],
    NickName: nicknames[index],
    Level: row.level ?? 0,
    Ext: row.attributes ?? {},
    Status: row.presence === "left" ? 1 : 0,
    CreateTime: seconds(row._creationTime),
    BlockTime: blockTimeOf(row),
  }));
}

function blockTimeOf({ blockedUntil = 0 }: Row): number {
  return blockedUntil > Date.now() ? seconds(blockedUntil) : 0;
}

async function nicknameOf({ db }: VolcengineCtx, row: Row): Promise<string> {
  const { nickname = row.displayName, userId, guestId } = row;
  if (nickname !== undefined) return nickname;
  const person = guestId ? await db.get("guests", guestId) : userId && (await db.get("users", userId));
  return (person || undefined)?.displayName ?? "";
}

export function nameFields({ id, str }: PersonName): Record<string, unknown> {
  return { ParticipantUserId: id, ParticipantUserIdStr: str };
}
