import { v } from "convex/values";
import { internalMutation } from "./_generated/server";
import * as waitlist from "./model/waitlist";

/** Gives places to those on the waitlist whom the transaction that freed the places could not hold. */
export const promoteRest = internalMutation({
  args: { meetingId: v.id("meetings") },
  returns: v.null(),
  handler: async (ctx, { meetingId }) => {
    await waitlist.continuePromoting(ctx, meetingId);
    return null;
  },
});

/** Deletes the attributes of people who have gone from the waitlist, of whom one transaction may not hold all. */
export const deleteAttributes = internalMutation({
  args: { ids: v.array(v.id("waitlistAttributes")) },
  returns: v.null(),
  handler: async (ctx, { ids }) => {
    await waitlist.deleteAttributes(ctx, ids);
    return null;
  },
});
