/** The actions of this wire. */
import * as blocks from "./blocks";
import type { Result, VolcengineCtx } from "./context";
import * as conversations from "./conversations";
import * as participants from "./participants";
import type { ActionName, RequestOf } from "./shapes";

interface Action<Name extends ActionName> {
  readonly run: (ctx: VolcengineCtx, request: RequestOf<Name>) => Promise<Result>;
  /** One that changes nothing may be repeated as often as it is sent. */
  readonly writes: boolean;
}

export const actions: { readonly [Name in ActionName]: Action<Name> } = {
  CreateConversation: { run: conversations.createConversation, writes: true },
  ModifyConversation: { run: conversations.modifyConversation, writes: true },
  DestroyConversation: { run: conversations.destroyConversation, writes: true },
  BatchGetConversations: { run: conversations.batchGetConversations, writes: false },
  GetUserConversations: { run: conversations.getUserConversations, writes: false },
  GetConversationUserCount: { run: conversations.getConversationUserCount, writes: false },
  IsUserInConversation: { run: participants.isUserInConversation, writes: false },
  BatchAddConversationParticipant: { run: participants.batchAddParticipants, writes: true },
  BatchModifyConversationParticipant: { run: participants.batchModifyParticipants, writes: true },
  BatchDeleteConversationParticipant: { run: participants.batchDeleteParticipants, writes: true },
  BatchGetConversationParticipant: { run: participants.batchGetParticipants, writes: false },
  ScanConversationParticipantList: { run: participants.scanParticipants, writes: false },
  GetParticipantReadIndex: { run: participants.getReadIndexes, writes: false },
  ModifyParticipantReadIndex: { run: participants.modifyReadIndex, writes: true },
  BatchAddBlockParticipants: { run: blocks.batchAddBlocks, writes: true },
  BatchDeleteBlockParticipants: { run: blocks.batchDeleteBlocks, writes: true },
  BatchGetBlockParticipants: { run: blocks.batchGetBlocks, writes: false },
  BatchAddManager: { run: participants.batchAddManagers, writes: true },
  BatchRemoveManager: { run: participants.batchRemoveManagers, writes: true },
};

const USUAL_PER_SECOND = 50;
const BATCH_GET_PER_SECOND = 100;

/** How many requests of an action a tenant may send in a second. */
export function perSecond(name: ActionName): number {
  return name.startsWith("BatchGet") ? BATCH_GET_PER_SECOND : USUAL_PER_SECOND;
}
