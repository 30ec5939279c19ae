import { vi } from "vitest";
import { api } from "../../../convex/_generated/api";
import type { Id } from "../../../convex/_generated/dataModel";
import { allAdmins, type Expected, type Rows, type Stage } from "./stage";

const url = "https://hooks.example.com/";
const paginationOpts = { numItems: 5, cursor: null };

/** Those who may have endpoints of their own, but not this one. */
const admins: Expected = { ...allAdmins, outsider: "WEBHOOK_ENDPOINT_NOT_FOUND" };

/** The endpoint of the organization, and a dead letter of it, by the stage on which they were made. */
const made = new WeakMap<
  Stage,
  { endpointId: Id<"webhookEndpoints">; deliveryId: Id<"webhookDeliveries"> }
>();

function withKey(): Promise<void> {
  // Nothing is sent: what is tried here is who is let in.
  vi.stubEnv("CREDENTIALS_KEY", btoa("k".repeat(32)));
  vi.stubEnv("WEBHOOKS_ALLOW_HTTP", "");
  return Promise.resolve();
}

async function makeEndpoint(stage: Stage): Promise<void> {
  const { app, callers, meetingId } = stage;
  await withKey();
  const { endpointId } = await callers.admin.action(api.webhooks.endpoints.createWebhookEndpoint, { url });
  const deliveryId = await app.run(async (ctx) => {
    // Such an address is refused without being called.
    await ctx.db.patch("webhookEndpoints", endpointId, { url: "https://localhost/" });
    const [event] = await ctx.db.query("meetingEvents").collect();
    if (!event) throw new Error("There is no event");
    return ctx.db.insert("webhookDeliveries", {
      endpointId,
      meetingId,
      eventId: event._id,
      sequence: 1,
      type: event.type,
      state: "dead",
      attempts: 1,
      lastAttemptAt: 0,
    });
  });
  made.set(stage, { endpointId, deliveryId });
}

const ofEndpoint = (stage: Stage) => ({ endpointId: made.get(stage)?.endpointId });
const prepare = makeEndpoint;

export const webhooks: Rows = {
  "webhooks/endpoints/createWebhookEndpoint": {
    expected: allAdmins,
    args: () => ({ url }),
    prepare: withKey,
  },
  "webhooks/endpoints/listWebhookEndpoints": { expected: allAdmins, args: () => ({}) },
  "webhooks/endpoints/updateWebhookEndpoint": {
    expected: admins,
    args: (stage) => ({ ...ofEndpoint(stage), description: "Ours" }),
    prepare,
  },
  "webhooks/endpoints/rotateWebhookSecret": { expected: admins, args: ofEndpoint, prepare },
  "webhooks/endpoints/deleteWebhookEndpoint": { expected: admins, args: ofEndpoint, prepare },
  "webhooks/deliveries/pingWebhookEndpoint": { expected: admins, args: ofEndpoint, prepare },
  "webhooks/deliveries/listWebhookDeliveries": {
    expected: admins,
    args: (stage) => ({ ...ofEndpoint(stage), paginationOpts }),
    prepare,
  },
  "webhooks/deliveries/retryWebhookDelivery": {
    expected: { ...allAdmins, outsider: "WEBHOOK_DELIVERY_NOT_FOUND" },
    args: (stage) => ({ deliveryId: made.get(stage)?.deliveryId }),
    prepare,
  },
  "webhooks/deliveries/replayWebhookEvents": {
    expected: admins,
    args: (stage) => ({ ...ofEndpoint(stage), meetingId: stage.meetingId }),
    prepare,
  },
};
