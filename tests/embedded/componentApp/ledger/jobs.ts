import {
  actionGeneric as action,
  makeFunctionReference,
  mutationGeneric as mutation,
  queryGeneric as query,
} from "convex/server";
import { v } from "convex/values";

const add = makeFunctionReference<"mutation", { text: string }>("entries:add");

export const later = mutation({
  args: { text: v.string(), delayMs: v.number() },
  handler: (ctx, { text, delayMs }): Promise<string> => ctx.scheduler.runAfter(delayMs, add, { text }),
});

/** Schedules what a handle stands for, which is another's. */
export const laterBy = mutation({
  args: { handle: v.string(), args: v.any() },
  handler: (ctx, { handle, args }): Promise<string> => ctx.scheduler.runAfter(0, handle as never, args),
});

/** Calls what a handle stands for. */
export const now = mutation({
  args: { handle: v.string(), args: v.any() },
  handler: (ctx, { handle, args }): Promise<unknown> => ctx.runMutation(handle as never, args),
});

export const cancel = mutation({
  args: { id: v.string() },
  handler: async (ctx, { id }) => {
    await ctx.scheduler.cancel(id as never);
    return null;
  },
});

export const all = query({
  args: {},
  handler: (ctx) => ctx.db.system.query("_scheduled_functions").collect(),
});

export const get = query({
  args: { id: v.string() },
  handler: (ctx, { id }) => ctx.db.system.get(id as never),
});

export const tick = mutation({ args: {}, handler: (ctx) => ctx.db.insert("entries", { text: "tick" }) });

/** Stores a file, and adds an entry from an action. */
export const store = action({
  args: { text: v.string() },
  handler: async (ctx, { text }): Promise<{ id: string; url: string | null; upload: string }> => {
    await ctx.runMutation(add, { text });
    const id = await ctx.storage.store(new Blob([text], { type: "text/plain" }));
    return { id, url: await ctx.storage.getUrl(id), upload: await ctx.storage.generateUploadUrl() };
  },
});

export const files = query({
  args: {},
  handler: async (ctx) => (await ctx.db.system.query("_storage").collect()).map(({ _id }) => _id),
});

export const urlOf = query({ args: { id: v.string() }, handler: (ctx, { id }) => ctx.storage.getUrl(id) });
