/** The addresses to which a tenant's events are sent. */
import type { WithoutSystemFields } from "convex/server";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import { MAX_WEBHOOK_ENDPOINTS, type WebhookEndpoint } from "../contract/webhooks";
import { type Caller, ensureTenant, findTenant, requireAdministered } from "./tenants";
import { fail } from "./errors";
import type { Patch } from "./meetingEdit";
import { requireAllowedUrl } from "./webhookUrls";

type Row = Doc<"webhookEndpoints">;

/** For how long everything is signed with the secret before as well. */
const OVERLAP_MS = 24 * 60 * 60_000;

/** Registers an endpoint of the caller's tenant. FORBIDDEN, WEBHOOK_URL_NOT_ALLOWED, TOO_MANY_WEBHOOK_ENDPOINTS. */
export async function insertEndpoint(
  ctx: MutationCtx & Caller,
  given: Pick<WithoutSystemFields<Row>, "url" | "description" | "eventTypes" | "sealedSecret">,
): Promise<Id<"webhookEndpoints">> {
  const tenant = await ensureTenant(ctx, requireAdministered(ctx));
  requireAllowedUrl(given.url);
  const { webhookEndpoints = 0 } = tenant;
  if (webhookEndpoints >= MAX_WEBHOOK_ENDPOINTS) {
    fail("TOO_MANY_WEBHOOK_ENDPOINTS", `A tenant has at most ${MAX_WEBHOOK_ENDPOINTS} webhook endpoints`);
  }
  await ctx.db.patch("tenants", tenant._id, { webhookEndpoints: webhookEndpoints + 1 });
  return ctx.db.insert("webhookEndpoints", {
    ...given,
    tenantId: tenant._id,
    enabled: true,
    enabledAt: Date.now(),
  });
}

/** The endpoints of the caller's tenant. FORBIDDEN. */
export async function listEndpoints(ctx: { db: DatabaseReader } & Caller): Promise<Row[]> {
  const tenant = await findTenant(ctx.db, requireAdministered(ctx));
  return tenant ? endpointsOf(ctx.db, tenant._id) : [];
}

/** The endpoints of a tenant. */
export function endpointsOf(db: DatabaseReader, tenantId: Id<"tenants">): Promise<Row[]> {
  return db
    .query("webhookEndpoints")
    .withIndex("by_tenant", (q) => q.eq("tenantId", tenantId))
    .take(MAX_WEBHOOK_ENDPOINTS);
}

/** An endpoint of the caller's tenant. FORBIDDEN, WEBHOOK_ENDPOINT_NOT_FOUND. */
export async function requireEndpoint(ctx: { db: DatabaseReader } & Caller, givenId: string): Promise<Row> {
  const tenant = await findTenant(ctx.db, requireAdministered(ctx));
  const endpointId = ctx.db.normalizeId("webhookEndpoints", givenId);
  const row = endpointId && (await ctx.db.get("webhookEndpoints", endpointId));
  if (!row || row.tenantId !== tenant?._id) {
    fail("WEBHOOK_ENDPOINT_NOT_FOUND", "There is no such webhook endpoint");
  }
  return row;
}

/** Changes an endpoint; gives it as it is then. WEBHOOK_URL_NOT_ALLOWED. */
export async function changeEndpoint(
  ctx: MutationCtx,
  row: Row,
  changes: Patch<Pick<Row, "url" | "description" | "eventTypes" | "enabled">>,
): Promise<WebhookEndpoint> {
  if (changes.url !== undefined) requireAllowedUrl(changes.url);
  const isEnabled = changes.enabled === true && !row.enabled;
  const fields = { ...changes, ...(isEnabled && { enabledAt: Date.now() }) };
  await ctx.db.patch("webhookEndpoints", row._id, fields);
  return endpointView({ ...row, ...fields } as Row);
}

/** Gives an endpoint another secret; gives the time until which the one before is good. */
export async function changeSecret(ctx: MutationCtx, row: Row, sealedSecret: string): Promise<number> {
  const until = Date.now() + OVERLAP_MS;
  const previous = { sealedSecret: row.sealedSecret, until };
  await ctx.db.patch("webhookEndpoints", row._id, { sealedSecret, previous });
  return until;
}

/** Deletes an endpoint. What is known of its deliveries is to be deleted page by page. */
export async function deleteEndpoint(ctx: MutationCtx, { _id, tenantId }: Row): Promise<void> {
  const tenant = await ctx.db.get("tenants", tenantId);
  await ctx.db.delete("webhookEndpoints", _id);
  await ctx.db.patch("tenants", tenantId, { webhookEndpoints: (tenant?.webhookEndpoints ?? 1) - 1 });
}

/** The secrets with which something is to be signed at a time. */
export function secretsOf({ sealedSecret, previous }: Row, now: number): string[] {
  return previous && previous.until > now ? [sealedSecret, previous.sealedSecret] : [sealedSecret];
}

/** An endpoint as its admins see it. */
export function endpointView(row: Row): WebhookEndpoint {
  const { _id, _creationTime, url, description, eventTypes, enabled, previous } = row;
  return {
    _id,
    _creationTime,
    url,
    ...(description !== undefined && { description }),
    ...(eventTypes && { eventTypes }),
    enabled,
    ...(previous && { previousSecretUntil: previous.until }),
  };
}
