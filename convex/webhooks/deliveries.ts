import { internal } from "../_generated/api";
import type { WebhookAttempt } from "../contract/webhooks";
import * as contract from "../contract/webhooksDeliveries";
import { authedAction, authedMutation, authedQuery } from "../functions";
import { requireOwnMeeting } from "../model/access";
import { fail } from "../model/errors";
import { randomSecret } from "../model/secrets";
import { listDeliveries } from "../model/webhookDeliveries";
import { requireEndpoint } from "../model/webhookEndpoints";
import { moveCursor } from "../model/webhookQueue";

/** Sends an endpoint a message that says nothing. */
export const pingWebhookEndpoint = authedAction(
  contract.pingWebhookEndpoint,
  async (ctx, { endpointId }): Promise<WebhookAttempt> => {
    const messageId = `ping_${randomSecret()}`;
    const message = { endpointId, messageId, now: Date.now() };
    const task = await ctx.runQuery(internal.webhooks.store.ping, message);
    return ctx.runAction(internal.webhooks.sending.sendOnce, { task });
  },
);

/** A page of what has been sent to an endpoint. */
export const listWebhookDeliveries = authedQuery(contract.listWebhookDeliveries, async (ctx, args) => {
  const { _id } = await requireEndpoint(ctx, args.endpointId);
  return listDeliveries(ctx.db, _id, args.state, args.paginationOpts);
});

/** Sends a dead letter once more. */
export const retryWebhookDelivery = authedAction(
  contract.retryWebhookDelivery,
  async (ctx, args): Promise<WebhookAttempt> => {
    const letter = { ...args, now: Date.now() };
    const { deliveryId, task } = await ctx.runQuery(internal.webhooks.store.deadLetter, letter);
    const attempt: WebhookAttempt = await ctx.runAction(internal.webhooks.sending.sendOnce, { task });
    await ctx.runMutation(internal.webhooks.store.settle, { deliveryId, attempt });
    return attempt;
  },
);

/** Sends the events of a meeting again from one on. */
export const replayWebhookEvents = authedMutation(contract.replayWebhookEvents, async (ctx, args) => {
  const { _id, tenantId, enabled } = await requireEndpoint(ctx, args.endpointId);
  const meeting = await requireOwnMeeting(ctx.db, tenantId, args.meetingId);
  if (!enabled) fail("WEBHOOK_ENDPOINT_DISABLED", "The endpoint is disabled");
  await moveCursor(ctx, _id, meeting, args.fromSequence ?? 1);
  return null;
});
