import type { Snapshot, Store } from "../storage/store";
import { Catalog, type IndexInfo } from "./catalog";
import { nextUp } from "./creationTime";
import { DocumentCache } from "./documentCache";
import { History } from "./history";
import { isDocumentKey, metaKey, type KeyRange } from "./keys";
import { KnownRanges } from "./knownRanges";
import { SortedWrites } from "./sortedWrites";

/** What it holds changes whenever a table or an index comes or goes. */
export const CATALOG_KEY = metaKey("catalog");
const TIMESTAMP_KEY = metaKey("timestamp");
const NANOSECONDS_PER_MS = 1_000_000n;

/** Above this many characters of writes that are not on disk yet, new mutations wait. */
const MAX_PENDING_CHARS = 64 * 1024 * 1024;

/** Commits that go to the disk together. */
type Group = { readonly done: Promise<void>; chars: number };

/**
 * The committed state. A commit is visible to later transactions at once and durable a little later; `durable()` tells when.
 * Commits that come while the disk is busy go there together (group commit).
 */
export class Database {
  /** By the key of the table: indexes that are being built, which transactions keep up to date though nobody may read them yet. */
  building: ReadonlyMap<string, readonly IndexInfo[]> = new Map();
  /** The committed documents. */
  readonly documents: DocumentCache;
  /** Those of ranges that were read lately. */
  readonly ranges: KnownRanges;
  readonly #history = new History();
  #catalog: Catalog;
  #timestamp: bigint;
  /** What is not on disk yet, in order. */
  #pending: Group[] = [];
  readonly #listeners = new Set<CommitListener>();
  readonly #lossListeners = new Set<() => void>();
  #lastCreationTime: number;

  private constructor(
    private readonly store: Store,
    catalog: Catalog,
    timestamp: bigint,
    documentCacheChars?: number,
  ) {
    this.documents = new DocumentCache((key) => store.get(key), documentCacheChars);
    this.ranges = new KnownRanges(this.documents);
    this.#catalog = catalog;
    this.#timestamp = timestamp;
    this.#lastCreationTime = Number(timestamp / NANOSECONDS_PER_MS);
  }

  /**
   * Takes over a store: reads its catalog, or makes the first one in an empty store.
   *
   * @param documentCacheChars how much the cache of documents may hold
   */
  static async open(store: Store, documentCacheChars?: number): Promise<Database> {
    const text = store.get(CATALOG_KEY);
    const catalog = text === undefined ? Catalog.empty() : Catalog.parse(text);
    const timestamp = BigInt(store.get(TIMESTAMP_KEY) ?? "0");
    const database = new Database(store, catalog, timestamp, documentCacheChars);
    if (text === undefined) await store.commit(new Map([[CATALOG_KEY, catalog.stringify()]]));
    else database.#catchUp();
    return database;
  }

