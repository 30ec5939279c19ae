import { v } from "convex/values";
import { internalMutation } from "./_generated/server";
import { continuePromoting } from "./model/waitlist";

/** Gives places to those on the waitlist whom the transaction that freed the places could not hold. */
export const promoteRest = internalMutation({
  args: { meetingId: v.id("meetings") },
  returns: v.null(),
  handler: async (ctx, { meetingId }) => {
    await continuePromoting(ctx, meetingId);
    return null;
  },
});
