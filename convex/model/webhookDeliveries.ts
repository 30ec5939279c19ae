/** What has come of sending events to webhook endpoints. */
import type { PaginationOptions } from "convex/server";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import type { WebhookAttempt } from "../contract/webhooks";
import { fail } from "./errors";
import { type Caller, findTenant, requireAdministered } from "./tenants";

type Delivery = Doc<"webhookDeliveries">;
type State = Delivery["state"];

const KEEP_MS = 30 * 24 * 60 * 60_000;

/** A page of the deliveries to an endpoint, the newest first. */
export function listDeliveries(
  db: DatabaseReader,
  endpointId: Id<"webhookEndpoints">,
  state: State | undefined,
  paginationOpts: PaginationOptions,
) {
  const table = db.query("webhookDeliveries");
  const deliveries = state
    ? table.withIndex("by_endpoint_and_state", (q) => q.eq("endpointId", endpointId).eq("state", state))
    : table.withIndex("by_endpoint", (q) => q.eq("endpointId", endpointId));
  return deliveries.order("desc").paginate(paginationOpts);
}

/** A delivery to an endpoint of the caller's tenant. FORBIDDEN, WEBHOOK_DELIVERY_NOT_FOUND. */
export async function requireDelivery(ctx: { db: DatabaseReader } & Caller, givenId: string) {
  const tenant = await findTenant(ctx.db, requireAdministered(ctx));
  const deliveryId = ctx.db.normalizeId("webhookDeliveries", givenId);
  const delivery = deliveryId && (await ctx.db.get("webhookDeliveries", deliveryId));
  const [endpoint, event] = delivery
    ? await Promise.all([
        ctx.db.get("webhookEndpoints", delivery.endpointId),
        ctx.db.get("meetingEvents", delivery.eventId),
      ])
    : [];
  if (!delivery || !endpoint || !event || endpoint.tenantId !== tenant?._id) {
    fail("WEBHOOK_DELIVERY_NOT_FOUND", "There is no such delivery");
  }
  return { delivery, endpoint, event };
}

/** Keeps what came of sending an event: one row, however many attempts there are. */
export async function noteDelivery(
  ctx: MutationCtx,
  endpointId: Id<"webhookEndpoints">,
  event: Doc<"meetingEvents">,
  outcome: { state: State; attempts: number },
  { status, failure }: WebhookAttempt,
): Promise<void> {
  const kept = await findDelivery(ctx.db, endpointId, event._id);
  const fields = { ...outcome, lastAttemptAt: Date.now() };
  if (kept) await ctx.db.patch("webhookDeliveries", kept._id, { ...fields, status, failure });
  else {
    await ctx.db.insert("webhookDeliveries", {
      endpointId,
      meetingId: event.meetingId,
      eventId: event._id,
      sequence: event.sequence,
      type: event.type,
      ...fields,
      ...(status !== undefined && { status }),
      ...(failure !== undefined && { failure }),
    });
  }
}

/** Says of the event that a cursor was to send again, if there is one, that it is not: its turn has passed without another attempt. */
export async function giveUpDelivery(
  ctx: MutationCtx,
  { endpointId, meetingId, sequence, attempts }: Doc<"webhookCursors">,
): Promise<void> {
  if (attempts === 0) return;
  const event = await ctx.db
    .query("meetingEvents")
    .withIndex("by_meeting_and_sequence", (q) => q.eq("meetingId", meetingId).eq("sequence", sequence))
    .unique();
  const kept = event && (await findDelivery(ctx.db, endpointId, event._id));
  if (kept?.state === "retrying") await ctx.db.patch("webhookDeliveries", kept._id, { state: "dead" });
}

/** Keeps what came of sending a dead letter once more. */
export async function settleDeadLetter(
  ctx: MutationCtx,
  deliveryId: Id<"webhookDeliveries">,
  { delivered, status, failure }: WebhookAttempt,
): Promise<void> {
  const delivery = await ctx.db.get("webhookDeliveries", deliveryId);
  if (delivery?.state !== "dead") return;
  await ctx.db.patch("webhookDeliveries", deliveryId, {
    state: delivered ? "delivered" : "dead",
    attempts: delivery.attempts + 1,
    status,
    failure,
    lastAttemptAt: Date.now(),
  });
}

function findDelivery(
  db: DatabaseReader,
  endpointId: Id<"webhookEndpoints">,
  eventId: Id<"meetingEvents">,
): Promise<Delivery | null> {
  return db
    .query("webhookDeliveries")
    .withIndex("by_endpoint_and_event", (q) => q.eq("endpointId", endpointId).eq("eventId", eventId))
    .unique();
}

/**
 * Deletes deliveries that are kept no longer, the oldest first.
 *
 * @returns how many were deleted, at most `limit`.
 */
export async function deleteOldDeliveries(ctx: MutationCtx, limit: number): Promise<number> {
  const old = await ctx.db
    .query("webhookDeliveries")
    .withIndex("by_creation_time", (q) => q.lt("_creationTime", Date.now() - KEEP_MS))
    .take(limit);
  await Promise.all(old.map(({ _id }) => ctx.db.delete("webhookDeliveries", _id)));
  return old.length;
}

/**
 * Deletes what is left of an endpoint that is deleted.
 *
 * @returns whether more than `limit` of it was left.
 */
export async function deleteRemains(
  ctx: MutationCtx,
  endpointId: Id<"webhookEndpoints">,
  limit: number,
): Promise<boolean> {
  const [cursors, deliveries] = await Promise.all([
    ctx.db
      .query("webhookCursors")
      .withIndex("by_endpoint_and_meeting", (q) => q.eq("endpointId", endpointId))
      .take(limit),
    ctx.db
      .query("webhookDeliveries")
      .withIndex("by_endpoint", (q) => q.eq("endpointId", endpointId))
      .take(limit),
  ]);
  await Promise.all([
    ...cursors.map(({ _id }) => ctx.db.delete("webhookCursors", _id)),
    ...deliveries.map(({ _id }) => ctx.db.delete("webhookDeliveries", _id)),
  ]);
  return cursors.length === limit || deliveries.length === limit;
}
