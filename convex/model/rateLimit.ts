import { rateLimit } from "convex-helpers/server/rateLimit";
import type { MutationCtx } from "../_generated/server";
import { fail } from "./errors";

const DEFAULT_PER_SECOND = 50;
/** A caller who has been quiet may send so many seconds' worth at once. */
const BURST_SECONDS = 4;
const PERIOD_MS = 1000;

/**
 * Takes one token from the caller's bucket, or RATE_LIMITED. A mutation that fails takes none, since it writes nothing.
 *
 * @param key The caller's WorkOS user id.
 */
export async function takeToken(ctx: MutationCtx, key: string): Promise<void> {
  const rate = mutationsPerSecond();
  if (rate === 0) return;
  const { ok, retryAt = 0 } = await rateLimit(ctx, {
    name: "mutations",
    key,
    config: { kind: "token bucket", rate, period: PERIOD_MS, capacity: capacityFor(rate) },
  });
  if (ok) return;
  const retryAfterMs = Math.max(1, Math.ceil(retryAt - Date.now()));
  fail("RATE_LIMITED", `Too many requests: try again in ${retryAfterMs} ms`, { retryAfterMs });
}

/**
 * Deletes buckets that are full again: a caller without one has a full one.
 *
 * @param after The creation time of the last bucket that was looked at.
 * @param limit How many to look at. There are no more of them than callers since they were last deleted.
 * @returns where to go on, or `null` when all have been looked at.
 */
export async function deleteFullBuckets(
  ctx: MutationCtx,
  after: number,
  limit: number,
): Promise<number | null> {
  const rate = mutationsPerSecond();
  const now = Date.now();
  const buckets = await ctx.db
    .query("rateLimits")
    .withIndex("by_creation_time", (q) => q.gt("_creationTime", after))
    .take(limit);
  for (const { _id, value, ts } of buckets) {
    const refilled = value + ((now - ts) * rate) / PERIOD_MS;
    if (rate === 0 || refilled >= capacityFor(rate)) await ctx.db.delete("rateLimits", _id);
  }
  return buckets.length < limit ? null : (buckets.at(-1)?._creationTime ?? null);
}

function capacityFor(rate: number): number {
  return Math.max(1, rate * BURST_SECONDS);
}

function mutationsPerSecond(): number {
  const setting = process.env.RATE_LIMIT_PER_SECOND;
  if (setting === undefined || setting === "") return DEFAULT_PER_SECOND;
  const rate = Number(setting);
  if (!(rate >= 0 && rate < Infinity))
    fail("NOT_CONFIGURED", "RATE_LIMIT_PER_SECOND must be a number from 0 up");
  return rate;
}
