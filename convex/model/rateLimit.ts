import { DAY, RateLimiter, SECOND } from "@convex-dev/rate-limiter";
import { components } from "../_generated/api";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { fail } from "./errors";

const DEFAULT_PER_SECOND = 50;
const DEFAULT_MESSAGES_PER_DAY = 2000;
/** A caller who has been quiet may send so many seconds' worth at once. */
const BURST_SECONDS = 4;
/** The longest for which something is counted. */
const KEEP_BUCKETS_MS = DAY;

const limiter = new RateLimiter(components.rateLimiter);

/**
 * Takes one token from the caller's bucket, or RATE_LIMITED. A mutation that fails takes none, since it writes nothing.
 *
 * @param key The caller's WorkOS user id.
 */
export async function takeToken(ctx: MutationCtx, key: string): Promise<void> {
  await takeAtUsualRate(ctx, "mutations", key);
}

/**
 * Takes one token from the bucket of a person in a meeting who calls without an account, known by a token of theirs alone;
 * RATE_LIMITED. The rate is that of other callers.
 */
export async function takeBearerToken(ctx: MutationCtx, participantId: string): Promise<void> {
  await takeAtUsualRate(ctx, "requests of bearers", participantId);
}

/** Takes one token from the bucket of a caller on another system's wire, whose rate is that system's; RATE_LIMITED. */
export async function takeWireToken(
  ctx: MutationCtx,
  { wire, perMinute, atOnce = perMinute }: { wire: string; perMinute: number; atOnce?: number },
  key: string,
): Promise<void> {
  if (setting("RATE_LIMIT_PER_SECOND", DEFAULT_PER_SECOND) === 0) return;
  const rate = perMinute / 60;
  await take(ctx, { name: `requests of ${wire}`, key, rate, capacity: atOnce });
}

/** Takes one token from the bucket that all callers of a tenant share, if the tenant has a limit; RATE_LIMITED. */
export async function takeTenantToken(ctx: MutationCtx, { _id: key, config }: Doc<"tenants">): Promise<void> {
  const { mutationsPerSecond: rate } = config;
  if (rate !== undefined) await take(ctx, { name: "mutations of a tenant", key, rate });
}

async function takeAtUsualRate(ctx: MutationCtx, name: string, key: string): Promise<void> {
  const rate = setting("RATE_LIMIT_PER_SECOND", DEFAULT_PER_SECOND);
  if (rate > 0) await take(ctx, { name, key, rate });
}

/** `rate` a second; `capacity` at once. */
interface Bucket {
  name: string;
  key: string;
  rate: number;
  capacity?: number;
}

async function take(
  ctx: MutationCtx,
  { name, key, rate, capacity = Math.max(1, rate * BURST_SECONDS) }: Bucket,
): Promise<void> {
  const { ok, retryAfter = 0 } = await limiter.limit(ctx, name, {
    key,
    config: { kind: "token bucket", rate, period: SECOND, capacity },
  });
  if (!ok) limited(retryAfter);
}

function limited(retryAfter: number): never {
  const retryAfterMs = Math.max(1, Math.ceil(retryAfter));
  return fail("RATE_LIMITED", `Too many requests: try again in ${retryAfterMs} ms`, { retryAfterMs });
}

/** Counts messages that a tenant's people have sent against what they may send in a day, of UTC, or RATE_LIMITED. */
export async function takeMessages(ctx: MutationCtx, { _id }: Doc<"tenants">, count: number): Promise<void> {
  const perDay = setting("MESSAGES_PER_DAY", DEFAULT_MESSAGES_PER_DAY);
  if (perDay === 0) return;
  const rate = Math.max(1, perDay);
  if (count > rate) limited(DAY);
  const start = Math.floor(Date.now() / DAY) * DAY;
  const config = { kind: "fixed window", rate, period: DAY, start } as const;
  // With the day in its key the bucket is of no use any more when it is deleted.
  const key = `${_id} ${start}`;
  const { ok, retryAfter = 0 } = await limiter.limit(ctx, "messages", { key, count, config });
  if (!ok) limited(retryAfter);
}

/**
 * Deletes buckets that were made a day ago. Those of a day's messages are over then; who still uses another has a full one again,
 * which is one burst more a day.
 */
export async function deleteOldBuckets(ctx: MutationCtx): Promise<void> {
  await ctx.runMutation(components.rateLimiter.lib.clearAll, { before: Date.now() - KEEP_BUCKETS_MS });
}

/** A number from the environment, 0 or more. */
function setting(name: "RATE_LIMIT_PER_SECOND" | "MESSAGES_PER_DAY", otherwise: number): number {
  const value = process.env[name];
  if (value === undefined || value === "") return otherwise;
  const rate = Number(value);
  if (!Number.isFinite(rate) || rate < 0) fail("NOT_CONFIGURED", `${name} must be a number from 0 up`);
  return rate;
}
