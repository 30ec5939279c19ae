import type { Doc } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { IDEMPOTENCY_MS } from "../contract/idempotency";
import { fail } from "./errors";
import { sha256 } from "./secrets";

/** A document holds 1 MiB, and a character may take three bytes. */
const MAX_ANSWER_LENGTH = 300_000;

/** A request that may be sent again. */
export interface RepeatableRequest {
  /** The caller and the function: keys of others are of no concern. */
  scope: string;
  key: string;
  args: unknown;
}

/**
 * Runs a request once: when it is sent again within a day, it gets the answer of the first time. A request that fails leaves
 * nothing behind, so it is run again. IDEMPOTENCY_CONFLICT if the key was used for another request.
 */
export async function once<Answer>(
  ctx: MutationCtx,
  { scope, key, args }: RepeatableRequest,
  run: () => Promise<Answer>,
): Promise<Answer> {
  const [kept, requestHash] = await Promise.all([
    ctx.db
      .query("idempotencyKeys")
      .withIndex("by_scope_and_key", (q) => q.eq("scope", scope).eq("key", key))
      .unique(),
    // The arguments have been parsed by the contract, which gives their fields in one order.
    sha256(JSON.stringify(args)),
  ]);
  if (kept && !isOver(kept)) {
    if (kept.requestHash !== requestHash) {
      fail("IDEMPOTENCY_CONFLICT", "This idempotencyKey was used for another request");
    }
    return JSON.parse(kept.answer) as Answer;
  }
  if (kept) await ctx.db.delete("idempotencyKeys", kept._id);
  const answer = await run();
  const text = JSON.stringify(answer);
  if (text.length > MAX_ANSWER_LENGTH)
    fail("PAYLOAD_TOO_LARGE", "The answer is too long to be kept for a repetition");
  await ctx.db.insert("idempotencyKeys", { scope, key, requestHash, answer: text });
  return answer;
}

/**
 * Deletes answers that are kept no longer, the oldest first.
 *
 * @returns how many were deleted, at most `limit`.
 */
export async function deleteOldAnswers(ctx: MutationCtx, limit: number): Promise<number> {
  const old = await ctx.db
    .query("idempotencyKeys")
    .withIndex("by_creation_time", (q) => q.lt("_creationTime", Date.now() - IDEMPOTENCY_MS))
    .take(limit);
  await Promise.all(old.map(({ _id }) => ctx.db.delete("idempotencyKeys", _id)));
  return old.length;
}

function isOver({ _creationTime }: Doc<"idempotencyKeys">): boolean {
  return _creationTime < Date.now() - IDEMPOTENCY_MS;
}
