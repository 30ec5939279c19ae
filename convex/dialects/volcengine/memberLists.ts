/** The members of conversations as answers show them. */
import type { Doc, Id } from "../../_generated/dataModel";
import type { ParticipantRole } from "../../contract/participants";
import type { Result, VolcengineCtx } from "./context";
import { refuse } from "./errors";
import { LIVE, typeOf } from "./kinds";
import { findMembers, namesOf, type PersonName, requireConversation, requirePerson } from "./names";
import { pageOf } from "./pages";
import { nameFields, peopleOf } from "./people";
import { MANAGER, MEMBER, OWNER, type RequestOf, type Role } from "./wire";
import { seconds } from "./times";

type Row = Doc<"meetingParticipants">;

/** A page is sorted by the time of entry, for which all members are read. */
const MAX_SCANNED = 16_000;

/** BatchGetConversationParticipant. Who is not in the conversation is left out. */
export async function batchGetParticipants(
  ctx: VolcengineCtx,
  request: RequestOf<"BatchGetConversationParticipant">,
): Promise<Result> {
  const people = peopleOf(request.ParticipantUserIds, request.ParticipantUserIdsStr, "ParticipantUserIds");
  const meeting = await requireConversation(ctx, request.ConversationShortId);
  const rows = await findMembers(ctx, meeting, people);
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
  const { ConversationShortId, OnlyUserIds = false } = request;
  const meeting = await requireConversation(ctx, ConversationShortId);
  const rows = await listedRows(ctx, meeting, request);
  const { page, ...next } = pageOf(rows, request);
  const names = OnlyUserIds && !request.ScanOnlineParticipant ? await namesOf(ctx, page) : null;
  return {
    ...next,
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

export function allRows(db: VolcengineCtx["db"], meeting: Doc<"meetings">): Promise<Row[]> {
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
  const [row = null] = await findMembers(ctx, meeting, [person]);
  return { IsUserInConversation: row !== null && row.presence !== "left" };
}

const wireRoles: Record<ParticipantRole, Role> = {
  host: OWNER,
  "co-host": MANAGER,
  participant: MEMBER,
  observer: MEMBER,
};

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
