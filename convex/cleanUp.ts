/** What crons.ts runs, a page in one transaction, of which what is left is scheduled for the next; and what comes in its time. */
import type { FunctionReference, RegisteredMutation } from "convex/server";
import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalMutation, type MutationCtx } from "./_generated/server";
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

/** Said of each, since the type of a mutation that schedules itself cannot be found from what it does. */
type Paged = RegisteredMutation<"internal", Record<string, never>, Promise<null>>;

/** Does a page of work, and schedules `next` if there may be more. `work` gives how much it has done, at most its limit. */
function inPages(
  work: (ctx: MutationCtx, limit: number) => Promise<number>,
  next: () => FunctionReference<"mutation", "internal">,
): Paged {
  return internalMutation({
    args: {},
    returns: v.null(),
    handler: async (ctx) => {
      if ((await work(ctx, PAGE)) === PAGE) await ctx.scheduler.runAfter(0, next(), {});
      return null;
    },
  });
}

/** Cancels scheduled meetings that nobody has started within a day of their time. */
export const cancelMissed: Paged = inPages(
  meetings.cancelMissedMeetings,
  () => internal.cleanUp.cancelMissed,
);

/** Ends a meeting that has been empty for its timeout. Scheduled by `model/emptyMeetings.ts`. */
export const endIfEmpty = internalMutation({
  args: { meetingId: v.id("meetings") },
  returns: v.null(),
  handler: async (ctx, { meetingId }) => {
    await meetings.endIfEmpty(ctx, meetingId);
    return null;
  },
});

/** Deletes rate limits that were made a day ago, so that there are no more of them than callers in a day. */
export const deleteOldRateLimits = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    await deleteOldBuckets(ctx);
    return null;
  },
});

/** Deletes answers of requests with an idempotency key that are kept no longer. */
export const deleteOldKeys: Paged = inPages(deleteOldAnswers, () => internal.cleanUp.deleteOldKeys);

/** Deletes refresh and control tokens that have expired. */
export const deleteExpiredTokens: Paged = inPages(
  tokens.deleteExpiredTokens,
  () => internal.cleanUp.deleteExpiredTokens,
);

/** Deletes refresh tokens and join links of Chalk's wire that have expired. */
export const deleteExpiredChalkTokens: Paged = inPages(
  chalkTokens.deleteExpired,
  () => internal.cleanUp.deleteExpiredChalkTokens,
);

/** Deletes jobs that were over a week ago. */
export const deleteOldJobs: Paged = inPages(deleteJobs, () => internal.cleanUp.deleteOldJobs);

/** Deletes bans that are over. */
export const deleteOldBans: Paged = inPages(deleteExpiredBans, () => internal.cleanUp.deleteOldBans);

/** Lets invitations expire whose time is over. */
export const expireInvitations: Paged = inPages(
  invitations.expireInvitations,
  () => internal.cleanUp.expireInvitations,
);

/** Deletes messages of the outbox after a month. */
export const deleteOldMessages: Paged = inPages(
  outbox.deleteOldMessages,
  () => internal.cleanUp.deleteOldMessages,
);

/** Deletes what has come of webhooks that were sent 30 days ago. */
export const deleteOldDeliveries: Paged = inPages(
  webhookDeliveries.deleteOldDeliveries,
  () => internal.cleanUp.deleteOldDeliveries,
);
