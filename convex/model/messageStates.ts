import type { MessageState } from "../contract/outbox";

/** With the pauses below, for about eleven hours in all. */
export const MAX_ATTEMPTS = 7;
const FIRST_PAUSE_MS = 30_000;
const PAUSE_FACTOR = 4;

/** What follows an attempt: the state, and after how many milliseconds to try again. */
export function afterAttempt(
  attempt: number,
  { error, permanent }: { error?: string; permanent?: boolean },
): { state: MessageState; pauseMs: number } {
  if (error === undefined) return { state: "sent", pauseMs: 0 };
  if (permanent === true || attempt >= MAX_ATTEMPTS) return { state: "failed", pauseMs: 0 };
  return { state: "queued", pauseMs: FIRST_PAUSE_MS * PAUSE_FACTOR ** (attempt - 1) };
}
