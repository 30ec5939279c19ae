/** Waiting for so long costs nothing: to have another thread write, and to hear of it, takes that long too. */
const FREE_MS = 0.5;
/** Of the time that passes so much may be waited beyond that. */
const SHARE = 0.05;
/** And of what was not made use of, at most of so much time. */
const MOST_SAVED_MS = 1_000;

/**
 * Whether a thread may wait for the disk itself while that writes something small, when it could have another thread wait: where the disk
 * is quick that is over before the other thread has begun. Where it is slow, or hangs, the thread has waited once, and then does
 * something else for twenty times as long.
 */
export class DiskPatience {
  /** From when on there is patience. In the past: that much is saved. */
  #since = -Infinity;

  /** @param now a clock that never goes back, in ms */
  constructor(private readonly now: () => number = () => performance.now()) {}

  get isLeft(): boolean {
    return this.#since <= this.now();
  }

  /** Waits for what writes, however it ends. */
  during(write: () => void): void {
    const startedAt = this.now();
    try {
      write();
    } finally {
      const endedAt = this.now();
      const tooLong = Math.max(0, endedAt - startedAt - FREE_MS);
      this.#since = Math.max(this.#since, endedAt - MOST_SAVED_MS) + tooLong / SHARE;
    }
  }
}
