const MINUTE_MS = 60_000;

/** A value this young is used without asking its source again. */
export const FRESH_MS = 5 * MINUTE_MS;
/** A value this old is not used any more, even if its source does not answer. */
const STALE_MS = 60 * MINUTE_MS;
/** With a value in hand, the source is asked at most once in this time, whatever tokens ask for. */
const REFETCH_INTERVAL_MS = 30_000;
/** With no value in hand, a failure is repeated for this long without asking the source. */
const FAILURE_INTERVAL_MS = 3_000;

/**
 * A value that a source can give, kept and loaded again when it is old or does not suffice.
 *
 * Callers at the same time share one load. If a load fails while an older value is still usable, that value is
 * the answer.
 */
export class Refreshing<T> {
  readonly #load: () => Promise<T>;
  readonly #now: () => number;
  #current: { readonly value: T; readonly loadedAt: number } | undefined;
  #failure: unknown;
  #attemptedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<T> | undefined;

  /** @param now the time in ms; only differences matter */
  constructor(load: () => Promise<T>, now: () => number) {
    this.#load = load;
    this.#now = now;
  }

  /**
   * @param suffices whether a value has what the caller needs; if not, a newer one is asked for, if that is
   *   allowed already. The answer may still not suffice.
   * @throws what the load threw, if there is no usable value
   */
  async get(suffices: (value: T) => boolean): Promise<T> {
    const usable = this.#usable();
    if (usable !== undefined) {
      if (usable.ageMs < FRESH_MS && suffices(usable.value)) return usable.value;
      if (this.#elapsed(this.#attemptedAt) < REFETCH_INTERVAL_MS && this.#loading === undefined) {
        return usable.value;
      }
    } else if (this.#failure !== undefined && this.#elapsed(this.#attemptedAt) < FAILURE_INTERVAL_MS) {
      throw this.#failure;
    }
    this.#loading ??= this.#reload().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #reload(): Promise<T> {
    this.#attemptedAt = this.#now();
    try {
      const value = await this.#load();
      this.#current = { value, loadedAt: this.#attemptedAt };
      this.#failure = undefined;
      return value;
    } catch (error) {
      this.#failure = error;
      const usable = this.#usable();
      if (usable === undefined) throw error;
      return usable.value;
    }
  }

  #usable(): { value: T; ageMs: number } | undefined {
    if (this.#current === undefined) return undefined;
    const ageMs = this.#elapsed(this.#current.loadedAt);
    return ageMs < STALE_MS ? { value: this.#current.value, ageMs } : undefined;
  }

  /** A clock that was set back must not stop refreshing until it has caught up. */
  #elapsed(since: number): number {
    const elapsed = this.#now() - since;
    return elapsed < 0 ? Number.POSITIVE_INFINITY : elapsed;
  }
}
