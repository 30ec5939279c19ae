import { v } from "convex/values";
import { internalMutation } from "../_generated/server";
import { refitMeetings } from "../model/tenantMeetings";

/** Sees to the next meetings of a tenant whose settings have changed. */
export const refit = internalMutation({
  args: {
    tenantId: v.id("tenants"),
    state: v.union(v.literal("scheduled"), v.literal("active")),
    after: v.optional(v.number()),
  },
  returns: v.null(),
  handler: async (ctx, place) => {
    await refitMeetings(ctx, place);
    return null;
  },
});
