/** Conversations as answers show them: by their ids, and those of a person. */
import type { Doc } from "../../_generated/dataModel";
import { isClosed } from "../../model/meetingStates";
import type { Result, VolcengineCtx } from "./context";
import { findStored, ownerOf, type Stored, wireName } from "./details";
import { LIVE, SINGLE, typeOf } from "./kinds";
import {
  conversationIdsOf,
  findConversation,
  findRefs,
  namesOf,
  type PersonId,
  type PersonName,
  requireConversation,
  requirePerson,
} from "./names";
import { pageOf } from "./pages";
import type { RequestOf } from "./wire";
import { seconds } from "./times";

type Meeting = Doc<"meetings">;

/** What a meeting is called that was made without a name. */
export const NAMELESS = "Conversation";

/** The most conversations of a person that are looked through. */
const MAX_CONVERSATIONS = 1000;

/** BatchGetConversations. Those that are not there, or not any more, are left out. */
export async function batchGetConversations(
  ctx: VolcengineCtx,
  { AppId, ConversationShortId, SkipMemberCount = true }: RequestOf<"BatchGetConversations">,
): Promise<Result> {
  const ids = [...new Set(ConversationShortId)];
  const found = await Promise.all(ids.map((id) => findConversation(ctx, id)));
  const open = found.flatMap((meeting) => (meeting && !isClosed(meeting.state) ? [meeting] : []));
  return {
    ConversationCoreInfos: await describeConversations(ctx, AppId, open, { counts: !SkipMemberCount }),
  };
}

/** GetUserConversations, of which those are left out that are over. */
export async function getUserConversations(
  ctx: VolcengineCtx,
  request: RequestOf<"GetUserConversations">,
): Promise<Result> {
  const { AppId, DataType = 0, InboxType = 0, SkipMemberCount = false } = request;
  const person = requirePerson(request.ParticipantUserId, request.ParticipantUserIdStr, "ParticipantUserId");
  const of = await conversationsOf(ctx, person, InboxType);
  const wanted =
    DataType === 2
      ? of.filter(({ meeting, stored }) => typeOf(meeting) === LIVE && isCreator(stored, person))
      : of;
  const meetings = wanted.map(({ meeting }) => meeting).toSorted(orders[DataType] ?? byActivity);
  const { page, ...next } = pageOf(meetings, request);
  return {
    ConversationInfos: await describeConversations(ctx, AppId, page, { counts: !SkipMemberCount }),
    ...next,
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

export interface ConversationInfo {
  ConversationShortId: bigint;
  ConversationId: string;
  [field: string]: unknown;
}

export async function describeConversations(
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
