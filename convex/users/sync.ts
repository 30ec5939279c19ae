import { zodToConvex } from "convex-helpers/server/zod4";
import { v } from "convex/values";
import { internalMutation } from "../_generated/server";
import { workosEvent } from "../contract/workos";
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
