import { cronJobs } from "convex/server";
import { internal } from "./_generated/api";

const crons = cronJobs();

crons.interval("cancel meetings that nobody started", { minutes: 15 }, internal.cleanUp.cancelMissed, {});
crons.interval("delete old rate limits", { hours: 1 }, internal.cleanUp.deleteOldRateLimits, {});
crons.interval("delete old answers", { hours: 1 }, internal.cleanUp.deleteOldKeys, {});
crons.interval("delete expired tokens", { hours: 1 }, internal.cleanUp.deleteExpiredTokens, {});
crons.interval("let invitations expire", { minutes: 5 }, internal.cleanUp.expireInvitations, {});
crons.interval("deliver what was left behind", { minutes: 1 }, internal.outbox.wake, {});
crons.interval("delete old messages", { hours: 1 }, internal.cleanUp.deleteOldMessages, {});
crons.interval("delete old webhook deliveries", { hours: 1 }, internal.cleanUp.deleteOldDeliveries, {});
crons.interval("go on with webhooks", { minutes: 1 }, internal.webhooks.queue.wakeOverdue, {});
crons.interval("delete expired Chalk tokens", { hours: 1 }, internal.cleanUp.deleteExpiredChalkTokens, {});

crons.interval("delete bans that are over", { hours: 1 }, internal.cleanUp.deleteOldBans, {});
crons.interval(
  "delete expired tokens of the Huawei wire",
  { hours: 1 },
  internal.dialects.huawei.perform.deleteExpiredTokens,
  {},
);
crons.interval("delete old jobs", { hours: 1 }, internal.cleanUp.deleteOldJobs, {});

export default crons;
