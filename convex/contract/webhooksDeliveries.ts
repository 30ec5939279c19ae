import * as z from "zod";
import { endpoint } from "./endpoint";
import { id } from "./ids";
import { examplePage, examplePaginationOpts, pageOf, paginationOpts } from "./pagination";
import { webhookAttempt, webhookDelivery, webhookDeliveryState } from "./webhooks";

const tag = "Webhooks";

const endpointId = "webhook_123example";
const meetingId = "meeting_123example";
const deliveryId = "delivery_123example";
const attemptExample = { delivered: true, status: 204 };

export const pingWebhookEndpoint = endpoint({
  path: "webhooks/deliveries/pingWebhookEndpoint",
  kind: "action",
  tag,
  access: "user",
  description:
    "Sends an endpoint, enabled or not, a signed message of type `webhook.ping` and says what came of it. Only for admins of its tenant.",
  args: z.strictObject({ endpointId: id("webhookEndpoints") }),
  returns: webhookAttempt,
  errors: ["FORBIDDEN", "WEBHOOK_ENDPOINT_NOT_FOUND"],
  example: { args: { endpointId }, value: attemptExample },
});

export const listWebhookDeliveries = endpoint({
  path: "webhooks/deliveries/listWebhookDeliveries",
  kind: "query",
  tag,
  access: "user",
  description:
    "A page of what has been sent to an endpoint and what came of it, the newest first; those that are `dead` are the dead letters. Kept for 30 days. Only for admins of its tenant.",
  args: z.strictObject({
    endpointId: id("webhookEndpoints"),
    state: webhookDeliveryState.exactOptional(),
    paginationOpts,
  }),
  returns: pageOf(webhookDelivery),
  errors: ["FORBIDDEN", "WEBHOOK_ENDPOINT_NOT_FOUND"],
  example: {
    args: { endpointId, state: "dead", paginationOpts: examplePaginationOpts },
    value: examplePage({
      _id: deliveryId,
      _creationTime: 1_767_225_600_000,
      endpointId,
      meetingId,
      eventId: "event_123example",
      sequence: 4,
      type: "participant.joined",
      state: "dead",
      attempts: 24,
      status: 500,
      failure: "status",
      lastAttemptAt: 1_767_484_800_000,
    }),
  },
});

export const retryWebhookDelivery = endpoint({
  path: "webhooks/deliveries/retryWebhookDelivery",
  kind: "action",
  tag,
  access: "user",
  description:
    "Sends a dead letter once more, out of its order, and says what came of it. Only for admins of the endpoint's tenant.",
  args: z.strictObject({ deliveryId: id("webhookDeliveries") }),
  returns: webhookAttempt,
  errors: ["FORBIDDEN", "WEBHOOK_DELIVERY_NOT_FOUND", "WEBHOOK_DELIVERY_NOT_DEAD"],
  example: { args: { deliveryId }, value: attemptExample },
});

export const replayWebhookEvents = endpoint({
  path: "webhooks/deliveries/replayWebhookEvents",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Sends an enabled endpoint the events of a meeting again from one on, in their order, before those that come. Only for admins of the tenant of both.",
  args: z.strictObject({
    endpointId: id("webhookEndpoints"),
    meetingId: id("meetings"),
    fromSequence: z.int().min(1).exactOptional().describe("The first event to be sent; 1 if absent"),
  }),
  returns: z.null(),
  errors: ["FORBIDDEN", "WEBHOOK_ENDPOINT_NOT_FOUND", "WEBHOOK_ENDPOINT_DISABLED", "MEETING_NOT_FOUND"],
  example: { args: { endpointId, meetingId, fromSequence: 4 }, value: null },
});
