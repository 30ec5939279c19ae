// Not the global one: a test that sets the clock must not stop commits.
import { setImmediate } from "node:timers";
import { Deferred } from "../storage/deferred";
import { Memtable } from "../storage/memtable";
import { mergeScan } from "../storage/mergeScan";
import type { Snapshot, Store } from "../storage/store";
import { Catalog, type IndexInfo } from "./catalog";
import { History } from "./history";
import { metaKey } from "./keys";

/** What it holds changes whenever a table or an index comes or goes. */
export const CATALOG_KEY = metaKey("catalog");
const TIMESTAMP_KEY = metaKey("timestamp");
const NANOSECONDS_PER_MS = 1_000_000;

/** Above this many characters of writes that are not on disk yet, new mutations wait. */
const MAX_PENDING_CHARS = 64 * 1024 * 1024;

/**
 * The committed state: the store, and above it the commits that are on their way to the disk. A commit is visible to
 * later transactions at once and durable a little later; `durable()` tells when. Commits that come while the disk is
 * busy go there together in one store transaction (group commit).
 */
export class Database {
  /** By the key of the table: indexes that are being built, which transactions keep up to date though nobody may read them yet. */
  building: ReadonlyMap<string, readonly IndexInfo[]> = new Map();
  readonly #history = new History();
  #catalog: Catalog;
  #timestamp: bigint;
  #filling = Memtable.first();
  #flushing: Memtable | null = null;
  #fillingChars = 0;
  #flushingChars = 0;
  readonly #listeners = new Set<CommitListener>();
  readonly #lossListeners = new Set<() => void>();
  /** Settles when what is now in `#filling` is on disk. */
  #fillingDone: Deferred | null = null;
  #lastCreationTime: number;
  #flushingDone: Deferred | null = null;

  private constructor(
    private readonly store: Store,
    catalog: Catalog,
    timestamp: bigint,
  ) {
    this.#catalog = catalog;
    this.#timestamp = timestamp;
    this.#lastCreationTime = Number(timestamp) / NANOSECONDS_PER_MS;
  }

