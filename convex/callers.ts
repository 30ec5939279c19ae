import { v } from "convex/values";
import { internalMutation } from "./_generated/server";
import { requireIdentity, requireUser } from "./model/caller";
import { takeToken } from "./model/rateLimit";

/** Lets the caller of an action in, as a mutation lets its own: a known, active user who does not call too often. */
export const admit = internalMutation({
  args: {},
  returns: v.id("users"),
  handler: async (ctx) => {
    const identity = await requireIdentity(ctx);
    await takeToken(ctx, identity.subject);
    return (await requireUser(ctx, identity))._id;
  },
});
