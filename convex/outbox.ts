/**
 * Delivers the outbox, and shows it to the deployment's administrators:
 * `npx convex run outbox:list '{"paginationOpts": {"numItems": 20, "cursor": null}}'`.
 */
import { zodToConvex } from "convex-helpers/server/zod4";
import { paginationOptsValidator } from "convex/server";
import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalAction, internalMutation, internalQuery } from "./_generated/server";
import { attemptOutcome, messageState, outgoingMessage } from "./contract/outbox";
import * as outbox from "./model/outbox";
import { randomSecret } from "./model/secrets";

const BATCH = 20;
/** So that one action ends long before it must. */
const BATCHES = 10;

/** Delivers what is due. It may run many times at once: each message is taken by one run. */
export const drain = internalAction({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const secrets = Array.from({ length: BATCH }, () => randomSecret());
      const { taken, messages } = await ctx.runMutation(internal.outbox.take, { secrets });
      if (messages.length > 0) {
        const outcomes = await ctx.runAction(internal.smtp.send, { messages });
        await ctx.runMutation(internal.outbox.report, { outcomes });
      }
      if (taken < BATCH) return null;
    }
    await ctx.scheduler.runAfter(0, internal.outbox.drain, {});
    return null;
  },
});

/** Takes the messages that are due; see `model/outbox.ts`. */
export const take = internalMutation({
  args: { secrets: v.array(v.string()) },
  returns: v.object({ taken: v.number(), messages: v.array(zodToConvex(outgoingMessage)) }),
  handler: (ctx, { secrets }) => outbox.takeDue(ctx, secrets),
});

/** Notes what has become of messages that were taken. */
export const report = internalMutation({
  args: { outcomes: v.array(zodToConvex(attemptOutcome)) },
  returns: v.null(),
  handler: async (ctx, { outcomes }) => {
    await outbox.reportAttempts(ctx, outcomes);
    return null;
  },
});

/** Delivers what a run that ended midway has left behind. */
export const wake = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const [due] = await outbox.dueMessages(ctx.db, 1);
    if (due) await ctx.scheduler.runAfter(0, internal.outbox.drain, {});
    return null;
  },
});

/** A page of the messages, the newest first, if wished only those of one state. */
export const list = internalQuery({
  args: { state: v.optional(zodToConvex(messageState)), paginationOpts: paginationOptsValidator },
  handler: ({ db }, { state, paginationOpts }) => {
    const table = db.query("outbox");
    const messages =
      state === undefined ? table : table.withIndex("by_state_and_next_attempt", (q) => q.eq("state", state));
    return messages.order("desc").paginate(paginationOpts);
  },
});