  /** Takes over a store: reads its catalog, or makes the first one in an empty store. */
  static async open(store: Store): Promise<Database> {
    const text = store.get(CATALOG_KEY);
    const catalog = text === undefined ? Catalog.empty() : Catalog.parse(text);
    const database = new Database(store, catalog, BigInt(store.get(TIMESTAMP_KEY) ?? "0"));
    if (text === undefined) await store.commit(new Map([[CATALOG_KEY, catalog.stringify()]]));
    return database;
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  /** The timestamp of the last commit: nanoseconds since the epoch, strictly increasing, across restarts too. */
  get timestamp(): bigint {
    return this.#timestamp;
  }

  /** A timestamp for the next commit. */
  nextTimestamp(): bigint {
    const now = BigInt(Date.now()) * 1_000_000n;
    return now > this.#timestamp ? now : this.#timestamp + 1n;
  }

  /**
   * The `_creationTime` of the next new document, in ms since the epoch: now, or the next representable number after the
   * last one, so that documents are always in the order in which they were inserted.
   */
  nextCreationTime(): number {
    this.#lastCreationTime = Math.max(Date.now(), nextUp(this.#lastCreationTime));
    return this.#lastCreationTime;
  }

  get(key: string): string | undefined {
    let pending = this.#filling.get(key);
    if (pending === undefined && this.#flushing) pending = this.#flushing.get(key);
    return pending === undefined ? this.store.get(key) : (pending ?? undefined);
  }

  scan(start: string, end: string, order: "asc" | "desc"): Iterator<[string, string], unknown, undefined> {
    const stored = this.store.scan(start, end, order);
    const layers = [];
    if (this.#filling.touches(start, end)) layers.push(this.#filling.scan(start, end, order));
    if (this.#flushing?.touches(start, end)) layers.push(this.#flushing.scan(start, end, order));
    return layers.length === 0 ? stored : mergeScan([...layers, stored], order);
  }

  /**
   * `touched`: keys that stay as they are though their documents are written. `timestamp`: one that {@link nextTimestamp} has
   * given since the last commit.
   *
   * Applies writes atomically and returns the commit's timestamp. They are visible when this returns and durable when
   * `durable()`, called after it, resolves.
   */
  commit(
    writes: Iterable<readonly [string, string | null]>,
    catalog: Catalog = this.#catalog,
    touched: Iterable<string> = [],
    timestamp: bigint = this.nextTimestamp(),
  ): bigint {
    if (timestamp <= this.#timestamp) throw new Error("Another transaction has committed meanwhile");
    this.#timestamp = timestamp;
    const listeners = this.#listeners;
    const keys = listeners.size > 0 ? [...touched] : [];
    const replaced: [string, string | undefined][] | null = this.#history.isKept ? [] : null;
    for (const [key, value] of writes) {
      replaced?.push([key, this.get(key)]);
      this.#put(key, value);
      if (listeners.size > 0) keys.push(key);
    }
    if (replaced) this.#history.add(this.#timestamp, replaced);
    if (catalog !== this.#catalog) {
      this.#history.clear();
      this.#catalog = catalog;
      this.#put(CATALOG_KEY, catalog.stringify());
      keys.push(CATALOG_KEY);
    }
    this.#put(TIMESTAMP_KEY, this.#timestamp.toString());
    if (this.#fillingDone === null) {
      this.#fillingDone = new Deferred();
      // Not at once: other requests that arrived together get into the same group.
      if (this.#flushing === null) setImmediate(() => this.#flush());
    }
    for (const listener of listeners) listener(keys);
    return this.#timestamp;
  }

  /**
   * Calls the listener at each commit with the keys that were written and those whose documents were. It is called at once and
   * must not start a transaction. Gives what ends it.
   */
  onCommit(listener: CommitListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls the listener when the disk has refused commits: the state is what it was before them, of which it is not told otherwise. */
  onLoss(listener: () => void): void {
    this.#lossListeners.add(listener);
  }

  /** The timestamp of the last commit. Its state, and later ones, can be read for some 30 s, unless very much is written. */
  keepHistory(): bigint {
    this.#history.keep(this.#timestamp);
    return this.#timestamp;
  }

  /** What keys that were written after a timestamp held then; see {@link History.before}. */
  before(timestamp: bigint): ReadonlyMap<string, string | null> | undefined {
    return this.#history.before(timestamp, this.#timestamp);
  }

  /** Resolves when all that is visible now is on disk. Rejects when it could not be written: then it is gone. */
  durable(): Promise<void> | undefined {
    return (this.#fillingDone ?? this.#flushingDone)?.promise;
  }

  /** Resolves when there is room for more writes: at once, unless the disk is far behind. */
  async room(): Promise<void> {
    while (this.#fillingChars + this.#flushingChars > MAX_PENDING_CHARS) await this.durable();
  }

  #put(key: string, value: string | null): void {
    this.#filling.set(key, value);
    this.#fillingChars += key.length + (value?.length ?? 0);
  }

  #flush(): void {
    const done = this.#fillingDone;
    if (done === null || this.#flushing !== null) return;
    this.#flushing = this.#filling;
    this.#flushingChars = this.#fillingChars;
    this.#flushingDone = done;
    this.#filling = this.#filling.successor();
    this.#fillingChars = 0;
    this.#fillingDone = null;
    this.store.commit(this.#flushing.values).then(
      () => {
        this.#endFlush();
        done.resolve();
        this.#flush();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #endFlush(): void {
    this.#flushing = null;
    this.#flushingChars = 0;
    this.#flushingDone = null;
  }

  /** The disk refused: what was pending is lost, as is all that was built on it. The store stands as it was. */
  #fail(error: unknown): void {
    const waiting = [this.#flushingDone, this.#fillingDone];
    this.#history.clear();
    this.#endFlush();
    this.#filling = this.#filling.successor();
    this.#fillingChars = 0;
    this.#fillingDone = null;
    const text = this.store.get(CATALOG_KEY);
    this.#catalog = text === undefined ? Catalog.empty() : Catalog.parse(text);
    for (const listener of this.#lossListeners) listener();
    for (const deferred of waiting) deferred?.reject(error);
  }

  /** A state of the database that stays as it is, and with which all is on disk that is visible now. */
  async snapshot(): Promise<DatabaseSnapshot> {
    await this.durable();
    const reading = this.store.snapshot();
    return {
      reading,
      catalog: Catalog.parse(reading.get(CATALOG_KEY) ?? ""),
      timestamp: BigInt(reading.get(TIMESTAMP_KEY) ?? "0"),
    };
  }

  /** Waits for what is pending and closes the store. Who has committed what the disk refuses is told, and nobody else. */
  async close(): Promise<void> {
    while (this.durable()) await this.durable()?.catch(() => undefined);
    await this.store.close();
  }
}

/** `reading` must be released. */
export type DatabaseSnapshot = {
  readonly reading: Snapshot;
  readonly catalog: Catalog;
  readonly timestamp: bigint;
};

export type CommitListener = (keys: readonly string[]) => void;

const doubles = new Float64Array(1);
const bits = new BigInt64Array(doubles.buffer);

/** The smallest number greater than a positive one. */
function nextUp(x: number): number {
  doubles[0] = x;
  bits[0] = (bits[0] ?? 0n) + 1n;
  return doubles[0];
}
