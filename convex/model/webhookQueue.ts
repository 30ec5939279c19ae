/**
 * Events on their way to webhook endpoints. One cursor for each endpoint and meeting says which event is next, and no event is sent
 * before the one before it is delivered or dead. Whoever is at a cursor has a lease on it: until it is over nobody else sends, and
 * when it is over, because the sender has died, the next cron goes on.
 */
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import type { WebhookAttempt, WebhookTask } from "../contract/webhooks";
import { giveUpDelivery, noteDelivery } from "./webhookDeliveries";
import { endpointsOf, secretsOf } from "./webhookEndpoints";

type Cursor = Doc<"webhookCursors">;
type Event = Doc<"meetingEvents">;

/** Longer than one message can take: see SEND_TIMEOUT_MS. */
const LEASE_MS = 30_000;
/** The sender of a message gives up after so long. */
export const SEND_TIMEOUT_MS = 10_000;

const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 6 * 60 * 60_000;
const DEAD_AFTER_MS = 3 * 24 * 60 * 60_000;

/** How far an event is looked for that an endpoint wants, in one transaction. */
const EVENTS_AT_ONCE = 100;

/** The order to send one event, for whoever has the lease. */
export interface Order {
  cursorId: Id<"webhookCursors">;
  lease: number;
  eventId: Id<"meetingEvents">;
  task: WebhookTask;
}

/** Has the endpoints of a tenant sent the events of a meeting from one on. For the transaction that writes the events. */
export async function announceEvents(
  ctx: MutationCtx,
  { webhookEndpoints = 0 }: Doc<"tenants">,
  meetingId: Id<"meetings">,
  fromSequence: number,
): Promise<void> {
  if (webhookEndpoints === 0) return;
  await ctx.scheduler.runAfter(0, internal.webhooks.queue.wake, { meetingId, fromSequence });
}

/** Begins to send the events of a meeting to every endpoint that is not being sent any. */
export async function wakeCursors(
  ctx: MutationCtx,
  meetingId: Id<"meetings">,
  fromSequence: number,
): Promise<void> {
  const meeting = await ctx.db.get("meetings", meetingId);
  if (meeting?.tenantId === undefined) return;
  const endpoints = await endpointsOf(ctx.db, meeting.tenantId);
  await Promise.all(
    endpoints
      .filter(({ enabled }) => enabled)
      .map(async (endpoint) => {
        const cursor = await findCursor(ctx.db, endpoint._id, meetingId);
        if (!cursor) {
          const sequence = await firstSince(ctx.db, meetingId, fromSequence, endpoint.enabledAt);
          await openCursor(ctx, endpoint._id, meetingId, sequence);
        } else if (cursor.dueAt === undefined) {
          await ctx.db.patch("webhookCursors", cursor._id, { dueAt: Date.now() });
          await scheduleSending(ctx, cursor._id, 0);
        }
      }),
  );
}

/** Goes back or forward to an event, whatever was going on, but past none of those that come. */
export async function moveCursor(
  ctx: MutationCtx,
  endpointId: Id<"webhookEndpoints">,
  { _id: meetingId, eventSequence = 0 }: Doc<"meetings">,
  fromSequence: number,
): Promise<void> {
  const sequence = Math.min(fromSequence, eventSequence + 1);
  const cursor = await findCursor(ctx.db, endpointId, meetingId);
  if (!cursor) return openCursor(ctx, endpointId, meetingId, sequence);
  if (sequence > cursor.sequence) await giveUpDelivery(ctx, cursor);
  const now = Date.now();
  await ctx.db.patch("webhookCursors", cursor._id, {
    sequence,
    replayedAt: now,
    attempts: 0,
    firstAttemptAt: undefined,
    dueAt: now,
    lease: cursor.lease + 1,
  });
  await scheduleSending(ctx, cursor._id, 0);
}

/** Takes the lease of a cursor that is due; null if there is nothing to be sent, or somebody else is at it. */
export async function takeOrder(ctx: MutationCtx, cursorId: Id<"webhookCursors">): Promise<Order | null> {
  const cursor = await ctx.db.get("webhookCursors", cursorId);
  if (cursor?.dueAt === undefined || cursor.dueAt > Date.now()) return null;
  return nextOrder(ctx, cursor);
}

/**
 * Notes what came of an order.
 *
 * @param goesOn Whether the sender has time for another; else somebody else is sent for.
 * @returns the next order, if this one is done with and there is another.
 */
export async function settleOrder(
  ctx: MutationCtx,
  { cursorId, lease, eventId }: Omit<Order, "task">,
  attempt: WebhookAttempt,
  goesOn: boolean,
): Promise<Order | null> {
  const [cursor, event] = await Promise.all([
    ctx.db.get("webhookCursors", cursorId),
    ctx.db.get("meetingEvents", eventId),
  ]);
  if (cursor?.lease !== lease || !event) return null;
  const now = Date.now();
  const { firstAttemptAt = now, ...place } = cursor;
  const attempts = cursor.attempts + 1;
  const isDead = !attempt.delivered && now - firstAttemptAt >= DEAD_AFTER_MS;
  const state = attempt.delivered ? "delivered" : isDead ? "dead" : "retrying";
  await noteDelivery(ctx, cursor.endpointId, event, { state, attempts }, attempt);
  if (state === "retrying") {
    const delayMs = retryDelayMs(attempts, Math.random());
    await ctx.db.patch("webhookCursors", cursorId, { attempts, firstAttemptAt, dueAt: now + delayMs });
    await scheduleSending(ctx, cursorId, delayMs);
    return null;
  }
  const sequence = event.sequence + 1;
  if (goesOn) return nextOrder(ctx, { ...place, sequence, attempts: 0 });
  await ctx.db.patch("webhookCursors", cursorId, {
    sequence,
    attempts: 0,
    firstAttemptAt: undefined,
    dueAt: now,
    lease: lease + 1,
  });
  await scheduleSending(ctx, cursorId, 0);
  return null;
}

