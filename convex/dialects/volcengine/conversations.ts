/** Conversations: a meeting each. */
import type { Doc, Id } from "../../_generated/dataModel";
import type { DatabaseReader } from "../../_generated/server";
import type { MeetingType } from "../../contract/meetings";
import { findSubject, insertAlias } from "../../model/aliases";
import { addParticipants } from "../../model/addParticipants";
import { cancelMeeting, endMeeting, insertMeeting } from "../../model/meetings";
import type { MeetingEdit } from "../../model/meetingEdit";
import { isClosed } from "../../model/meetingStates";
import { patchParticipants } from "../../model/participants";
import { takeTenantToken } from "../../model/rateLimit";
import { updateMeeting } from "../../model/updateMeeting";
import type { Result, VolcengineCtx } from "./context";
import { refuse } from "./errors";
import {
  conversationIdsOf,
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
import type { RequestOf } from "./shapes";

type Meeting = Doc<"meetings">;
type Stored = Doc<"volcengineConversations">;

const SINGLE = 1;
const GROUP = 2;
export const LIVE = 100;

const meetingTypes: Record<number, MeetingType> = {
  [SINGLE]: "one-on-one",
  [GROUP]: "large-meeting",
  [LIVE]: "webinar",
};

const NAMELESS = "Conversation";

/** The most conversations of a person that are looked through. */
const MAX_CONVERSATIONS = 1000;

export function typeOf({ meetingType }: Meeting): number {
  if (meetingType === "one-on-one") return SINGLE;
  return meetingType === "webinar" ? LIVE : GROUP;
}

/** CreateConversation. What was made by the same IdempotentId, or between the same two people, is given back. */
export async function createConversation(
  ctx: VolcengineCtx,
  request: RequestOf<"CreateConversation">,
): Promise<Result> {
  const type = request.ConversationCoreInfo.ConversationType;
  const owner = requirePerson(request.OwnerUserId, request.OwnerUserIdStr, "OwnerUserId");
  const other =
    type === SINGLE ? requirePerson(request.OtherUserId, request.OtherUserIdStr, "OtherUserId") : undefined;
  const key = idempotencyKeyOf(request, owner, other);
  const kind = { tenantId: ctx.principal.tenantId, kind: "volc.idempotent" };
  const existing = key === undefined ? null : await findSubject(ctx.db, kind, key);
  const meetingId = existing === null ? null : ctx.db.normalizeId("meetings", existing);
  const found = meetingId && (await ctx.db.get("meetings", meetingId));
  if (found) return createdAnswer(ctx, request.AppId, found, true);
  const meeting = await insertConversation(ctx, request, owner, other);
  if (key !== undefined) await insertAlias(ctx, kind, key, meeting._id);
  return createdAnswer(ctx, request.AppId, meeting, false);
}

function idempotencyKeyOf(
  { AppId, InboxType = 0, IdempotentId }: RequestOf<"CreateConversation">,
  owner: PersonId,
  other: PersonId | undefined,
): string | undefined {
  if (IdempotentId !== undefined) return JSON.stringify([AppId, InboxType, "id", IdempotentId]);
  if (other === undefined) return undefined;
  const people = [owner, other].map(({ id, str }) => JSON.stringify(str ?? [id])).toSorted();
  return JSON.stringify([AppId, InboxType, "single", ...people]);
}

async function insertConversation(
  ctx: VolcengineCtx,
  { ConversationCoreInfo: info, InboxType = 0 }: RequestOf<"CreateConversation">,
  owner: PersonId,
  other: PersonId | undefined,
): Promise<Meeting> {
  const { tenantId, accessKeyId } = ctx.principal;
  const tenant = (await ctx.db.get("tenants", tenantId)) as Doc<"tenants">;
  await takeTenantToken(ctx, tenant);
  const meetingType = meetingTypes[info.ConversationType] as MeetingType;
  const edit = await insertMeeting(
    ctx,
    tenant,
    { kind: "accessKey", id: accessKeyId },
    {
      title: info.Name?.trim() || NAMELESS,
      meetingType,
      ...(info.Description !== undefined && { description: info.Description }),
    },
  );
  const entries = [
    { ...(await namedBy(ctx, owner)), role: "host" as const },
    ...(other ? [{ ...(await namedBy(ctx, other)), role: "participant" as const }] : []),
  ];
  await addParticipants(edit, entries, { onExisting: "fail", onInvalid: "failAll", onFull: "failAll" });
  await edit.save();
  const [ownerRef = null] = await findRefs(ctx, [owner]);
  const [name] = await namesOf(ctx, ownerRef ? [ownerRef] : []);
  const person = name && storedName(name);
  await ctx.db.insert("volcengineConversations", {
    meetingId: edit.meeting._id,
    inboxType: InboxType,
    ...detailsOf(info),
    ...(person && { creator: person, owner: person }),
  });
  return edit.meeting;
}

async function createdAnswer(
  ctx: VolcengineCtx,
  appId: number,
  meeting: Meeting,
  Exist: boolean,
): Promise<Result> {
  const [ConversationInfo] = await describeConversations(ctx, appId, [meeting], { counts: true });
  const { ConversationId, ConversationShortId } = ConversationInfo as ConversationInfo;
  return { ConversationInfo, ConversationId, ConversationShortId, Exist };
}

/** ModifyConversation. A new owner has to be a member; the owner before becomes an ordinary one. */
export async function modifyConversation(
  ctx: VolcengineCtx,
  { ConversationCoreInfo: info }: RequestOf<"ModifyConversation">,
): Promise<Result> {
  const edit = await openConversation(ctx, info.ConversationShortId, "change");
  const title = info.Name?.trim() || undefined;
  await updateMeeting(edit, {
    ...(title !== undefined && { title }),
    ...(info.Description !== undefined && { description: info.Description }),
  });
  const owner = await changeOwner(ctx, edit, { id: info.OwnerUserId, str: info.OwnerUserIdStr });
  await edit.save();
  await storeDetails(ctx, edit.meeting._id, {
    ...detailsOf(info),
    ...(owner && { owner: storedName(owner) }),
  });
  return undefined;
}

async function changeOwner(
  ctx: VolcengineCtx,
  edit: MeetingEdit,
  given: PersonId,
): Promise<PersonName | undefined> {
  if (given.id === undefined && given.str === undefined) return undefined;
  const before = await findOwner(ctx, edit.meeting);
  const [row = null, rowBefore = null] = await findMembers(ctx, edit.meeting._id, [
    given,
    ...(before ? [asPersonId(before)] : []),
  ]);
  if (!row) refuse("InvalidParameter.NotExistParticipant", "OwnerUserId is not in the conversation");
  const patches = [{ row, fields: { role: "host" as const } }];
  const demoted = rowBefore && rowBefore._id !== row._id && rowBefore.role === "host" ? [rowBefore] : [];
  edit.event(
    "participants.updated",
    await patchParticipants(edit, [
      ...patches,
      ...demoted.map((other) => ({ row: other, fields: { role: "participant" as const } })),
    ]),
  );
  const [name] = await namesOf(ctx, [row]);
  return name;
}

/** DestroyConversation: ends the meeting, or cancels one that has not begun. */
export async function destroyConversation(
  ctx: VolcengineCtx,
  request: RequestOf<"DestroyConversation">,
): Promise<Result> {
  const given = requirePerson(request.OwnerUserId, request.OwnerUserIdStr, "OwnerUserId");
  const { state } = await requireConversation(ctx, request.ConversationShortId);
  const action = state === "active" ? "end" : "cancel";
  const edit = await openConversation(ctx, request.ConversationShortId, action);
  const owner = await findOwner(ctx, edit.meeting);
  const [one, other] = await findRefs(ctx, [given, ...(owner ? [asPersonId(owner)] : [])]);
  if (!one || !other || keyOf(one) !== keyOf(other)) {
    refuse("AccessDenied", "OwnerUserId is not the owner of the conversation");
  }
  if (action === "end") await endMeeting(edit);
  else cancelMeeting(edit);
  await edit.save();
  return undefined;
}

/** BatchGetConversations. Those that are not there, or not any more, are left out. */
export async function batchGetConversations(
  ctx: VolcengineCtx,
  { AppId, ConversationShortId, SkipMemberCount = true }: RequestOf<"BatchGetConversations">,
): Promise<Result> {
  const ids = [...new Set(ConversationShortId)];
  const found = await Promise.all(
    ids.map((id) => findSubject(ctx.db, { tenantId: ctx.principal.tenantId, kind: "volc.conversation" }, id)),
  );
  const meetings = await Promise.all(
    found.map(async (subject) => {
      const meetingId = subject === null ? null : ctx.db.normalizeId("meetings", subject);
      return meetingId && ctx.db.get("meetings", meetingId);
    }),
  );
  const open = meetings.filter((meeting) => meeting !== null && !isClosed(meeting.state)) as Meeting[];
  return {
    ConversationCoreInfos: await describeConversations(ctx, AppId, open, { counts: !SkipMemberCount }),
  };
}

/** GetUserConversations, of which those are left out that are over. */
export async function getUserConversations(
  ctx: VolcengineCtx,
  request: RequestOf<"GetUserConversations">,
): Promise<Result> {
  const { AppId, Cursor, Limit, DataType = 0, InboxType = 0, SkipMemberCount = false } = request;
  const person = requirePerson(request.ParticipantUserId, request.ParticipantUserIdStr, "ParticipantUserId");
  const of = await conversationsOf(ctx, person, InboxType);
  const wanted =
    DataType === 2
      ? of.filter(({ meeting, stored }) => typeOf(meeting) === LIVE && isCreator(stored, person))
      : of;
  const meetings = wanted.map(({ meeting }) => meeting).toSorted(orders[DataType] ?? byActivity);
  const page = meetings.slice(Cursor, Cursor + Limit);
  const HasMore = meetings.length > Cursor + Limit;
  return {
    ConversationInfos: await describeConversations(ctx, AppId, page, { counts: !SkipMemberCount }),
    HasMore,
    NextCursor: HasMore ? Cursor + Limit : -1,
  };
}

const byActivity = (one: Meeting, other: Meeting) => other.updatedAt - one.updatedAt;
const byCreation = (one: Meeting, other: Meeting) => one._creationTime - other._creationTime;
const orders: Record<number, (one: Meeting, other: Meeting) => number> = {
  1: byCreation,
  2: (one, other) => byCreation(other, one),
};

async function conversationsOf(
  ctx: VolcengineCtx,
  person: PersonId,
  inboxType: number,
): Promise<{ meeting: Meeting; stored: Stored | null }[]> {
  const [ref = null] = await findRefs(ctx, [person]);
  if (!ref) return [];
  const rows = await ctx.db
    .query("meetingParticipants")
    .withIndex("by_user", (q) => q.eq("userId", ref.userId).eq("guestId", ref.guestId))
    .order("desc")
    .take(MAX_CONVERSATIONS);
  const found = await Promise.all(
    rows.map(async ({ meetingId }) => ({
      meeting: await ctx.db.get("meetings", meetingId),
      stored: await findStored(ctx.db, meetingId),
    })),
  );
  return found.flatMap(({ meeting, stored }) =>
    meeting?.tenantId === ctx.principal.tenantId &&
    !isClosed(meeting.state) &&
    (stored?.inboxType ?? 0) === inboxType
      ? [{ meeting, stored }]
      : [],
  );
}

function isCreator(stored: Stored | null, { id, str }: PersonId): boolean {
  const creator = stored?.creator;
  return str === undefined ? creator?.id === id : creator?.str === str;
}

/** GetConversationUserCount. */
export async function getConversationUserCount(
  ctx: VolcengineCtx,
  { ConversationShortId }: RequestOf<"GetConversationUserCount">,
): Promise<Result> {
  return { Count: (await requireConversation(ctx, ConversationShortId)).participantCount };
}

/** Whose a conversation is; null if nobody's. */
export async function findOwner(ctx: VolcengineCtx, meeting: Meeting): Promise<PersonName | null> {
  return ownerOf(ctx, meeting, await findStored(ctx.db, meeting._id));
}

async function ownerOf(
  ctx: VolcengineCtx,
  { _id, organizerId }: Meeting,
  stored: Stored | null,
): Promise<PersonName | null> {
  if (stored?.owner) return wireName(stored.owner);
  const ref = organizerId
    ? { userId: organizerId }
    : await ctx.db
        .query("meetingParticipants")
        .withIndex("by_meeting_and_role_and_presence", (q) => q.eq("meetingId", _id).eq("role", "host"))
        .first();
  const [name = null] = await namesOf(ctx, ref ? [ref] : []);
  return name;
}

interface ConversationInfo {
  ConversationShortId: bigint;
  ConversationId: string;
  [field: string]: unknown;
}

async function describeConversations(
  ctx: VolcengineCtx,
  AppId: number,
  meetings: readonly Meeting[],
  { counts }: { counts: boolean },
): Promise<ConversationInfo[]> {
  const ids = await conversationIdsOf(ctx, meetings);
  const described: ConversationInfo[] = [];
  // One after the other, since two of them may need a number for the same person.
  for (const [index, meeting] of meetings.entries()) {
    const stored = await findStored(ctx.db, meeting._id);
    const owner = await ownerOf(ctx, meeting, stored);
    const creator = stored?.creator ? wireName(stored.creator) : owner;
    const other = typeOf(meeting) === SINGLE ? await otherOf(ctx, meeting, owner) : undefined;
    const id = ids[index] as bigint;
    described.push({
      AppId,
      ConversationShortId: id,
      ConversationId: String(id),
      ConversationType: typeOf(meeting),
      InboxType: stored?.inboxType ?? 0,
      Name: meeting.title === NAMELESS ? undefined : meeting.title,
      Description: meeting.description,
      AvatarUrl: stored?.avatarUrl,
      Notice: stored?.notice,
      Ext: stored?.ext,
      CreateTime: seconds(meeting._creationTime),
      ModifyTime: seconds(meeting.updatedAt),
      OwnerUserId: owner?.id ?? 0,
      OwnerUserIdStr: owner?.str,
      CreatorUserId: creator?.id ?? 0,
      CreatorUserIdStr: creator?.str,
      OtherUserId: other?.id,
      OtherUserIdStr: other?.str,
      MemberCount: counts ? meeting.participantCount : undefined,
      OnlineCount: counts && typeOf(meeting) === LIVE ? (meeting.joinedCount ?? 0) : undefined,
      Status: isClosed(meeting.state) ? 1 : 0,
    });
  }
  return described;
}

/** The second of the two people of a one-to-one conversation. */
async function otherOf(
  ctx: VolcengineCtx,
  { _id }: Meeting,
  owner: PersonName | null,
): Promise<PersonName | undefined> {
  const rows = await ctx.db
    .query("meetingParticipants")
    .withIndex("by_meeting_and_user", (q) => q.eq("meetingId", _id))
    .take(2);
  return (await namesOf(ctx, rows)).find(({ id }) => id !== owner?.id);
}

function findStored(db: DatabaseReader, meetingId: Id<"meetings">): Promise<Stored | null> {
  return db
    .query("volcengineConversations")
    .withIndex("by_meeting", (q) => q.eq("meetingId", meetingId))
    .unique();
}

async function storeDetails(
  ctx: VolcengineCtx,
  meetingId: Id<"meetings">,
  details: Partial<Stored>,
): Promise<void> {
  if (Object.keys(details).length === 0) return;
  const stored = await findStored(ctx.db, meetingId);
  if (stored) await ctx.db.patch("volcengineConversations", stored._id, details);
  else await ctx.db.insert("volcengineConversations", { ...details, meetingId });
}

function detailsOf(
  info: RequestOf<"ModifyConversation" | "CreateConversation">["ConversationCoreInfo"],
): Partial<Pick<Stored, "avatarUrl" | "notice" | "ext">> {
  return {
    ...(info.AvatarUrl !== undefined && { avatarUrl: info.AvatarUrl }),
    ...(info.Notice !== undefined && { notice: info.Notice }),
    ...(info.Ext !== undefined && { ext: info.Ext }),
  };
}

function storedName({ id, str }: PersonName): { id: string; str?: string } {
  return { id: String(id), ...(str !== undefined && { str }) };
}

function wireName({ id, str }: { id: string; str?: string }): PersonName {
  return { id: BigInt(id), ...(str !== undefined && { str }) };
}

/** A name as requests have it. */
export function asPersonId({ id, str }: PersonName): PersonId {
  return { id: String(id), ...(str !== undefined && { str }) };
}

export function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

export function keyOf({ userId, guestId }: { userId?: Id<"users">; guestId?: Id<"guests"> }): string {
  return userId ?? guestId ?? "";
}
