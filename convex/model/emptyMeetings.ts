/** Active meetings that nobody is in end by themselves. */
import { internal } from "../_generated/api";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";

export const DEFAULT_EMPTY_TIMEOUT_MS = 30 * 60_000;

/** Uses within so short a time are one: each writes the meeting. */
const NOTED_EACH_MS = 30_000;

type EmptyFields = Pick<Doc<"meetings">, "_id" | "state" | "emptySince" | "emptyTimeoutMs" | "emptyCheckAt">;

/** When a meeting ends by itself if nobody comes; null if it does not. */
export function endsAt(
  { state, emptySince, emptyTimeoutMs }: EmptyFields,
  { config }: Doc<"tenants">,
): number | null {
  if (state !== "active" || emptySince === undefined) return null;
  return emptySince + (emptyTimeoutMs ?? config.emptyTimeoutMs ?? DEFAULT_EMPTY_TIMEOUT_MS);
}

/**
 * Has a meeting that is empty looked at when its time is up. There is one look ahead of each meeting, which schedules the next one
 * if it comes too early: however often people come and go, nothing is scheduled meanwhile.
 *
 * @returns when the meeting will be looked at; undefined if it need not be.
 */
export async function scheduleEmptyCheck(
  ctx: MutationCtx,
  meeting: EmptyFields,
  tenant: Doc<"tenants">,
): Promise<number | undefined> {
  const { emptyCheckAt } = meeting;
  const due = endsAt(meeting, tenant);
  if (due === null || (emptyCheckAt !== undefined && emptyCheckAt <= due)) return emptyCheckAt;
  await ctx.scheduler.runAt(due, internal.cleanUp.endIfEmpty, { meetingId: meeting._id });
  return due;
}

/**
 * Notes that somebody gets into the room: guests, who cannot join here, are in a meeting that is empty otherwise, which so ends no
 * sooner than its timeout after that.
 */
export async function noteUse(
  { db }: MutationCtx,
  { _id, emptySince = Infinity }: EmptyFields,
): Promise<void> {
  const now = Date.now();
  if (now - emptySince >= NOTED_EACH_MS) await db.patch("meetings", _id, { emptySince: now });
}
