/** What is left to do when a guest who has turned out to be a user is in more meetings than one transaction takes. */
import { v } from "convex/values";
import { internalMutation } from "../_generated/server";
import { bindGuests, moveRows } from "../model/bindGuests";

/** Binds the next guests of a user. */
export const bindMore = internalMutation({
  args: { userId: v.id("users"), after: v.optional(v.id("users")) },
  returns: v.null(),
  handler: async (ctx, { userId, after }) => {
    const user = await ctx.db.get("users", userId);
    if (user) await bindGuests(ctx, user, after);
    return null;
  },
});

/** Gives the user who a guest has turned out to be the guest's places in the next meetings. */
export const moveMore = internalMutation({
  args: { guestId: v.id("guests") },
  returns: v.null(),
  handler: async (ctx, { guestId }) => {
    const guest = await ctx.db.get("guests", guestId);
    if (guest?.userId) await moveRows(ctx, guestId, guest.userId);
    return null;
  },
});
