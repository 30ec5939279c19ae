/** What crons.ts runs, a page in one transaction, of which what is left is scheduled for the next; and what comes in its time. */
import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalMutation } from "./_generated/server";
import * as chalkTokens from "./dialects/chalk/grants";
import { deleteExpiredBans } from "./model/bans";
import { deleteOldAnswers } from "./model/idempotency";
import * as invitations from "./model/invitations";
import { deleteOldJobs as deleteJobs } from "./model/jobs";
import * as meetings from "./model/meetings";
import * as outbox from "./model/outbox";
import { deleteOldBuckets } from "./model/rateLimit";
import * as tokens from "./model/tokens";
import * as webhookDeliveries from "./model/webhookDeliveries";

const PAGE = 200;

/** Cancels scheduled meetings that nobody has started within a day of their time. */
export const cancelMissed = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const cancelled = await meetings.cancelMissedMeetings(ctx, PAGE);
    if (cancelled === PAGE) await ctx.scheduler.runAfter(0, internal.cleanUp.cancelMissed, {});
    return null;
  },
});

/** Ends a meeting that has been empty for its timeout. Scheduled by `model/emptyMeetings.ts`. */
export const endIfEmpty = internalMutation({
  args: { meetingId: v.id("meetings") },
  returns: v.null(),
  handler: async (ctx, { meetingId }) => {
    await meetings.endIfEmpty(ctx, meetingId);
    return null;
  },
});

/** Deletes old rate limits, so that there are no more of them than callers in a day. */
export const deleteOldRateLimits = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    await deleteOldBuckets(ctx);
    return null;
  },
});

/** Deletes answers of requests with an idempotency key that are kept no longer. */
export const deleteOldKeys = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const deleted = await deleteOldAnswers(ctx, PAGE);
    if (deleted === PAGE) await ctx.scheduler.runAfter(0, internal.cleanUp.deleteOldKeys, {});
    return null;
  },
});

/** Deletes refresh and control tokens that have expired. */
export const deleteExpiredTokens = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const deleted = await tokens.deleteExpiredTokens(ctx, PAGE);
    if (deleted === PAGE) await ctx.scheduler.runAfter(0, internal.cleanUp.deleteExpiredTokens, {});
    return null;
  },
});

/** Deletes refresh tokens and join links of Chalk's wire that have expired. */
export const deleteExpiredChalkTokens = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const deleted = await chalkTokens.deleteExpired(ctx, PAGE);
    if (deleted === PAGE) await ctx.scheduler.runAfter(0, internal.cleanUp.deleteExpiredChalkTokens, {});
    return null;
  },
});

/** Deletes jobs that were over a week ago. */
export const deleteOldJobs = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const deleted = await deleteJobs(ctx, PAGE);
    if (deleted === PAGE) await ctx.scheduler.runAfter(0, internal.cleanUp.deleteOldJobs, {});
    return null;
  },
});

/** Deletes bans that are over. */
export const deleteOldBans = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const deleted = await deleteExpiredBans(ctx, PAGE);
    if (deleted === PAGE) await ctx.scheduler.runAfter(0, internal.cleanUp.deleteOldBans, {});
    return null;
  },
});

/** Lets invitations expire whose time is over. */
export const expireInvitations = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const expired = await invitations.expireInvitations(ctx, PAGE);
    if (expired === PAGE) await ctx.scheduler.runAfter(0, internal.cleanUp.expireInvitations, {});
    return null;
  },
});

/** Deletes messages of the outbox after a month. */
export const deleteOldMessages = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const deleted = await outbox.deleteOldMessages(ctx, PAGE);
    if (deleted === PAGE) await ctx.scheduler.runAfter(0, internal.cleanUp.deleteOldMessages, {});
    return null;
  },
});

/** Deletes what has come of webhooks that were sent 30 days ago. */
export const deleteOldDeliveries = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const deleted = await webhookDeliveries.deleteOldDeliveries(ctx, PAGE);
    if (deleted === PAGE) await ctx.scheduler.runAfter(0, internal.cleanUp.deleteOldDeliveries, {});
    return null;
  },
});
