import { v } from "convex/values";
import { internalMutation } from "./_generated/server";
import { continueOpening } from "./model/lobby";

/** Lets in those who still wait in a lobby that has been closed. */
export const admitRest = internalMutation({
  args: { meetingId: v.id("meetings") },
  returns: v.null(),
  handler: async (ctx, { meetingId }) => {
    await continueOpening(ctx, meetingId);
    return null;
  },
});
