import { MINUTE, RateLimiter, SECOND } from "@convex-dev/rate-limiter";
import { components } from "../_generated/api";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { fail } from "./errors";

const DEFAULT_PER_SECOND = 50;
/** A caller who has been quiet may send so many seconds' worth at once. */
const BURST_SECONDS = 4;
/** A bucket is full again long before, unless the rate is below one a day. */
const KEEP_BUCKETS_MS = 24 * 60 * MINUTE;

const limiter = new RateLimiter(components.rateLimiter);

/**
 * Takes one token from the caller's bucket, or RATE_LIMITED. A mutation that fails takes none, since it writes nothing.
 *
 * @param key The caller's WorkOS user id.
 */
export async function takeToken(ctx: MutationCtx, key: string): Promise<void> {
  const rate = mutationsPerSecond();
  if (rate > 0) await take(ctx, { name: "mutations", key, rate });
}

/** Takes one token from the bucket that all callers of a tenant share, if the tenant has a limit; RATE_LIMITED. */
export async function takeTenantToken(ctx: MutationCtx, { _id: key, config }: Doc<"tenants">): Promise<void> {
  const { mutationsPerSecond: rate } = config;
  if (rate !== undefined) await take(ctx, { name: "mutations of a tenant", key, rate });
}

async function take(
  ctx: MutationCtx,
  { name, key, rate }: { name: string; key: string; rate: number },
): Promise<void> {
  const capacity = Math.max(1, rate * BURST_SECONDS);
  const { ok, retryAfter = 0 } = await limiter.limit(ctx, name, {
    key,
    config: { kind: "token bucket", rate, period: SECOND, capacity },
  });
  if (ok) return;
  const retryAfterMs = Math.max(1, Math.ceil(retryAfter));
  fail("RATE_LIMITED", `Too many requests: try again in ${retryAfterMs} ms`, { retryAfterMs });
}

/** Deletes buckets that are a day old, whatever is in them: a caller without one has a full one. */
export async function deleteOldBuckets(ctx: MutationCtx): Promise<void> {
  await ctx.runMutation(components.rateLimiter.lib.clearAll, { before: Date.now() - KEEP_BUCKETS_MS });
}

function mutationsPerSecond(): number {
  const setting = process.env.RATE_LIMIT_PER_SECOND;
  if (setting === undefined || setting === "") return DEFAULT_PER_SECOND;
  const rate = Number(setting);
  if (!(rate >= 0 && rate < Infinity))
    fail("NOT_CONFIGURED", "RATE_LIMIT_PER_SECOND must be a number from 0 up");
  return rate;
}
