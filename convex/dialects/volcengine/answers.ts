/** What the actions answer, for their documentation. */
import * as z from "zod";
import type { ActionName } from "./wire";

const long = z.int().describe("A whole number of 64 bits");
const seconds = z.int().describe("Seconds since the epoch");
const texts = z.record(z.string(), z.string());

const personFields = {
  ParticipantUserId: long,
  ParticipantUserIdStr: z.string().exactOptional().describe("Of a person whose id is a text"),
};

const conversation = z.object({
  AppId: z.int(),
  ConversationShortId: long.describe("At most 15 digits"),
  ConversationId: z.string(),
  ConversationType: z.int(),
  InboxType: z.int(),
  Name: z.string().exactOptional(),
  Description: z.string().exactOptional(),
  AvatarUrl: z.string().exactOptional(),
  Notice: z.string().exactOptional(),
  Ext: texts.exactOptional(),
  CreateTime: seconds,
  ModifyTime: seconds,
  OwnerUserId: long.describe("0: nobody's"),
  OwnerUserIdStr: z.string().exactOptional(),
  CreatorUserId: long,
  CreatorUserIdStr: z.string().exactOptional(),
  OtherUserId: long.exactOptional(),
  OtherUserIdStr: z.string().exactOptional(),
  MemberCount: z.int().exactOptional(),
  OnlineCount: z.int().exactOptional(),
  Status: z.int().describe("0: there, 1: destroyed"),
});

const member = z.object({
  ConversationShortId: long,
  Operator: z.int().describe("Always 0"),
  ...personFields,
  Role: z.int(),
  NickName: z.string(),
  Level: z.int(),
  Ext: texts,
  Status: z.int().describe("0: there, 1: has left"),
  CreateTime: seconds,
  BlockTime: seconds.describe("0: may send"),
});

const page = { HasMore: z.boolean(), NextCursor: z.int().describe("-1: that was all") };

/** Those to whom nothing was done. */
const failed = (field: string) =>
  z.object({ [field]: z.array(long), [`${field}Str`]: z.array(z.string()).exactOptional() });

const nothing = z.object({});

const results: Record<ActionName, z.ZodType> = {
  CreateConversation: z.object({
    ConversationInfo: conversation,
    ConversationId: z.string(),
    ConversationShortId: long,
    Exist: z.boolean(),
  }),
  ModifyConversation: nothing,
  DestroyConversation: nothing,
  BatchGetConversations: z.object({ ConversationCoreInfos: z.array(conversation) }),
  GetUserConversations: z.object({ ConversationInfos: z.array(conversation), ...page }),
  GetConversationUserCount: z.object({ Count: z.int() }),
  IsUserInConversation: z.object({ IsUserInConversation: z.boolean() }),
  BatchAddConversationParticipant: failed("FailedUserIds"),
  BatchModifyConversationParticipant: failed("FailedUserIds"),
  BatchDeleteConversationParticipant: failed("FailedUserIds"),
  BatchGetConversationParticipant: z.object({ Participants: z.array(member) }),
  ScanConversationParticipantList: z.object({
    ...page,
    Participants: z.array(
      member
        .extend({ AvatarUrl: z.string() })
        .partial()
        .required({ ParticipantUserId: true })
        .describe("With OnlyUserIds the ids alone"),
    ),
  }),
  GetParticipantReadIndex: z.object({
    ReadIndexes: z.array(z.object({ ...personFields, ReadIndex: z.int() })),
  }),
  ModifyParticipantReadIndex: nothing,
  BatchAddBlockParticipants: failed("FailedParticipantUserIds"),
  BatchDeleteBlockParticipants: failed("FailedParticipantUserIds"),
  BatchGetBlockParticipants: z.object({
    ...page,
    Participants: z.array(
      z.object({
        ...personFields,
        NickName: z.string(),
        AvatarUrl: z.string(),
        Ext: texts,
        Marks: z.array(z.string()),
        CreateTime: seconds.describe("0 where it is not kept"),
        BlockTime: seconds.describe("0: for ever"),
      }),
    ),
  }),
  BatchAddManager: failed("FailedManagerUserIds"),
  BatchRemoveManager: failed("FailedManagerUserIds"),
};

const metadata = z.object({
  RequestId: z.string(),
  Action: z.string(),
  Version: z.string(),
  Service: z.string(),
  Region: z.string(),
});

/** The whole answer of an action. */
export function answerOf(action: ActionName) {
  return z.object({ ResponseMetadata: metadata, Result: results[action] });
}

/** The answer if something is wrong. */
export const errorAnswer = z.object({
  ResponseMetadata: metadata.extend({
    Error: z.object({
      CodeN: z.int().exactOptional().describe("Of the errors of the gateway"),
      Code: z.string(),
      Message: z.string(),
    }),
  }),
});
