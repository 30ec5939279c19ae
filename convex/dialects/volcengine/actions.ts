/** The actions of this wire. */
import * as blocks from "./blocks";
import type { Result, VolcengineCtx } from "./context";
import * as conversationLists from "./conversationLists";
import * as conversations from "./conversations";
import * as managers from "./managers";
import * as memberLists from "./memberLists";
import * as members from "./members";
import * as readIndexes from "./readIndexes";
import type { ActionName, RequestOf } from "./wire";

interface Action<Name extends ActionName> {
  readonly run: (ctx: VolcengineCtx, request: RequestOf<Name>) => Promise<Result>;
  /** One that changes nothing may be repeated as often as it is sent. */
  readonly writes: boolean;
}

export const actions: { readonly [Name in ActionName]: Action<Name> } = {
  CreateConversation: { run: conversations.createConversation, writes: true },
  ModifyConversation: { run: conversations.modifyConversation, writes: true },
  DestroyConversation: { run: conversations.destroyConversation, writes: true },
  BatchGetConversations: { run: conversationLists.batchGetConversations, writes: false },
  GetUserConversations: { run: conversationLists.getUserConversations, writes: false },
  GetConversationUserCount: { run: conversationLists.getConversationUserCount, writes: false },
  IsUserInConversation: { run: memberLists.isUserInConversation, writes: false },
  BatchAddConversationParticipant: { run: members.batchAddParticipants, writes: true },
  BatchModifyConversationParticipant: { run: members.batchModifyParticipants, writes: true },
  BatchDeleteConversationParticipant: { run: members.batchDeleteParticipants, writes: true },
  BatchGetConversationParticipant: { run: memberLists.batchGetParticipants, writes: false },
  ScanConversationParticipantList: { run: memberLists.scanParticipants, writes: false },
  GetParticipantReadIndex: { run: readIndexes.getReadIndexes, writes: false },
  ModifyParticipantReadIndex: { run: readIndexes.modifyReadIndex, writes: true },
  BatchAddBlockParticipants: { run: blocks.batchAddBlocks, writes: true },
  BatchDeleteBlockParticipants: { run: blocks.batchDeleteBlocks, writes: true },
  BatchGetBlockParticipants: { run: blocks.batchGetBlocks, writes: false },
  BatchAddManager: { run: managers.batchAddManagers, writes: true },
  BatchRemoveManager: { run: managers.batchRemoveManagers, writes: true },
};

const USUAL_PER_SECOND = 50;
const BATCH_GET_PER_SECOND = 100;

/** How many requests of an action a tenant may send in a second. */
export function perSecond(name: ActionName): number {
  return name.startsWith("BatchGet") ? BATCH_GET_PER_SECOND : USUAL_PER_SECOND;
}
