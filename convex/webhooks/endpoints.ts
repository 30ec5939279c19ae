import { internal } from "../_generated/api";
import type { Id } from "../_generated/dataModel";
import * as contract from "../contract/webhooksEndpoints";
import { authedAction, authedMutation, authedQuery } from "../functions";
import { newSigningSecret, seal } from "../model/secrets";
import {
  changeEndpoint,
  deleteEndpoint,
  endpointView,
  listEndpoints,
  requireEndpoint,
} from "../model/webhookEndpoints";

/** Registers an address to which the events of the caller's tenant are sent; gives the secret, this once. */
export const createWebhookEndpoint = authedAction(
  contract.createWebhookEndpoint,
  async (ctx, args): Promise<{ endpointId: Id<"webhookEndpoints">; secret: string }> => {
    const secret = newSigningSecret();
    const kept = { ...args, sealedSecret: await seal(secret) };
    return { endpointId: await ctx.runMutation(internal.webhooks.store.insert, kept), secret };
  },
);

/** The endpoints of the caller's tenant. */
export const listWebhookEndpoints = authedQuery(contract.listWebhookEndpoints, async (ctx) =>
  (await listEndpoints(ctx)).map(endpointView),
);

/** Changes an endpoint. */
export const updateWebhookEndpoint = authedMutation(contract.updateWebhookEndpoint, async (ctx, args) => {
  const { endpointId, eventTypes, ...changes } = args;
  const row = await requireEndpoint(ctx, endpointId);
  return changeEndpoint(ctx, row, {
    ...changes,
    ...(eventTypes !== undefined && { eventTypes: eventTypes ?? undefined }),
  });
});

/** Gives an endpoint a new secret; the one before is good for a day. */
export const rotateWebhookSecret = authedAction(
  contract.rotateWebhookSecret,
  async (ctx, { endpointId }): Promise<{ secret: string; previousSecretUntil: number }> => {
    const secret = newSigningSecret();
    const sealedSecret = await seal(secret);
    const previousSecretUntil = await ctx.runMutation(internal.webhooks.store.rotate, {
      endpointId,
      sealedSecret,
    });
    return { secret, previousSecretUntil };
  },
);

/** Deletes an endpoint. */
export const deleteWebhookEndpoint = authedMutation(contract.deleteWebhookEndpoint, async (ctx, args) => {
  const row = await requireEndpoint(ctx, args.endpointId);
  await deleteEndpoint(ctx, row);
  await ctx.scheduler.runAfter(0, internal.webhooks.queue.deleteRemains, { endpointId: row._id });
  return null;
});
