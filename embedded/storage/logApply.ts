import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { Deferred } from "./deferred";
import { FillThread, type Fill } from "./fillThread";
import { GenerationFill, type Marks } from "./generationFill.js";
import type { LmdbStore } from "./lmdbStore";
import { formatMark } from "./logMark";
import type { Memtable } from "./memtable";

/** Between two attempts when the database can't be written to. */
const PAUSES_MS = [50, 200, 1000, 5000];

/** Some writes take much longer than others, so that what is done lags behind what is to be expected; that is trusted by so much. */
const MOST_AHEAD = 0.2;

/** As slow machines take it, and before anything is known. */
const FIRST_MS_PER_WRITE = 0.003;

/** Brings writes of the log into the database, one generation at a time. */
export class LogApply {
  #remaining = 0;
  #all = 0;
  #startedAt = 0;
  /** As the last ones took it. */
  #msPerWrite = FIRST_MS_PER_WRITE;
  #isRefused = false;
  #progress = new Deferred();
  #retry = new AbortController();
  #isClosing = false;
  #thread: FillThread | null = null;
  #applied: number;

  /**
   * @param appliedBefore the sequence up to which the database has all records
   * @param threadBytes a generation of so many bytes is brought over by a thread of its own
   */
  constructor(
    private readonly database: LmdbStore,
    appliedBefore: number,
    private readonly threadBytes: number,
  ) {
    this.#applied = appliedBefore;
  }

  /** The sequence up to which the database has all records. */
  get applied(): number {
    return this.#applied;
  }

  /** How much of what is under way is in the database, or should be by now, between 0 and 1. */
  get share(): number {
    if (this.#all === 0) return 1;
    const done = 1 - this.#remaining / this.#all;
    if (this.#isRefused) return done;
    const expected = (performance.now() - this.#startedAt) / (this.#all * this.#msPerWrite);
    return Math.max(done, Math.min(expected, done + MOST_AHEAD, 1));
  }

  /** Whether the database did not take what it was given last. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /**
   * Writes a generation in the order of the keys, and resolves when it is on disk. While that fails it is tried again; it rejects
   * only when that has to end, see {@link close}.
   *
   * @param through the sequence of the last record whose writes it has
   * @param applied the last one of which the database has everything then
   */
  async apply(generation: Memtable, through: number, applied: number): Promise<void> {
    this.#all = this.#remaining = generation.writes;
    this.#startedAt = performance.now();
    const marks = {
      during: formatMark({ applied: this.applied, applying: through }),
      after: formatMark({ applied, applying: through }),
    };
    let fill: Fill | null = null;
    for (let attempt = 0, written: number | null = 0; written !== null;) {
      const isLast = this.#isClosing;
      try {
        if (this.#thread?.hasFailed) this.#thread = fill = null;
        fill ??= this.#begin(generation, marks);
        written = await fill.next();
        this.#remaining -= written ?? 0;
        this.#isRefused = false;
        attempt = 0;
        this.#settle().resolve();
      } catch (error) {
        this.#isRefused = true;
        this.#settle().reject(error);
        if (isLast) throw error;
        if (!this.#isClosing) await this.#pause(PAUSES_MS[Math.min(attempt++, PAUSES_MS.length - 1)]);
      }
    }
    if (this.#all > 0) this.#msPerWrite = (performance.now() - this.#startedAt) / this.#all;
    this.#remaining = this.#all = 0;
    this.#applied = applied;
    this.database.refresh();
  }

  /** Resolves with the next slice that is on disk. Rejects when the next attempt, which it brings about, fails. */
  progress(): Promise<void> {
    if (this.#isRefused) this.#endPauses();
    return this.#progress.promise;
  }

  /** From now on the first attempt that fails is the last. */
  close(): void {
    this.#isClosing = true;
    this.#endPauses();
  }

  /** To be called when nothing is under way. */
  async end(): Promise<void> {
    await this.#thread?.close();
  }

  #begin(generation: Memtable, marks: Marks): Fill {
    const writes = generation.show();
    if (generation.bytes >= this.threadBytes) {
      this.#thread ??= new FillThread(this.database.path);
      return this.#thread.fill(writes, marks);
    }
    const fill = new GenerationFill((slice, mark) => this.database.writeSlice(slice, mark), writes, marks);
    const next = async () => {
      const written = fill.next();
      // Others run before the next slice.
      await setImmediate();
      return written;
    };
    return { next };
  }

  #endPauses(): void {
    this.#retry.abort();
    this.#retry = new AbortController();
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
