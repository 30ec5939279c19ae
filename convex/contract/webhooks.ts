import * as z from "zod";
import { eventType } from "./events";
import { id } from "./ids";
import { text } from "./text";

/** Endpoints that a tenant may have: each event is sent to all of them. */
export const MAX_WEBHOOK_ENDPOINTS = 10;

const timeAt = z.number().describe("Milliseconds since the epoch");

export const webhookUrl = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .describe("An https URL of a public host name");
export const webhookDescription = text().max(200);
export const webhookEventTypes = z
  .array(eventType)
  .min(1)
  .max(eventType.options.length)
  .describe("Which events are sent; all of them if absent");

/** Fields of the table `webhookEndpoints`. */
export const webhookEndpointFields = {
  tenantId: id("tenants"),
  url: webhookUrl,
  description: webhookDescription.exactOptional(),
  eventTypes: webhookEventTypes.exactOptional(),
  enabled: z.boolean(),
  /** When it was last enabled: what has happened before is sent only if somebody asks for it. */
  enabledAt: z.number(),
  /** Encrypted with CREDENTIALS_KEY. */
  sealedSecret: z.string(),
  /** The secret before, with which everything is signed as well until then. */
  previous: z.strictObject({ sealedSecret: z.string(), until: z.number() }).exactOptional(),
};

export const webhookEndpoint = z.strictObject({
  _id: id("webhookEndpoints"),
  _creationTime: z.number(),
  url: z.string(),
  description: z.string().exactOptional(),
  eventTypes: z.array(eventType).exactOptional(),
  enabled: z.boolean(),
  previousSecretUntil: timeAt
    .exactOptional()
    .describe("The secret before the last is good until then, milliseconds since the epoch"),
});
export type WebhookEndpoint = z.infer<typeof webhookEndpoint>;

/** Why something has not been delivered. `status`: another than 2xx; redirects are not followed. */
const webhookFailure = z.enum(["status", "timeout", "unreachable", "blocked"]);

/** What came of sending something once. */
export const webhookAttempt = z.strictObject({
  delivered: z.boolean(),
  status: z.int().exactOptional().describe("HTTP status of the answer, if there was one"),
  failure: webhookFailure
    .exactOptional()
    .describe("Why it was not delivered; `blocked`: the URL is not, or no longer, allowed"),
});
export type WebhookAttempt = z.infer<typeof webhookAttempt>;

/** Fields of the table `webhookCursors`: how far the events of one meeting have been sent to one endpoint. */
export const webhookCursorFields = {
  endpointId: id("webhookEndpoints"),
  meetingId: id("meetings"),
  /** The next event to be sent. */
  sequence: z.int(),
  /** Attempts to send it, and when the first was. */
  attempts: z.int(),
  firstAttemptAt: z.number().exactOptional(),
  /** When somebody has to go on: now, at the next attempt, or when who is at it must have given up. Absent: all is sent. */
  dueAt: z.number().exactOptional(),
  /** When a replay has last been asked for. */
  replayedAt: z.number().exactOptional(),
  /** Counts who has been at it, so that nobody who is late spoils the work of the next. */
  lease: z.int(),
};

/**
 * `retrying`: will be sent again. `dead`: was not delivered for three days, or its endpoint was disabled meanwhile or wanted it no more; the
 * next events have gone on.
 */
export const webhookDeliveryState = z.enum(["delivered", "retrying", "dead"]);

const deliveryFields = {
  endpointId: id("webhookEndpoints"),
  meetingId: id("meetings"),
  eventId: id("meetingEvents"),
  sequence: z.int(),
  type: eventType,
  state: webhookDeliveryState,
  attempts: z.int(),
  status: z.int().exactOptional(),
  failure: webhookFailure.exactOptional(),
  lastAttemptAt: timeAt,
};

/** Fields of the table `webhookDeliveries`: what has come of sending one event to one endpoint. */
export const webhookDeliveryFields = deliveryFields;

export const webhookDelivery = z.strictObject({
  _id: id("webhookDeliveries"),
  _creationTime: z.number(),
  ...deliveryFields,
});

/** What is sent, and where; for the action that sends it. */
export const webhookTask = z.strictObject({
  url: z.string(),
  sealedSecrets: z.array(z.string()),
  /** Stable: however often it is sent, and to whichever endpoint. */
  messageId: z.string(),
  /** The body, JSON. */
  body: z.string(),
});
export type WebhookTask = z.infer<typeof webhookTask>;
