import { zodToConvex } from "convex-helpers/server/zod4";
import { v } from "convex/values";
import { internalMutation } from "../_generated/server";
import { workosEvent } from "../contract/workos";
import { putOut } from "../model/deactivation";
import { acceptAll } from "../model/invitationAnswers";
import { applyWorkosEvent } from "../model/workosSync";

/** Takes in one event of the WorkOS webhook, whose signature has been verified. */
export const applyEvent = internalMutation({
  args: { event: zodToConvex(workosEvent) },
  returns: v.null(),
  handler: async (ctx, { event }) => {
    await applyWorkosEvent(ctx, event);
    return null;
  },
});

/** Accepts the next invitations to an address that has been verified, if it still is the user's. */
export const acceptMore = internalMutation({
  args: { userId: v.id("users"), address: v.string(), after: v.number() },
  returns: v.null(),
  handler: async (ctx, { userId, address, after }) => {
    const user = await ctx.db.get("users", userId);
    if (user?.verifiedEmail === address) {
      await acceptAll(ctx, { _id: userId, verifiedEmail: address }, after);
    }
    return null;
  },
});

/** Puts a deactivated user out of the next of their meetings. */
export const putOutMore = internalMutation({
  args: { userId: v.id("users"), after: v.number() },
  returns: v.null(),
  handler: async (ctx, { userId, after }) => {
    await putOut(ctx, userId, after);
    return null;
  },
});
