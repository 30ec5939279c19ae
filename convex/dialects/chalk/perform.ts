import { v } from "convex/values";
import { internalMutation } from "../../_generated/server";
import { takeToken } from "../../model/rateLimit";
import { type Answer, callerKey, callerOf, type ChalkCtx } from "./context";
import type { InputOf, OperationName } from "./operations";
import * as participants from "./participants";
import * as rooms from "./rooms";
import * as tenants from "./tenants";

/** Operations for callers who have credentials. */
export type PerformedName = Exclude<OperationName, "IssueToken" | "RefreshToken" | "ExchangeJoinToken">;

const handlers: { [Name in PerformedName]: (ctx: ChalkCtx, input: InputOf<Name>) => Promise<Answer> } = {
  CreateRoom: rooms.createRoom,
  ScheduleRoom: rooms.scheduleRoom,
  ListRooms: rooms.listRooms,
  GetRoom: rooms.getRoom,
  UpdateRoom: rooms.updateRoom,
  DeleteRoom: rooms.deleteRoom,
  EndRoom: rooms.endRoom,
  CreateJoinToken: rooms.createJoinToken,
  AddParticipant: participants.addParticipant,
  BulkAddParticipants: participants.bulkAddParticipants,
  ListParticipants: participants.listParticipants,
  GetParticipant: participants.getParticipant,
  UpdateParticipant: participants.updateParticipant,
  RemoveParticipant: participants.removeParticipant,
  RefreshParticipantToken: participants.refreshParticipantToken,
  GetTenant: tenants.getTenant,
  UpdateTenantConfig: tenants.updateTenantConfig,
};

/**
 * Does what a request asks for, in one transaction.
 *
 * @param input As the operation's shapes have parsed it.
 */
export const perform = internalMutation({
  args: {
    credential: v.union(
      v.object({ kind: v.literal("apiKey"), hash: v.string() }),
      v.object({
        kind: v.literal("token"),
        accessKeyId: v.optional(v.string()),
        meetingId: v.optional(v.string()),
        participantId: v.optional(v.string()),
        tokenVersion: v.optional(v.number()),
      }),
    ),
    operation: v.string(),
    // Its shape is the operation's, by which it has been parsed; nobody but the HTTP action calls this.
    input: v.any(),
    fresh: v.object({ key: v.string(), hash: v.string() }),
  },
  handler: async (ctx, { credential, operation, input, fresh }): Promise<Answer> => {
    const caller = await callerOf(ctx, credential);
    await takeToken(ctx, callerKey(caller));
    const handle = handlers[operation as PerformedName] as (ctx: ChalkCtx, input: unknown) => Promise<Answer>;
    return handle({ ...ctx, caller, fresh }, input);
  },
});