/** Goes on with cursors that are overdue because their sender has died. */
export async function wakeOverdue(ctx: MutationCtx, limit: number): Promise<void> {
  const overdue = await ctx.db
    .query("webhookCursors")
    .withIndex("by_due_at", (q) => q.gt("dueAt", 0).lte("dueAt", Date.now()))
    .take(limit);
  await Promise.all(overdue.map(({ _id }) => scheduleSending(ctx, _id, 0)));
}

/** How long to wait before the next attempt: twice as long each time, up to six hours, half as much more or less by chance. */
export function retryDelayMs(attempts: number, chance: number): number {
  const delayMs = Math.min(FIRST_RETRY_MS * 2 ** (attempts - 1), LAST_RETRY_MS);
  return Math.round(delayMs * (0.5 + chance));
}

/** What is to be sent of an event, and where. */
export function taskOf(endpoint: Doc<"webhookEndpoints">, event: Event, now: number): WebhookTask {
  const { _id: eventId, _creationTime, meetingId, sequence, type, actor, changes } = event;
  const timestamp = new Date(_creationTime).toISOString();
  return {
    url: endpoint.url,
    sealedSecrets: secretsOf(endpoint, now),
    messageId: eventId,
    body: JSON.stringify({ type, timestamp, data: { eventId, meetingId, sequence, actor, changes } }),
  };
}

/** Finds the next event that the endpoint wants and takes the lease to send it; without one the cursor rests. */
async function nextOrder(ctx: MutationCtx, cursor: Cursor): Promise<Order | null> {
  const { _id: cursorId, endpointId, meetingId, sequence, attempts, firstAttemptAt } = cursor;
  const endpoint = await ctx.db.get("webhookEndpoints", endpointId);
  if (!endpoint?.enabled) {
    await giveUpDelivery(ctx, cursor);
    await ctx.db.delete("webhookCursors", cursorId);
    return null;
  }
  const events = await ctx.db
    .query("meetingEvents")
    .withIndex("by_meeting_and_sequence", (q) => q.eq("meetingId", meetingId).gte("sequence", sequence))
    .take(EVENTS_AT_ONCE);
  const event = events.find((candidate) => isWanted(cursor, endpoint, candidate));
  const isSame = event?.sequence === sequence;
  if (!isSame) await giveUpDelivery(ctx, cursor);
  const lease = cursor.lease + 1;
  if (!event) {
    const hasMore = events.length === EVENTS_AT_ONCE;
    const next = (events.at(-1)?.sequence ?? sequence - 1) + 1;
    await ctx.db.patch("webhookCursors", cursorId, {
      sequence: next,
      attempts: 0,
      firstAttemptAt: undefined,
      dueAt: hasMore ? Date.now() : undefined,
      lease,
    });
    if (hasMore) await scheduleSending(ctx, cursorId, 0);
    return null;
  }
  await ctx.db.patch("webhookCursors", cursorId, {
    sequence: event.sequence,
    attempts: isSame ? attempts : 0,
    firstAttemptAt: isSame ? firstAttemptAt : undefined,
    dueAt: Date.now() + LEASE_MS,
    lease,
  });
  return { cursorId, lease, eventId: event._id, task: taskOf(endpoint, event, Date.now()) };
}

/** Whether an event is sent: nothing from before the endpoint was enabled again, unless a replay has been asked for since. */
function isWanted(
  { _creationTime, replayedAt = _creationTime }: Cursor,
  { enabledAt, eventTypes }: Doc<"webhookEndpoints">,
  event: Event,
): boolean {
  if (replayedAt < enabledAt && event._creationTime < enabledAt) return false;
  return eventTypes?.includes(event.type) ?? true;
}

/** The first event since a time, of those that lead up to one: notices of events may overtake each other. */
async function firstSince(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  sequence: number,
  since: number,
): Promise<number> {
  const before = await db
    .query("meetingEvents")
    .withIndex("by_meeting_and_sequence", (q) => q.eq("meetingId", meetingId).lt("sequence", sequence))
    .order("desc")
    .take(EVENTS_AT_ONCE);
  const older = before.findIndex(({ _creationTime }) => _creationTime < since);
  return sequence - (older === -1 ? before.length : older);
}

async function openCursor(
  ctx: MutationCtx,
  endpointId: Id<"webhookEndpoints">,
  meetingId: Id<"meetings">,
  sequence: number,
): Promise<void> {
  const place = { endpointId, meetingId, sequence };
  const cursorId = await ctx.db.insert("webhookCursors", {
    ...place,
    attempts: 0,
    dueAt: Date.now(),
    lease: 0,
  });
  await scheduleSending(ctx, cursorId, 0);
}

function findCursor(
  db: DatabaseReader,
  endpointId: Id<"webhookEndpoints">,
  meetingId: Id<"meetings">,
): Promise<Cursor | null> {
  return db
    .query("webhookCursors")
    .withIndex("by_endpoint_and_meeting", (q) => q.eq("endpointId", endpointId).eq("meetingId", meetingId))
    .unique();
}

async function scheduleSending(
  ctx: MutationCtx,
  cursorId: Id<"webhookCursors">,
  delayMs: number,
): Promise<void> {
  await ctx.scheduler.runAfter(delayMs, internal.webhooks.sending.send, { cursorId });
}
