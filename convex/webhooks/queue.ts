/** The way of events to webhook endpoints, as transactions. */
import { zodOutputToConvex, zodToConvex } from "convex-helpers/server/zod4";
import { v } from "convex/values";
import { internal } from "../_generated/api";
import { internalMutation } from "../_generated/server";
import { webhookAttempt, webhookTask } from "../contract/webhooks";
import * as deliveries from "../model/webhookDeliveries";
import {
  settleOrder,
  takeOrder,
  wakeCursors,
  wakeOverdue as wakeOverdueCursors,
} from "../model/webhookQueue";

const PAGE = 200;

const orderId = {
  cursorId: v.id("webhookCursors"),
  lease: v.number(),
  eventId: v.id("meetingEvents"),
};
const order = v.object({ ...orderId, task: zodOutputToConvex(webhookTask) });

/** Begins to send the events of a meeting from one on. */
export const wake = internalMutation({
  args: { meetingId: v.id("meetings"), fromSequence: v.number() },
  returns: v.null(),
  handler: async (ctx, { meetingId, fromSequence }) => {
    await wakeCursors(ctx, meetingId, fromSequence);
    return null;
  },
});

/** Goes on where a sender has died. */
export const wakeOverdue = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    await wakeOverdueCursors(ctx, PAGE);
    return null;
  },
});

/** Gives whoever asks first what is to be sent. */
export const take = internalMutation({
  args: { cursorId: v.id("webhookCursors") },
  returns: v.union(order, v.null()),
  handler: (ctx, { cursorId }) => takeOrder(ctx, cursorId),
});

/** Notes what came of it, and gives what is next. */
export const settle = internalMutation({
  args: { ...orderId, attempt: zodToConvex(webhookAttempt), goesOn: v.boolean() },
  returns: v.union(order, v.null()),
  handler: (ctx, { attempt, goesOn, ...order }) => settleOrder(ctx, order, attempt, goesOn),
});

/** Deletes what is left of an endpoint that is deleted, page by page. */
export const deleteRemains = internalMutation({
  args: { endpointId: v.id("webhookEndpoints") },
  returns: v.null(),
  handler: async (ctx, { endpointId }) => {
    const hasMore = await deliveries.deleteRemains(ctx, endpointId, PAGE);
    if (hasMore) await ctx.scheduler.runAfter(0, internal.webhooks.queue.deleteRemains, { endpointId });
    return null;
  },
});
