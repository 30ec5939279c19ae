/**
 * The shapes of Volcengine's conversation API, version 2020-12-01, with the limits of what is behind it. Unknown fields are
 * ignored, and fields that are null are as good as absent.
 */
import * as z from "zod";
import { MAX_BATCH } from "../../contract/participants";
import { attributes } from "../../contract/participantData";
import { externalId } from "../../contract/guests";
import { text } from "../../contract/text";

export const VERSION = "2020-12-01";

const MAX_INT64 = 2n ** 63n - 1n;
const MAX_INT32 = 2 ** 31 - 1;
const MAX_BLOCK_SECONDS = 100 * 366 * 24 * 3600;

/** A whole number of 64 bits, as a number or as its digits; its digits without zeros before them. */
export const long = z
  .union([z.int(), z.string().regex(/^-?\d{1,32}$/, "Must be a whole number")])
  .transform((value) => BigInt(value))
  .refine((value) => isInt64(value), "Must be a whole number of 64 bits")
  .transform(String)
  .describe(
    "A whole number, or its digits as a text. JSON clients that keep numbers as doubles, as JavaScript does, keep no more than 2^53 - 1: they have to send greater ones as texts",
  );

function isInt64(value: bigint): boolean {
  return value <= MAX_INT64 && value >= -MAX_INT64 - 1n;
}

const int32 = long
  .transform(Number)
  .refine((value) => value <= MAX_INT32 && value >= -MAX_INT32 - 1, "Must be a whole number of 32 bits");

const count = (max: number) =>
  long
    .transform(Number)
    .refine((value) => value >= 1 && value <= max, `Must be from 1 to ${max}`)
    .describe(`From 1 to ${max}`);

/** Where a list goes on: 0 at first, then what the answer before has said. */
const cursor = long
  .transform(Number)
  .refine((value) => value >= 0 && value <= MAX_INT32, "Must be 0 or a NextCursor");

/** The id of a person of the application. */
const personId = long.refine((digits) => /^[1-9]/.test(digits), "Must be greater than 0");
/** The same for applications whose ids are texts. */
const personIdStr = externalId;

const appId = int32.describe(
  "Given back as it is: what keeps applications apart is the tenant of the access key",
);
const ext = attributes;
const name = text().max(200);
const url = text().max(2048);
const longText = text().max(5000);

const ofConversation = { AppId: appId, ConversationShortId: long };
const byOperator = {
  Operator: long.exactOptional().describe("Not checked, and not kept"),
  OperatorStr: text().max(256).exactOptional(),
};

export const MEMBER = 0;
export const OWNER = 1;
export const MANAGER = 2;

const role = long
  .catch(String(MEMBER))
  .transform((value) => {
    if (value === String(OWNER)) return OWNER;
    return value === String(MANAGER) ? MANAGER : MEMBER;
  })
  .describe("0: member, 1: owner, 2: administrator; anything else is 0");
export type Role = z.output<typeof role>;

const blockTime = long
  .transform(Number)
  .refine((value) => value >= 0 && value <= 8.64e12, "Must be seconds since the epoch")
  .describe("May send nothing until then, seconds since the epoch; 0: may");

/** What is said of a member besides who they are. An empty NickName is none. */
const memberData = {
  Level: int32.exactOptional(),
  NickName: name.exactOptional(),
  Role: role.exactOptional(),
  Ext: ext.exactOptional(),
};

const readIndex = long
  .transform(Number)
  .refine((value) => Number.isSafeInteger(value) && value >= 0, "Must be from 0 to 2^53 - 1");

const memberToAdd = z.object({
  // Those that are not greater than 0 are among those who have failed.
  ParticipantUserId: long.exactOptional(),
  ParticipantUserIdStr: personIdStr.exactOptional(),
  ...memberData,
  ReadIndex: readIndex.exactOptional(),
});
export type MemberToAdd = z.output<typeof memberToAdd>;

const memberToModify = z.object({
  ParticipantUserId: long.exactOptional(),
  ParticipantUserIdStr: personIdStr.exactOptional(),
  ...memberData,
  BlockTime: blockTime.exactOptional(),
});
export type MemberToModify = z.output<typeof memberToModify>;

const several = <Item extends z.ZodType>(item: Item) => z.array(item).min(1).max(MAX_BATCH);

/** People by numbers or by texts. */
const personIdsUpTo = (max: number) => ({
  ParticipantUserIds: z.array(long).max(max).exactOptional(),
  ParticipantUserIdsStr: z.array(personIdStr).max(max).exactOptional(),
});
const personIds = personIdsUpTo(MAX_BATCH);

/** To describe a member takes up to seven reads, and a one-to-one conversation fourteen; a transaction has 4,096. */
const MAX_MEMBERS_DESCRIBED = 500;
const MAX_CONVERSATIONS_DESCRIBED = 250;

const coreInfo = {
  Name: name.exactOptional(),
  AvatarUrl: url.exactOptional(),
  Description: longText.exactOptional(),
  Notice: longText.exactOptional(),
  Ext: ext.exactOptional(),
};

