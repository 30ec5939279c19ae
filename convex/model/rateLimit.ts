import { rateLimit } from "convex-helpers/server/rateLimit";
import type { MutationCtx } from "../_generated/server";
import { fail } from "./errors";

const DEFAULT_PER_SECOND = 50;
/** A caller who has been quiet may send so many seconds' worth at once. */
const BURST_SECONDS = 4;

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
    config: { kind: "token bucket", rate, period: 1000, capacity: Math.max(1, rate * BURST_SECONDS) },
  });
  if (ok) return;
  const retryAfterMs = Math.max(1, Math.ceil(retryAt - Date.now()));
  fail("RATE_LIMITED", `Too many requests: try again in ${retryAfterMs} ms`, { retryAfterMs });
}

function mutationsPerSecond(): number {
  const setting = process.env.RATE_LIMIT_PER_SECOND;
  if (setting === undefined || setting === "") return DEFAULT_PER_SECOND;
  const rate = Number(setting);
  if (!(rate >= 0 && rate < Infinity))
    fail("NOT_CONFIGURED", "RATE_LIMIT_PER_SECOND must be a number from 0 up");
  return rate;
}
