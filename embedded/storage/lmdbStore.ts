import type { Transaction } from "lmdb";
import type { Slice } from "./generationFill.js";
import { MARK_KEY, openDatabase, writeNow, writeSlice } from "./lmdbWriting.js";
import { groupOf, isLong, storedEnd, storedKey, storedStart, unfold } from "./longKeys.js";
import { firstOf, type Order, type Reading, type Snapshot } from "./store";

type Entry = [key: string, value: string];

/** A scan reads this many entries at first, then twice as many each time, since most scans want few. */
const FIRST_READ = 8;
const LARGEST_READ = 512;
/** A read ends early once it holds this much text. */
const READ_CHARACTERS = 1 << 20;

/**
 * An ordered map in one file (and a lock file beside it). Reads and writes are synchronous: reads come from the memory map, and a
 * write is on disk when it returns.
 */
export class LmdbStore implements Reading {
  readonly #db: ReturnType<typeof openDatabase>;
  readonly #options = {};
  readonly #ranges: Iterable<{ key: string; value: string }>;

  /** @param path the file; it is made if it is not there. Damaged files crash the process: see `dataFolder.ts`. */
  constructor(readonly path: string) {
    this.#db = openDatabase(path);
    this.#ranges = this.#db.getRange(this.#options);
  }

  get(key: string): string | undefined {
    if (!isLong(key)) return this.#db.get(key);
    const stored = storedKey(key);
    const text = this.#db.get(stored);
    if (text === undefined) return undefined;
    const [found, value] = unfold(stored, text);
    return found === key ? value : undefined;
  }

  scan(start: string, end: string | null, order: Order): IterableIterator<Entry> {
    return this.#scan(start, end, order);
  }

  /** The first entries of {@link scan}, up to `limit`, at once. */
  take(start: string, end: string | null, order: Order, limit: number): Entry[] {
    const [first, last] = [storedStart(start), end === null ? undefined : storedEnd(end)];
    const to = order === "asc" ? last : first;
    let from = order === "asc" ? first : last;
    const entries: Entry[] = [];
    // A read ends early where there is much text.
    for (let complete = false; !complete && entries.length < limit;) {
      complete = this.#read(from, to, order, limit - entries.length, entries, undefined);
      from = nextFrom(entries, order);
    }
    const isPlain = ([key]: Entry) => !isLong(key) && key >= start;
    return entries.every(isPlain) ? entries : firstOf(this.scan(start, end, order), limit);
  }

  snapshot(): Snapshot {
    const transaction = this.#db.useReadTransaction();
    const scan = (start: string, end: string | null, order: Order) =>
      this.#scan(start, end, order, transaction);
    return {
      // Of the two ways to read, only ranges heed a transaction with an encoding of one's own.
      get: (key) => scan(key, `${key}\0`, "asc").next().value?.[1],
      scan,
      release: () => transaction.done(),
    };
  }

  *#scan(
    start: string,
    end: string | null,
    order: Order,
    transaction?: Transaction,
  ): IterableIterator<Entry> {
    // LMDB's reverse ranges begin at the upper end.
    const first = storedStart(start);
    const last = end === null ? undefined : storedEnd(end);
    let from = order === "asc" ? first : last;
    const to = order === "asc" ? last : first;
    let group: Entry[] = [];
    let complete = false;
    for (let limit = FIRST_READ; !complete; limit = Math.min(limit * 2, LARGEST_READ)) {
      const entries: Entry[] = [];
      complete = this.#read(from, to, order, limit, entries, transaction);
      for (const entry of entries) {
        const [key] = entry;
        if (group.length > 0 && !isOfGroup(key, group)) {
          yield* sortedGroup(group, start, end, order);
          group = [];
        }
        if (key === MARK_KEY) continue;
        if (isLong(key)) group.push(unfold(key, entry[1]));
        else if (key >= start) yield entry;
      }
      from = nextFrom(entries, order);
    }
    yield* sortedGroup(group, start, end, order);
  }

  /**
   * Appends up to `limit` stored entries, fewer where they hold much text; true if there are no more. No cursor stays open
   * after it: one would hold on to its snapshot, and a scan that nobody finishes would keep LMDB from reusing pages for ever.
   */
  #read(
    from: string | undefined,
    to: string | undefined,
    order: Order,
    limit: number,
    entries: Entry[],
    transaction: Transaction | undefined,
  ): boolean {
    const reverse = order === "desc";
    const range = {
      start: from,
      end: to,
      reverse,
      exclusiveStart: reverse && from !== undefined,
      inclusiveEnd: reverse,
    };
    const found = transaction ? this.#db.getRange(asOptions({ ...range, transaction })) : this.#range(range);
    const before = entries.length;
    let characters = 0;
    for (const { key, value } of found) {
      entries.push([key, value]);
      characters += value.length;
      if (entries.length - before === limit || characters > READ_CHARACTERS) return false;
    }
    return true;
  }

  /** What lmdb gives for a range. It looks at the options when it begins to read: to make a new one for each takes as long again. */
  #range(range: object): Iterable<{ key: string; value: string }> {
    Object.assign(this.#options, range);
    return this.#ranges;
  }

  /** What was stored last with {@link writeNow}. */
  get mark(): string | undefined {
    return this.#db.get(MARK_KEY);
  }

  /** Applies all writes, of legal keys, and changes the mark, or throws and changes nothing. */
  writeNow(writes: Iterable<readonly [string, string | null]>, mark: string): void {
    writeNow(this.#db, writes, mark);
  }

  /** The same of a slice of a generation. */
  writeSlice(slice: Slice, mark: string): void {
    writeSlice(this.#db, slice, mark);
  }

  /** From now on reads see what another thread has written. */
  refresh(): void {
    this.#db.resetReadTxn();
  }

  async close(): Promise<void> {
    await this.#db.close();
  }
}

/** lmdb's types do not know all of its options. */
function asOptions(range: object): { start: string } {
  return range as { start: string };
}

/** Where to read on behind the last of the stored entries that were read. */
function nextFrom(entries: readonly Entry[], order: Order): string | undefined {
  const last = entries.at(-1)?.[0];
  return order === "asc" && last !== undefined ? `${last}\0` : last;
}

/** Whether a stored key belongs to the group that the long keys are of. */
function isOfGroup(stored: string, group: Entry[]): boolean {
  return isLong(stored) && groupOf(stored) === groupOf((group[0] as Entry)[0]);
}

function* sortedGroup(
  group: Entry[],
  start: string,
  end: string | null,
  order: Order,
): IterableIterator<Entry> {
  if (group.length > 1) {
    const sign = order === "asc" ? 1 : -1;
    group.sort(([a], [b]) => (a < b ? -sign : sign));
  }
  for (const entry of group) {
    if (entry[0] >= start && (end === null || entry[0] < end)) yield entry;
  }
}