/** Seconds from now by person. */
const blockInfos = <Key extends z.ZodType<string>>(key: Key) =>
  z
    .record(text().max(256), count(MAX_BLOCK_SECONDS))
    .refine((infos) => Object.keys(infos).length <= MAX_BATCH, `At most ${MAX_BATCH} people`)
    .refine((infos) => Object.keys(infos).every((one) => key.safeParse(one).success), "Must be ids of people")
    // As a list, since not every id can be the name of a field.
    .transform((infos) =>
      Object.entries(infos).map(([one, duration]) => ({ name: key.parse(one), duration })),
    );

const blockAction = int32
  .pipe(z.literal([0, 1]))
  .exactOptional()
  .describe("0: may send nothing, 1: may not be in the conversation");

export const requests = {
  CreateConversation: z.object({
    AppId: appId,
    ConversationCoreInfo: z.object({
      ConversationType: long
        .pipe(z.enum(["1", "2", "100"], "Must be 1, 2 or 100"))
        .transform(Number)
        .describe("1: one-to-one, 2: group, 100: live group"),
      ...coreInfo,
    }),
    OwnerUserId: personId.exactOptional(),
    OwnerUserIdStr: personIdStr.exactOptional(),
    OtherUserId: personId.exactOptional(),
    OtherUserIdStr: personIdStr.exactOptional(),
    IdempotentId: text().min(1).max(256).exactOptional(),
    InboxType: int32.exactOptional(),
  }),
  ModifyConversation: z.object({
    AppId: appId,
    ConversationCoreInfo: z.object({
      ConversationShortId: long,
      ...coreInfo,
      OwnerUserId: personId.exactOptional(),
      OwnerUserIdStr: personIdStr.exactOptional(),
    }),
  }),
  DestroyConversation: z.object({
    ...ofConversation,
    OwnerUserId: personId.exactOptional(),
    OwnerUserIdStr: personIdStr.exactOptional(),
  }),
  BatchGetConversations: z.object({
    AppId: appId,
    ConversationShortId: z.array(long).min(1).max(MAX_CONVERSATIONS_DESCRIBED),
    SkipMemberCount: z.boolean().exactOptional(),
  }),
  GetUserConversations: z.object({
    AppId: appId,
    Cursor: cursor,
    Limit: count(20),
    ParticipantUserId: personId.exactOptional(),
    ParticipantUserIdStr: personIdStr.exactOptional(),
    DataType: int32.exactOptional(),
    InboxType: int32.exactOptional(),
    SkipMemberCount: z.boolean().exactOptional(),
  }),
  GetConversationUserCount: z.object(ofConversation),
  IsUserInConversation: z.object({
    ...ofConversation,
    ParticipantUserId: personId.exactOptional(),
    ParticipantUserIdStr: personIdStr.exactOptional(),
  }),
  BatchAddConversationParticipant: z.object({
    ...ofConversation,
    ...byOperator,
    ParticipantInfos: several(memberToAdd),
    Barrier: z.boolean().exactOptional().describe("Newcomers see nothing of what was before them"),
  }),
  BatchModifyConversationParticipant: z.object({
    ...ofConversation,
    ...byOperator,
    ParticipantInfos: several(memberToModify),
  }),
  BatchDeleteConversationParticipant: z.object({ ...ofConversation, ...byOperator, ...personIds }),
  BatchGetConversationParticipant: z.object({
    ...ofConversation,
    ...byOperator,
    ...personIdsUpTo(MAX_MEMBERS_DESCRIBED),
  }),
  ScanConversationParticipantList: z.object({
    ...ofConversation,
    Cursor: cursor,
    Limit: count(MAX_BATCH),
    OnlyUserIds: z.boolean().exactOptional(),
    Reverse: z.boolean().exactOptional(),
    ScanOnlineParticipant: z.boolean().exactOptional(),
    MarkType: text().exactOptional(),
  }),
  GetParticipantReadIndex: z.object(ofConversation),
  ModifyParticipantReadIndex: z.object({
    ...ofConversation,
    ParticipantUserId: personId.exactOptional(),
    ParticipantUserIdStr: personIdStr.exactOptional(),
    ReadIndex: readIndex,
  }),
  BatchAddBlockParticipants: z.object({
    ...ofConversation,
    ParticipantBlockInfos: blockInfos(long).exactOptional(),
    ParticipantBlockInfosStr: blockInfos(personIdStr).exactOptional(),
    BlockAction: blockAction,
  }),
  BatchDeleteBlockParticipants: z.object({ ...ofConversation, ...personIds, BlockAction: blockAction }),
  BatchGetBlockParticipants: z.object({
    ...ofConversation,
    Cursor: cursor,
    Limit: count(20),
    BlockAction: blockAction,
  }),
  BatchAddManager: z.object({
    ...ofConversation,
    ...byOperator,
    ManagerUserIds: z.array(long).max(MAX_BATCH).exactOptional(),
    ManagerUserIdsStr: z.array(personIdStr).max(MAX_BATCH).exactOptional(),
  }),
  BatchRemoveManager: z.object({
    ...ofConversation,
    ...byOperator,
    ManagerUserIds: z.array(long).max(MAX_BATCH).exactOptional(),
    ManagerUserIdsStr: z.array(personIdStr).max(MAX_BATCH).exactOptional(),
  }),
} as const satisfies Record<string, z.ZodType>;

export type ActionName = keyof typeof requests;
export type RequestOf<Action extends ActionName> = z.output<(typeof requests)[Action]>;

export function isAction(name: string): name is ActionName {
  return Object.hasOwn(requests, name);
}
