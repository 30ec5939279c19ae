import * as z from "zod";
import { endpoint } from "./endpoint";
import { id } from "./ids";
import { webhookDescription, webhookEndpoint, webhookEventTypes, webhookUrl } from "./webhooks";

const tag = "Webhooks";

const endpointId = "webhook_123example";
const url = "https://example.com/webhooks/meetings";
const ofEndpoint = z.strictObject({ endpointId: id("webhookEndpoints") });
const secret = z.string().describe("Shown this once: `whsec_` and base64, as Standard Webhooks has it");
const secretExample = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

export const createWebhookEndpoint = endpoint({
  path: "webhooks/endpoints/createWebhookEndpoint",
  kind: "action",
  tag,
  access: "user",
  description:
    "Registers an address to which the events of all meetings of the caller's tenant are sent from now on, signed as Standard Webhooks says, those of one meeting in their order. Only for admins of the organization, or for the caller's own tenant without one.",
  args: z.strictObject({
    url: webhookUrl,
    description: webhookDescription.exactOptional(),
    eventTypes: webhookEventTypes.exactOptional(),
  }),
  returns: z.strictObject({ endpointId: id("webhookEndpoints"), secret }),
  errors: ["FORBIDDEN", "WEBHOOK_URL_NOT_ALLOWED", "TOO_MANY_WEBHOOK_ENDPOINTS"],
  example: { args: { url }, value: { endpointId, secret: secretExample } },
});

export const listWebhookEndpoints = endpoint({
  path: "webhooks/endpoints/listWebhookEndpoints",
  kind: "query",
  tag,
  access: "user",
  description: "The webhook endpoints of the caller's tenant, without their secrets. Only for its admins.",
  args: z.strictObject({}),
  returns: z.array(webhookEndpoint),
  errors: ["FORBIDDEN"],
  example: {
    args: {},
    value: [{ _id: endpointId, _creationTime: 1_767_225_600_000, url, enabled: true }],
  },
});

export const updateWebhookEndpoint = endpoint({
  path: "webhooks/endpoints/updateWebhookEndpoint",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Changes an endpoint; what is absent stays. One that is disabled is sent nothing, and begins with the next event when it is enabled again: `replayWebhookEvents` sends what it has missed. Only for admins of its tenant.",
  args: z.strictObject({
    endpointId: id("webhookEndpoints"),
    url: webhookUrl.exactOptional(),
    description: webhookDescription.exactOptional(),
    eventTypes: webhookEventTypes.nullable().exactOptional().describe("null: all of them"),
    enabled: z.boolean().exactOptional(),
  }),
  returns: webhookEndpoint,
  errors: ["FORBIDDEN", "WEBHOOK_ENDPOINT_NOT_FOUND", "WEBHOOK_URL_NOT_ALLOWED"],
  example: {
    args: { endpointId, enabled: false },
    value: { _id: endpointId, _creationTime: 1_767_225_600_000, url, enabled: false },
  },
});

export const rotateWebhookSecret = endpoint({
  path: "webhooks/endpoints/rotateWebhookSecret",
  kind: "action",
  tag,
  access: "user",
  description:
    "Gives an endpoint a new secret. For a day everything is signed with the one before as well, so that receivers can change over. Only for admins of its tenant.",
  args: ofEndpoint,
  returns: z.strictObject({
    secret,
    previousSecretUntil: z.number().describe("Milliseconds since the epoch"),
  }),
  errors: ["FORBIDDEN", "WEBHOOK_ENDPOINT_NOT_FOUND"],
  example: {
    args: { endpointId },
    value: { secret: secretExample, previousSecretUntil: 1_767_312_000_000 },
  },
});

export const deleteWebhookEndpoint = endpoint({
  path: "webhooks/endpoints/deleteWebhookEndpoint",
  kind: "mutation",
  tag,
  access: "user",
  description: "Deletes an endpoint and what is known of its deliveries. Only for admins of its tenant.",
  args: ofEndpoint,
  returns: z.null(),
  errors: ["FORBIDDEN", "WEBHOOK_ENDPOINT_NOT_FOUND"],
  example: { args: { endpointId }, value: null },
});
