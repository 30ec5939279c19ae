import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { Deferred } from "./deferred";
import type { LmdbStore } from "./lmdbStore";
import { formatMark, type LogMark } from "./logMark";
import { charsOf, type Memtable } from "./memtable";

/** A slice of so many writes, or characters, keeps the main thread for some 2 ms. */
const SLICE_WRITES = 2000;
const SLICE_CHARS = 1 << 20;
/** So many are on their way at once: the database's thread must not have to wait for the main thread, which has other things to do. */
const SLICES_AT_ONCE = 3;
/** Between two attempts when the database can't be written to. */
const PAUSES_MS = [50, 200, 1000, 5000];

/** Brings writes of the log into the database, one generation at a time. */
export class LogApply {
  #remainingChars = 0;
  #allChars = 0;
  #isRefused = false;
  #progress = new Deferred();
  #retry = new AbortController();
  #isClosing = false;

  /** @param applied the sequence up to which the database has all records */
  constructor(
    private readonly database: LmdbStore,
    private applied: number,
  ) {}

  /** How much of what is under way is in the database, between 0 and 1. */
  get share(): number {
    return this.#allChars === 0 ? 1 : 1 - this.#remainingChars / this.#allChars;
  }

  /** Whether the database did not take what it was given last. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /**
   * Writes a generation in slices, in the order of the keys, and resolves when it is on disk. While that fails it is tried again;
   * it rejects only when that has to end, see {@link close}.
   *
   * @param through the sequence of the last record whose writes it has
   */
  async apply(generation: Memtable, through: number): Promise<void> {
    this.#remainingChars = this.#allChars = generation.chars;
    const write = async ({ writes, chars }: Slice, mark: LogMark) => {
      await this.#write(writes, formatMark(mark));
      this.#remainingChars -= chars;
      this.#settle().resolve();
    };
    const underWay: Promise<void>[] = [];
    try {
      for await (const slice of slicesOf(generation)) {
        // One more only when the first of them is done. What the last one notes is true when all others are.
        await (slice.isLast ? Promise.all(underWay) : underWay[underWay.length - SLICES_AT_ONCE]);
        const written = write(slice, { applied: slice.isLast ? through : this.applied, applying: through });
        // Whoever waits for it comes later.
        written.catch(() => undefined);
        underWay.push(written);
        // Others run before the next one is encoded.
        await setImmediate();
      }
      await underWay.at(-1);
    } finally {
      await Promise.allSettled(underWay);
    }
    this.#remainingChars = this.#allChars = 0;
    this.applied = through;
  }

  /** Resolves with the next slice that is on disk. Rejects when the next attempt, which it brings about, fails. */
  progress(): Promise<void> {
    this.#endPauses();
    return this.#progress.promise;
  }

  /** From now on the first attempt that fails is the last. */
  close(): void {
    this.#isClosing = true;
    this.#endPauses();
  }

  #endPauses(): void {
    this.#retry.abort();
    this.#retry = new AbortController();
  }

  async #write(writes: readonly [string, string | null][], mark: string): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const isLast = this.#isClosing;
      try {
        await this.database.commitMarked(writes, mark);
        this.#isRefused = false;
        return;
      } catch (error) {
        this.#isRefused = true;
        this.#settle().reject(error);
        if (isLast) throw error;
        if (!this.#isClosing) await this.#pause(PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)]);
      }
    }
  }

  #settle(): Deferred {
    const settled = this.#progress;
    this.#progress = new Deferred();
    return settled;
  }

  async #pause(ms: number | undefined): Promise<void> {
    // It is cut short by an abort, which is no error.
    await sleep(ms, undefined, { ref: false, signal: this.#retry.signal }).catch(() => undefined);
  }
}

type Slice = {
  readonly writes: readonly [string, string | null][];
  readonly chars: number;
  readonly isLast: boolean;
};

/** The writes of a generation in the order of their keys; the last slice may be empty. */
async function* slicesOf(generation: Memtable): AsyncGenerator<Slice, void, undefined> {
  let writes: [string, string | null][] = [];
  let chars = 0;
  for await (const part of generation.inOrder(() => setImmediate())) {
    for (const write of part) {
      const [key, value] = write;
      writes.push(write);
      chars += charsOf(key, value);
      if (writes.length < SLICE_WRITES && chars < SLICE_CHARS) continue;
      yield { writes, chars, isLast: false };
      writes = [];
      chars = 0;
    }
  }
  yield { writes, chars, isLast: true };
}
