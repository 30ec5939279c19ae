import {
  mutationGeneric,
  queryGeneric,
  type DataModelFromSchemaDefinition,
  type MutationBuilder,
  type QueryBuilder,
} from "convex/server";
import { v } from "convex/values";
import type schema from "./schema";

type DataModel = DataModelFromSchemaDefinition<typeof schema>;
const mutation = mutationGeneric as MutationBuilder<DataModel, "public">;
const query = queryGeneric as QueryBuilder<DataModel, "public">;

/** Gives the row as it is in its own transaction, and the state of the database from which that has begun. */
export const stamp = mutation({
  args: { text: v.string() },
  handler: async (ctx, { text }) => {
    const id = await ctx.db.insert("stamps", { text, at: ctx.db.vars.commitTs });
    const newest = await ctx.db.query("stamps").withIndex("by_at").order("desc").first();
    const row = await ctx.db.get("stamps", id);
    return { isNewest: newest?._id === id, at: row?.at ?? null, snapshot: ctx.meta.getSnapshotTs() };
  },
});

export const all = query({
  args: {},
  handler: async (ctx) =>
    (await ctx.db.query("stamps").withIndex("by_at").collect()).map(({ text, at }) => ({ text, at })),
});

export const after = query({
  args: { at: v.int64() },
  handler: async (ctx, { at }) =>
    (
      await ctx.db
        .query("stamps")
        .withIndex("by_at", (q) => q.gt("at", at))
        .collect()
    ).map(({ text }) => text),
});
