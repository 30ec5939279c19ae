/** What a test calls, over the clients that the packages bring. */
import { RateLimiter } from "@convex-dev/rate-limiter";
import type { ComponentApi as RateLimiterApi } from "@convex-dev/rate-limiter/_generated/component.js";
import { ShardedCounter } from "@convex-dev/sharded-counter";
import { vOnCompleteArgs, Workpool } from "@convex-dev/workpool";
import {
  componentsGeneric,
  internalActionGeneric as internalAction,
  internalMutationGeneric as internalMutation,
  makeFunctionReference,
  mutationGeneric as mutation,
  queryGeneric as query,
} from "convex/server";
import { v } from "convex/values";

const components = componentsGeneric();
const limiter = new RateLimiter(components["rateLimiter"] as unknown as RateLimiterApi, {
  atOnce: { kind: "token bucket", rate: 1, period: 3_600_000, capacity: 3 },
  later: { kind: "token bucket", rate: 1, period: 3_600_000, capacity: 3, applyUpdates: "asynchronously" },
});
const counter = new ShardedCounter(components["shardedCounter"] as never);
const pool = new Workpool(components["pool"] as never, { maxParallelism: 2 });

const name = v.union(v.literal("atOnce"), v.literal("later"));

export const take = mutation({
  args: { name, count: v.number() },
  handler: async (ctx, args): Promise<boolean> =>
    (await limiter.limit(ctx, args.name, { key: "k", count: args.count })).ok,
});

export const left = query({
  args: { name },
  handler: async (ctx, args): Promise<number> => (await limiter.getValue(ctx, args.name, { key: "k" })).value,
});

export const count = mutation({
  args: { by: v.number() },
  handler: async (ctx, { by }) => {
    await counter.add(ctx, "n", by);
    return null;
  },
});

export const counted = query({ args: {}, handler: (ctx): Promise<number> => counter.count(ctx, "n") });

export const enqueue = mutation({
  args: { texts: v.array(v.string()), fails: v.boolean() },
  handler: async (ctx, { texts, fails }) => {
    for (const text of texts) {
      await pool.enqueueAction(
        ctx,
        makeFunctionReference<"action">("work:act") as never,
        { text, fails } as never,
        { onComplete: makeFunctionReference<"mutation">("work:completed") as never, context: text as never },
      );
    }
    return null;
  },
});

export const act = internalAction({
  args: { text: v.string(), fails: v.boolean() },
  handler: async (_ctx, { text, fails }) => {
    if (fails) throw new Error("can't");
    return text.toUpperCase();
  },
});

export const completed = internalMutation({
  args: vOnCompleteArgs(v.string()),
  handler: async (ctx, { context, result }) => {
    const outcome = result.kind === "success" ? (result.returnValue as string) : result.kind;
    await ctx.db.insert("done", { text: `${context}: ${outcome}` });
    return null;
  },
});

export const done = query({
  args: {},
  handler: async (ctx) => (await ctx.db.query("done").collect()).map((row) => row["text"] as string),
});
