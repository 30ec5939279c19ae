import {
  componentsGeneric,
  internalMutationGeneric as internalMutation,
  makeFunctionReference,
  mutationGeneric as mutation,
  queryGeneric as query,
  type FunctionReference,
} from "convex/server";
import { v } from "convex/values";

const { stamps = {} } = componentsGeneric() as unknown as Record<
  string,
  Record<string, Record<string, unknown>>
>;

export const add = mutation({
  args: { text: v.string() },
  returns: v.id("entries"),
  handler: (ctx, { text }) => ctx.db.insert("entries", { text }),
});

export const texts = query({
  args: {},
  returns: v.array(v.string()),
  handler: async (ctx) => (await ctx.db.query("entries").collect()).map((entry) => entry["text"] as string),
});

export const addAndFail = mutation({
  args: { text: v.string() },
  handler: async (ctx, { text }) => {
    await ctx.db.insert("entries", { text });
    await ctx.scheduler.runAfter(0, makeFunctionReference<"mutation">("entries:add"), { text });
    throw new Error(`${text} can't be kept`);
  },
});

export const get = query({ args: { id: v.string() }, handler: (ctx, { id }) => ctx.db.get(id as never) });

export const remove = mutation({
  args: { id: v.string() },
  handler: async (ctx, { id }) => {
    await ctx.db.delete(id as never);
    return null;
  },
});

export const normalize = query({
  args: { table: v.string(), id: v.string() },
  handler: (ctx, { table, id }) => ctx.db.normalizeId(table, id),
});

export const needsOwnId = query({ args: { id: v.id("entries") }, handler: (_ctx, { id }) => id });

export const hidden = internalMutation({ args: {}, handler: () => null });

export const whoAmI = query({ args: {}, handler: (ctx) => ctx.auth.getUserIdentity() });

export const environment = query({
  args: {},
  handler: () => {
    const { CURRENCY, GREETING, SECRET } = process.env;
    return { CURRENCY: CURRENCY ?? null, GREETING: GREETING ?? null, SECRET: SECRET ?? null };
  },
});

export const page = query({
  args: {},
  handler: (ctx) => ctx.db.query("entries").paginate({ numItems: 1, cursor: null }),
});

export const metadata = query({ args: {}, handler: (ctx) => ctx.meta.getFunctionMetadata() });

/** Calls the component's own child. */
export const stamp = mutation({
  args: { text: v.string() },
  handler: (ctx, { text }): Promise<unknown> => {
    return ctx.runMutation(stamps["lib"]?.["stamp"] as FunctionReference<"mutation", "internal">, { text });
  },
});

/** Gives how many rows a query within the mutation sees, the last of which has no timestamp yet. */
export const stampAndCount = mutation({
  args: { text: v.string() },
  handler: async (ctx, { text }): Promise<number> => {
    await ctx.runMutation(stamps["lib"]?.["stamp"] as FunctionReference<"mutation", "internal">, { text });
    const rows: unknown[] = await ctx.runQuery(
      stamps["lib"]?.["all"] as FunctionReference<"query", "internal">,
      {},
    );
    return rows.length;
  },
});

export const stamped = query({
  args: {},
  handler: (ctx): Promise<unknown> => {
    return ctx.runQuery(stamps["lib"]?.["all"] as FunctionReference<"query", "internal">, {});
  },
});

/** Calls itself until there are too many calls within each other. */
export const dig = mutation({
  args: { depth: v.number() },
  handler: (ctx, { depth }): Promise<unknown> =>
    ctx.runMutation(makeFunctionReference<"mutation">("entries:dig"), { depth: depth + 1 }),
});
