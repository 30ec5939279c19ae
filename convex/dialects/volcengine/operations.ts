/** The actions as the OpenAPI document says them. */
import type * as z from "zod";
import { wireOperation } from "../../contract/wire";
import { answerOf } from "./answers";
import { listErrors } from "./errors";
import { type ActionName, requests, VERSION } from "./wire";

export { errorAnswer } from "./answers";
export { VERSION } from "./wire";

const descriptions: Record<ActionName, string> = {
  CreateConversation:
    "Makes a conversation, whose owner is its first member. The same IdempotentId, or the same two people of a one-to-one conversation, give the one that is there, with Exist.",
  ModifyConversation:
    "Changes fields of a conversation. A new owner has to be a member; the one before becomes an ordinary member.",
  DestroyConversation: "Ends a conversation for good, for its owner.",
  BatchGetConversations: "Conversations that are not over. The number of members has to be asked for.",
  GetUserConversations:
    "Conversations of a person, at most 20 at a time, among the latest 1,000: by DataType the last changed first (0), the oldest first (1), or the live groups that the person has made (2).",
  GetConversationUserCount: "How many members a conversation has.",
  IsUserInConversation: "Whether a person is a member who has not left.",
  BatchAddConversationParticipant:
    "Adds up to 1,000 people; who is there already is overwritten. Those for whom there is no place, who are banned, or who would be owner without owning the conversation, are in FailedUserIds.",
  BatchModifyConversationParticipant: "Changes members; who is none is in FailedUserIds.",
  BatchDeleteConversationParticipant:
    "Removes members; who is none, and the last host, are in FailedUserIds.",
  BatchGetConversationParticipant: "Members by their ids; who is none is left out.",
  ScanConversationParticipantList:
    "Members in the order of their entry. Of a live group: owner and managers, or those who are there now.",
  GetParticipantReadIndex: "How far the members have read, of those who have read anything.",
  ModifyParticipantReadIndex: "Says how far a member has read, which has to be further than before.",
  BatchAddBlockParticipants:
    "In a live group: forbids members to send for so many seconds (BlockAction 0), or people to be there (1).",
  BatchDeleteBlockParticipants: "Takes back what BatchAddBlockParticipants did.",
  BatchGetBlockParticipants: "Who may not send, or not be there.",
  BatchAddManager: "In a live group: makes members managers.",
  BatchRemoveManager: "In a live group: makes managers ordinary members.",
};

function operationOf(action: ActionName) {
  return wireOperation({
    method: "POST",
    path: "/",
    select: { Action: action, Version: VERSION },
    description: descriptions[action],
    pathParameters: {},
    queryParameters: {},
    body: requests[action] as z.ZodType<object>,
    answer: { status: 200, body: answerOf(action) },
    errors: listErrors(),
  });
}

/** By the name of the action. */
export const operations = Object.fromEntries(
  (Object.keys(requests) as ActionName[]).map((action) => [action, operationOf(action)]),
) as Record<ActionName, ReturnType<typeof operationOf>>;
