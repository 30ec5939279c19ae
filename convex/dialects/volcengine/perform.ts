import { v } from "convex/values";
import { internalMutation } from "../../_generated/server";
import { once } from "../../model/idempotency";
import { takeWireToken } from "../../model/rateLimit";
import { actions, perSecond } from "./actions";
import type { Result, VolcengineCtx } from "./context";
import { toJson } from "./json";
import type { ActionName } from "./wire";

/**
 * Does what a request asks for, in one transaction, and gives the JSON of its `Result`; null if there is none. One that writes
 * and is sent again, which has the same signature, gets the answer of the first time.
 *
 * @param request As `wire.ts` has parsed it.
 * @param repetitionKey The same for a request that is sent again.
 */
export const perform = internalMutation({
  args: {
    principal: v.object({ tenantId: v.id("tenants"), accessKeyId: v.string() }),
    action: v.string(),
    // Its shape is the action's, by which it has been parsed; nobody but the HTTP action calls this.
    request: v.any(),
    repetitionKey: v.string(),
  },
  returns: v.union(v.string(), v.null()),
  handler: async (ctx, { principal, action, request, repetitionKey }) => {
    const name = action as ActionName;
    const atOnce = perSecond(name);
    const limit = { wire: `volcengine ${name}`, perMinute: 60 * atOnce, atOnce };
    await takeWireToken(ctx, limit, principal.tenantId);
    const handle = actions[name].run as (ctx: VolcengineCtx, request: unknown) => Promise<Result>;
    const run = async () => {
      const result = await handle({ ...ctx, principal }, request);
      return result === undefined ? null : toJson(result);
    };
    if (!actions[name].writes) return run();
    const scope = `volcengine ${principal.accessKeyId}`;
    return once(ctx, { scope, key: repetitionKey, args: { action, request } }, run);
  },
});
