/** What the actions of this folder read and write for a caller, whom they pass on. */
import { zodOutputToConvex, zodToConvex } from "convex-helpers/server/zod4";
import { v } from "convex/values";
import { type QueryCtx, internalMutation, internalQuery } from "../_generated/server";
import { webhookAttempt, webhookTask } from "../contract/webhooks";
import { requireIdentity, requireUser } from "../model/caller";
import { fail } from "../model/errors";
import type { Caller } from "../model/tenants";
import { taskOf } from "../model/webhookQueue";
import { requireDelivery, settleDeadLetter } from "../model/webhookDeliveries";
import { changeSecret, insertEndpoint, requireEndpoint, secretsOf } from "../model/webhookEndpoints";
import { webhookEndpointFields } from "../contract/webhooks";
import { tableFields } from "../validators";

const { url, description, eventTypes, sealedSecret } = tableFields(webhookEndpointFields);

/** Keeps a new endpoint of the caller's tenant. */
export const insert = internalMutation({
  args: { url, description, eventTypes, sealedSecret },
  returns: v.id("webhookEndpoints"),
  handler: async (ctx, given) => insertEndpoint(await withCaller(ctx), given),
});

/** Keeps the next secret of an endpoint; gives the time until which the one before is good. */
export const rotate = internalMutation({
  args: { endpointId: v.string(), sealedSecret },
  returns: v.number(),
  handler: async (ctx, { endpointId, sealedSecret }) =>
    changeSecret(ctx, await requireEndpoint(await withCaller(ctx), endpointId), sealedSecret),
});

/** A message that says nothing, for an endpoint of the caller's tenant. */
export const ping = internalQuery({
  args: { endpointId: v.string(), messageId: v.string(), now: v.number() },
  returns: zodOutputToConvex(webhookTask),
  handler: async (ctx, { endpointId, messageId, now }) => {
    const endpoint = await requireEndpoint(await withCaller(ctx), endpointId);
    const timestamp = new Date(now).toISOString();
    return {
      url: endpoint.url,
      sealedSecrets: secretsOf(endpoint, now),
      messageId,
      body: JSON.stringify({ type: "webhook.ping", timestamp, data: { endpointId: endpoint._id } }),
    };
  },
});

/** A dead letter, to be sent once more. */
export const deadLetter = internalQuery({
  args: { deliveryId: v.string(), now: v.number() },
  returns: v.object({ deliveryId: v.id("webhookDeliveries"), task: zodOutputToConvex(webhookTask) }),
  handler: async (ctx, { deliveryId, now }) => {
    const { delivery, endpoint, event } = await requireDelivery(await withCaller(ctx), deliveryId);
    if (delivery.state !== "dead") fail("WEBHOOK_DELIVERY_NOT_DEAD", "This is no dead letter");
    return { deliveryId: delivery._id, task: taskOf(endpoint, event, now) };
  },
});

/** Notes what came of sending a dead letter once more. */
export const settle = internalMutation({
  args: { deliveryId: v.id("webhookDeliveries"), attempt: zodToConvex(webhookAttempt) },
  returns: v.null(),
  handler: async (ctx, { deliveryId, attempt }) => {
    await settleDeadLetter(ctx, deliveryId, attempt);
    return null;
  },
});

async function withCaller<Ctx extends QueryCtx>(ctx: Ctx): Promise<Ctx & Caller> {
  const identity = await requireIdentity(ctx);
  return { ...ctx, identity, user: await requireUser(ctx, identity) };
}
