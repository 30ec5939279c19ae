/** Conversations are made, changed and destroyed: a meeting each. */
import type { Doc } from "../../_generated/dataModel";
import type { MeetingType } from "../../contract/meetings";
import { deleteAlias, findSubject, insertAlias } from "../../model/aliases";
import { addParticipants } from "../../model/addParticipants";
import { cancelMeeting, endMeeting, insertMeeting } from "../../model/meetings";
import { isClosed } from "../../model/meetingStates";
import type { MeetingEdit } from "../../model/meetingEdit";
import { patchParticipants } from "../../model/participants";
import { keyOf } from "../../model/people";
import { takeTenantToken } from "../../model/rateLimit";
import { updateMeeting } from "../../model/updateMeeting";
import type { Result, VolcengineCtx } from "./context";
import { type ConversationInfo, describeConversations, NAMELESS } from "./conversationLists";
import { asPersonId, findOwner, type Stored, storeDetails, storedName } from "./details";
import { refuse } from "./errors";
import { meetingTypes, SINGLE } from "./kinds";
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
import type { RequestOf } from "./wire";

type Meeting = Doc<"meetings">;

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
  if (found) {
    // Two people whose conversation is over may have another.
    const isReplaced = request.IdempotentId === undefined && isClosed(found.state);
    if (!isReplaced) return createdAnswer(ctx, request.AppId, found, true);
    await deleteAlias(ctx, kind.kind, found._id);
  }
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
  const [row = null, rowBefore = null] = await findMembers(ctx, edit.meeting, [
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

function detailsOf(
  info: RequestOf<"ModifyConversation" | "CreateConversation">["ConversationCoreInfo"],
): Partial<Pick<Stored, "avatarUrl" | "notice" | "ext">> {
  return {
    ...(info.AvatarUrl !== undefined && { avatarUrl: info.AvatarUrl }),
    ...(info.Notice !== undefined && { notice: info.Notice }),
    ...(info.Ext !== undefined && { ext: info.Ext }),
  };
}