  /** Clients may have been told of a commit that a crash has kept from the disk: no time that they have seen may be still to come. */
  #catchUp(): void {
    const now = BigInt(Date.now()) * NANOSECONDS_PER_MS;
    if (now > this.#timestamp) this.#timestamp = now;
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  /**
   * The timestamp of the last commit, or the time at which the database was opened: nanoseconds since the epoch, strictly
   * increasing, across restarts too.
   */
  get timestamp(): bigint {
    return this.#timestamp;
  }

  /** A timestamp for the next commit, which is not before the documents that there are by now. */
  nextTimestamp(): bigint {
    const now = BigInt(Math.max(Date.now(), Math.ceil(this.#lastCreationTime))) * NANOSECONDS_PER_MS;
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

  /** Documents that are read often are quicker found in {@link documents}. */
  get(key: string): string | undefined {
    return this.store.get(key);
  }

  scan(start: string, end: string, order: "asc" | "desc"): Iterator<[string, string], unknown, undefined> {
    return this.store.scan(start, end, order);
  }

  /** The first entries of {@link scan}, up to `limit`. `tail`: see {@link Store.take}. */
  take(start: string, end: string, order: "asc" | "desc", limit: number, tail?: number): [string, string][] {
    return this.store.take(start, end, order, limit, tail);
  }

  /**
   * Applies writes atomically and gives the commit's timestamp. They are visible at once, and durable when `durable()`, called
   * after it, resolves.
   *
   * @param writes A {@link SortedWrites} is the database's own from then on.
   * @param touched keys that stay as they are though their documents are written
   * @param timestamp one that {@link nextTimestamp} has given since the last commit
   */
  commit(
    writes: Iterable<readonly [string, string | null]> | SortedWrites,
    catalog: Catalog = this.#catalog,
    touched: readonly string[] = [],
    timestamp: bigint = this.nextTimestamp(),
  ): bigint {
    if (timestamp <= this.#timestamp) throw new Error("Another transaction has committed meanwhile");
    this.#timestamp = timestamp;
    const all = writes instanceof SortedWrites ? writes : new SortedWrites(writes);
    if (this.#history.isKept) {
      const before = new Map<string, string | undefined>();
      all.forEach((_, key) => before.set(key, this.get(key)));
      this.#history.add(timestamp, [...before]);
    }
    if (catalog !== this.#catalog) {
      this.#history.clear();
      this.#catalog = catalog;
      all.set(CATALOG_KEY, catalog.stringify());
    }
    all.set(TIMESTAMP_KEY, timestamp.toString());
    this.#write(all);
    const written = new Written(all, touched);
    for (const listener of this.#listeners) listener(written);
    return timestamp;
  }

  /**
   * Calls the listener at each commit, with what was written. It is called at once and must not start a transaction. Gives what
   * ends it.
   */
  onCommit(listener: CommitListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls the listener when the disk has refused commits. The state is again what it was before them; `onCommit` does not report that. */
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
    return this.#pending.at(-1)?.done;
  }

  /** Resolves when there is room for more writes; `undefined`: there is, as always unless the disk is far behind. */
  room(): Promise<void> | undefined {
    return this.#isFull ? this.#emptied() : undefined;
  }

  get #isFull(): boolean {
    return this.#pending.reduce((sum, { chars }) => sum + chars, 0) > MAX_PENDING_CHARS;
  }

  async #emptied(): Promise<void> {
    // Who has committed what the disk refuses is told, and nobody else.
    while (this.#isFull) await this.durable()?.catch(() => undefined);
  }

  #write(writes: SortedWrites): void {
    const done = this.store.commit(writes);
    let group = this.#pending.at(-1);
    if (group?.done !== done) {
      const begun: Group = { done, chars: 0 };
      group = begun;
      this.#pending.push(begun);
      done.then(
        () => this.#pending.shift(),
        () => this.#lose(begun),
      );
    }
    let chars = 0;
    writes.forEachOrSheaf(
      (value, key) => {
        chars += key.length + (value?.length ?? 0);
        this.ranges.written(key);
      },
      (sheaf) => {
        for (const part of sheaf.parts) chars += part.length;
        this.ranges.writtenSheaf(sheaf);
      },
    );
    group.chars += chars;
    for (const [key, value] of writes.changed) if (isDocumentKey(key)) this.documents.write(key, value);
  }

  /** The disk refused: the store has undone what was pending, and all that was built on it. */
  #lose(group: Group): void {
    // The groups behind it are lost with it.
    if (!this.#pending.includes(group)) return;
    this.#pending = [];
    this.#history.clear();
    this.documents.clear();
    this.ranges.clear();
    const text = this.store.get(CATALOG_KEY);
    this.#catalog = text === undefined ? Catalog.empty() : Catalog.parse(text);
    for (const listener of this.#lossListeners) listener();
  }

  /** A state of the database that stays as it is, and with which all is on disk that is visible now. */
  async snapshot(): Promise<DatabaseSnapshot> {
    const reading = this.store.snapshot();
    try {
      await this.durable();
    } catch (error) {
      reading.release();
      throw error;
    }
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

/** What a commit has written. */
class Written {
  #all: readonly string[] | null = null;

  constructor(
    private readonly writes: SortedWrites,
    private readonly touched: readonly string[],
  ) {}

  /**
   * The keys of notes, of documents but for those of {@link inserted}, and of the index entries of documents that were there before. Those
   * of new documents are among them only where a nested mutation has inserted these.
   */
  get changed(): Iterable<string> {
    return this.writes.changed.keys();
  }

  /** The keys of new documents, but for some that are in {@link changed}. */
  get inserted(): Iterable<string> {
    return this.writes.inserted.keys();
  }

  /** Whether any of the keys of {@link changed} is in a range. */
  changesIn({ start, end }: KeyRange): boolean {
    for (const key of this.changed) if (start <= key && key < end) return true;
    return false;
  }

  /** All keys that were written, and those whose documents were. It takes much longer than the others. */
  get all(): readonly string[] {
    if (this.#all === null) {
      const all = [...this.touched];
      this.writes.forEach((_, key) => all.push(key));
      this.#all = all;
    }
    return this.#all;
  }
}

/** `reading` must be released. */
export type DatabaseSnapshot = {
  readonly reading: Snapshot;
  readonly catalog: Catalog;
  readonly timestamp: bigint;
};

type CommitListener = (written: Written) => void;
