/** Calls whatever a test names, so that the test says what happens. */
import {
  actionGeneric as action,
  componentsGeneric,
  createFunctionHandle,
  internalMutationGeneric as internalMutation,
  makeFunctionReference,
  mutationGeneric as mutation,
  queryGeneric as query,
  type FunctionReference,
  type FunctionType,
} from "convex/server";
import { v } from "convex/values";

/** "ledger.entries.add" is a function of a component, "functions:add" one of the app's own, "function://…" a handle. */
function reference<Type extends FunctionType>(name: string): FunctionReference<Type, "internal"> {
  if (name.startsWith("function://")) return name as unknown as FunctionReference<Type, "internal">;
  if (name.includes(":"))
    return makeFunctionReference<Type>(name) as unknown as FunctionReference<Type, "internal">;
  let found = componentsGeneric() as unknown as Record<string, unknown>;
  for (const part of name.split(".")) found = found[part] as Record<string, unknown>;
  return found as unknown as FunctionReference<Type, "internal">;
}

const call = { name: v.string(), args: v.any() };

export const ask = query({
  args: call,
  handler: (ctx, { name, args }): Promise<unknown> => ctx.runQuery(reference<"query">(name), args),
});

export const change = mutation({
  args: call,
  handler: (ctx, { name, args }): Promise<unknown> => ctx.runMutation(reference<"mutation">(name), args),
});

export const act = action({
  args: { ...call, kind: v.string() },
  handler: (ctx, { name, args, kind }): Promise<unknown> => {
    if (kind === "query") return ctx.runQuery(reference<"query">(name), args);
    return kind === "mutation"
      ? ctx.runMutation(reference<"mutation">(name), args)
      : ctx.runAction(reference<"action">(name), args);
  },
});

/** Writes before and after a call that may fail, and says what it has failed with. */
export const survive = mutation({
  args: call,
  handler: async (ctx, { name, args }): Promise<string> => {
    await ctx.db.insert("entries", { text: "before" });
    let message = "it did not fail";
    try {
      await ctx.runMutation(reference<"mutation">(name), args);
    } catch (error) {
      message = (error as Error).message;
    }
    await ctx.db.insert("entries", { text: "after" });
    return message;
  },
});

export const schedule = mutation({
  args: { ...call, delayMs: v.number() },
  handler: (ctx, { name, args, delayMs }): Promise<string> =>
    ctx.scheduler.runAfter(delayMs, reference<"mutation">(name), args),
});

export const handle = query({
  args: { name: v.string() },
  handler: (_ctx, { name }): Promise<string> => createFunctionHandle(reference<"mutation">(name)),
});

export const handleOfAction = action({
  args: { name: v.string() },
  handler: (_ctx, { name }): Promise<string> => createFunctionHandle(reference<"mutation">(name)),
});

export const add = internalMutation({
  args: { text: v.string() },
  returns: v.string(),
  handler: (ctx, { text }) => ctx.db.insert("entries", { text }),
});

export const texts = query({
  args: {},
  handler: async (ctx): Promise<string[]> =>
    (await ctx.db.query("entries").collect()).map((entry) => entry["text"] as string),
});

export const remove = mutation({
  args: { id: v.string() },
  handler: async (ctx, { id }) => {
    await ctx.db.delete(id as never);
    return null;
  },
});

export const job = query({
  args: { id: v.string() },
  handler: (ctx, { id }) => ctx.db.system.get(id as never),
});

export const jobs = query({
  args: {},
  handler: (ctx) => ctx.db.system.query("_scheduled_functions").collect(),
});

export const whoAmI = query({
  args: {},
  handler: async (ctx) => (await ctx.auth.getUserIdentity())?.subject ?? null,
});

/** What a nested query sees of what its mutation has just written. */
export const stale = mutation({
  args: {},
  handler: async (ctx): Promise<{ fresh: unknown; stale: unknown }> => {
    await ctx.runMutation(reference<"mutation">("ledger.entries.add"), { text: "new" });
    const texts = reference<"query">("ledger.entries.texts");
    return {
      fresh: await ctx.runQuery(texts, {}),
      stale: await ctx.runQuery(texts, {}, { useStaleSnapshot: true }),
    };
  },
});
