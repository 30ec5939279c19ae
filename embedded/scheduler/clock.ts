/** The time, and a way to wait for one. Times are in ms since the epoch. */
export interface Clock {
  now(): number;
  /** Calls `wake` once, as soon as it is `atMs`. The result takes that back. */
  wakeAt(atMs: number, wake: () => void): () => void;
}

/** Timers go by another clock than `now()`, which may be set meanwhile; and none of them can be longer than 24.8 days. */
const LONGEST_TIMER_MS = 60 * 60_000;

export const systemClock: Clock = {
  now: () => Date.now(),
  wakeAt(atMs, wake) {
    if (atMs <= Date.now()) {
      const immediate = setImmediate(wake);
      return () => clearImmediate(immediate);
    }
    let timer: NodeJS.Timeout;
    const wait = () => {
      const leftMs = Math.ceil(atMs - Date.now());
      if (leftMs <= 0) wake();
      else timer = setTimeout(wait, Math.min(leftMs, LONGEST_TIMER_MS));
    };
    timer = setTimeout(wait, Math.min(Math.max(0, Math.ceil(atMs - Date.now())), LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/** Wakes somebody at one time, which may be changed. */
export class Alarm {
  #cancel: (() => void) | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly wake: () => void,
  ) {}

  /** Sets the alarm, in place of any time before. `Infinity`: never. */
  set(atMs: number): void {
    this.clear();
    if (atMs === Infinity) return;
    this.#cancel = this.clock.wakeAt(atMs, () => {
      this.#cancel = null;
      this.wake();
    });
  }

  get isSet(): boolean {
    return this.#cancel !== null;
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}
