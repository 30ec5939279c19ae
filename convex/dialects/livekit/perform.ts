import { v } from "convex/values";
import { internalMutation } from "../../_generated/server";
import { takeToken } from "../../model/rateLimit";
import type { LivekitCtx } from "./context";
import type { InputOf, OperationName } from "./operations";
import * as participants from "./participants";
import * as rooms from "./rooms";

const handlers: { [Name in OperationName]: (ctx: LivekitCtx, input: InputOf<Name>) => Promise<object> } = {
  CreateRoom: rooms.createRoom,
  ListRooms: rooms.listRooms,
  DeleteRoom: rooms.deleteRoom,
  ListParticipants: participants.listParticipants,
  GetParticipant: participants.getParticipant,
  UpdateParticipant: participants.updateParticipant,
  RemoveParticipant: participants.removeParticipant,
};

/**
 * Does what a request asks for, in one transaction.
 *
 * @param input As the operation's shapes have parsed it.
 */
export const perform = internalMutation({
  args: {
    principal: v.object({ tenantId: v.id("tenants"), accessKeyId: v.string() }),
    grant: v.object({
      roomCreate: v.boolean(),
      roomList: v.boolean(),
      roomAdmin: v.boolean(),
      room: v.string(),
    }),
    operation: v.string(),
    // Its shape is the operation's, by which it has been parsed; nobody but the HTTP action calls this.
    input: v.any(),
  },
  handler: async (ctx, { principal, grant, operation, input }): Promise<object> => {
    await takeToken(ctx, principal.accessKeyId);
    const handle = handlers[operation as OperationName] as (
      ctx: LivekitCtx,
      input: unknown,
    ) => Promise<object>;
    return handle({ ...ctx, principal, grant }, input);
  },
});
