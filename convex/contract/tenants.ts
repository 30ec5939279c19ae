import * as z from "zod";
import { id } from "./ids";
import { text } from "./text";

/** A tenant is a WorkOS organization, what a person without one has, or what an administrator has made. */
const tenantKind = z.enum(["organization", "personal", "custom"]);
export type TenantKind = z.infer<typeof tenantKind>;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const count = z.int().min(1).max(100_000);

/** What the deployment's administrator grants a tenant. */
const limits = {
  maxParticipantsPerMeeting: count
    .exactOptional()
    .describe("Places in each meeting at most, whatever the meeting says; no bound if absent"),
  maxConcurrentMeetings: z
    .int()
    .min(1)
    .max(1000)
    .exactOptional()
    .describe("Active meetings at a time; 100 if absent"),
  mutationsPerSecond: z
    .int()
    .min(1)
    .max(100_000)
    .exactOptional()
    .describe("Changes to all meetings of the tenant together per second; no bound if absent"),
};

/** What a tenant decides for itself. */
const policies = {
  earlyJoinMs: z
    .int()
    .min(0)
    .max(DAY_MS)
    .exactOptional()
    .describe(
      "So long before its planned time a meeting is started by the first who joins it; 0 or absent: a host must start it",
    ),
  firstParticipantIsHost: z
    .boolean()
    .exactOptional()
    .describe(
      "In a meeting without a host the first person added without a role becomes one; false if absent",
    ),
  forceRecording: z
    .boolean()
    .exactOptional()
    .describe("Hosts are told to record when they join; false if absent"),
  duplicatePolicy: z
    .enum(["skip", "update", "return"])
    .exactOptional()
    .describe("What `onExisting` is where a request does not say it; `skip` if absent"),
  emptyTimeoutMs: z
    .int()
    .min(MINUTE_MS)
    .max(DAY_MS)
    .exactOptional()
    .describe("An active meeting that has been empty for so long ends by itself; 1,800,000 if absent"),
};

/** What holds for all meetings of a tenant. What is absent is the default. */
export const tenantConfig = z.strictObject({ ...limits, ...policies });
export type TenantConfig = z.infer<typeof tenantConfig>;

/** Fields to change; null brings a default back. */
export const policyChanges = changesOf(policies);
export const configChanges = changesOf({ ...limits, ...policies });
export type ConfigChanges = z.infer<typeof configChanges>;

type Changes<Shape extends Record<string, z.ZodExactOptional>> = {
  [Field in keyof Shape]: z.ZodExactOptional<z.ZodNullable<ReturnType<Shape[Field]["unwrap"]>>>;
};

function changesOf<Shape extends Record<string, z.ZodExactOptional<z.ZodType>>>(shape: Shape) {
  const fields = Object.entries(shape).map(([field, schema]) => [
    field,
    schema
      .unwrap()
      .nullable()
      .exactOptional()
      .describe(schema.description ?? ""),
  ]);
  return z.strictObject(Object.fromEntries(fields) as Changes<Shape>);
}

/** Fields of the table `tenants`. */
export const tenantFields = {
  kind: tenantKind,
  /** Says which tenant this is: `organization:<WorkOS id or name>` or `personal:<user id>`. */
  key: z.string(),
  name: text(),
  config: tenantConfig,
  /** Registered webhook endpoints, so that whoever writes an event knows whether anybody waits for it; 0 if absent. */
  webhookEndpoints: z.int().exactOptional(),
};

export const tenant = z.strictObject({
  _id: id("tenants"),
  _creationTime: z.number(),
  kind: tenantKind,
  name: text(),
  config: tenantConfig,
});
