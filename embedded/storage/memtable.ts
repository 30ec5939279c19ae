import { SortedKeys } from "./sortedKeys";
import { compareKeys } from "./sortedMap";

type Entry = [key: string, value: string | null];

/** What a write has changed: a key of which nothing was known, or what was known of it. There are very many of the former. */
export type Change = string | readonly [key: string, before: string | null];

/** Keys that begin alike, with so many characters, are one part: in practice a table or an index. */
const PART_CHARS = 5;
/** Parts with fewer keys than this are put in order anew in each memtable: there may be any number of them. */
const MANY_KEYS = 32;
/** So many keys are put in order at a time. */
const SORTED_AT_ONCE = 4096;

/**
 * Writes that are not in the database yet. A value of `null` says that the key is deleted.
 *
 * The keys of a part are put in order when it is scanned for the first time, and kept so from then on, in later memtables
 * too: most of what is written is not scanned before it is in the database, and putting keys in order costs more than
 * all the rest. A scan may be cut off at any moment: it changes nothing but by replacing what is there with the same in order.
 */
export class Memtable {
  readonly #values = new Map<string, string | null>();
  readonly #parts = new Map<string, Part>();
  #chars = 0;

  /** @param scanned what the keys of those parts begin with in which somebody has scanned */
  private constructor(private readonly scanned: Set<string>) {}

  static first(): Memtable {
    return new Memtable(new Set());
  }

  /** An empty one, for the writes that come after these. */
  successor(): Memtable {
    return new Memtable(this.scanned);
  }

  get size(): number {
    return this.#values.size;
  }

  /** How much was written into it, in characters. */
  get chars(): number {
    return this.#chars;
  }

  /** The latest write of each key, in no particular order. */
  get values(): ReadonlyMap<string, string | null> {
    return this.#values;
  }

  /** `undefined`: nothing is known of this key here. */
  get(key: string): string | null | undefined {
    return this.#values.get(key);
  }

  /** Gives what was known of the key before. */
  set(key: string, value: string | null): string | null | undefined {
    const before = this.#values.get(key);
    this.#values.set(key, value);
    this.#chars += charsOf(key, value);
    if (before === undefined) this.#partOf(key).add(key);
    return before;
  }

  /** Undoes the writes that made these changes, in their order. */
  undo(changes: readonly Change[]): void {
    const shrunk = new Set<Part>();
    for (const change of changes.toReversed()) {
      const [key, before] = typeof change === "string" ? [change] : change;
      const now = this.#values.get(key) as string | null;
      this.#chars -= charsOf(key, now);
      if (before !== undefined) {
        this.#values.set(key, before);
      } else {
        this.#values.delete(key);
        shrunk.add(this.#partOf(key));
      }
    }
    for (const part of shrunk) part.keep((key) => this.#values.has(key));
  }

  /** Whether there are writes with `start <= key < end`. */
  touches(start: string, end: string | null): boolean {
    // Before each read of the database: it must cost next to nothing where nothing is.
    if (this.#values.size === 0) return false;
    return this.#partsOf(start, end).some((part) => part.touches(start, end));
  }

  /** The first of the writes with `start <= key < end`, up to `limit`. */
  take(start: string, end: string | null, order: "asc" | "desc", limit: number): Entry[] {
    if (this.#values.size === 0) return [];
    const parts = this.#partsOf(start, end);
    const keys = [];
    for (const part of order === "asc" ? parts : parts.reverse()) {
      for (const key of part.take(start, end, order, limit - keys.length)) keys.push(key);
    }
    return keys.map((key) => [key, this.#values.get(key) as string | null]);
  }

  /** The writes with `start <= key < end`, `null` being behind the last key. Must not be iterated after a `set`. */
  *scan(start: string, end: string | null, order: "asc" | "desc"): Generator<Entry, void, undefined> {
    const parts = this.#partsOf(start, end);
    for (const part of order === "asc" ? parts : parts.reverse()) {
      for (const key of part.scan(start, end, order)) yield [key, this.#values.get(key) as string | null];
    }
  }

  /** All keys in order, part by part. `pause` is called where others may run meanwhile; nothing may be set then. */
  async *sortedKeys(pause: () => Promise<unknown>): AsyncGenerator<readonly string[], void, undefined> {
    for (const part of sortParts([...this.#parts.values()])) yield await part.sortedKeys(pause);
  }

  /** The same writes, which stay as they are. */
  copy(): Memtable {
    const copy = new Memtable(new Set(this.scanned));
    for (const [key, value] of this.#values) copy.set(key, value);
    return copy;
  }

  #partOf(key: string): Part {
    const prefix = key.slice(0, PART_CHARS);
    let part = this.#parts.get(prefix);
    if (part === undefined) {
      part = new Part(prefix, this.scanned);
      this.#parts.set(prefix, part);
    }
    return part;
  }

  /** The parts that may have keys in a range, in order. */
  #partsOf(start: string, end: string | null): Part[] {
    const first = start.slice(0, PART_CHARS);
    if (first.length === PART_CHARS && end?.startsWith(first)) {
      const part = this.#parts.get(first);
      return part === undefined ? [] : [part];
    }
    const found = [];
    for (const part of this.#parts.values()) {
      if (part.prefix >= first && (end === null || part.prefix < end)) found.push(part);
    }
    return sortParts(found);
  }
}

/** What an entry takes in memory beside its characters, roughly and in characters. */
const ENTRY_CHARS = 64;

/** How much a write adds to a memtable. */
export function charsOf(key: string, value: string | null): number {
  return key.length + (value?.length ?? 0) + ENTRY_CHARS;
}

/** Keys that begin alike. */
class Part {
  #unsorted: string[] = [];
  #sorted: SortedKeys | null;

  constructor(
    readonly prefix: string,
    private readonly scanned: Set<string>,
  ) {
    this.#sorted = scanned.has(prefix) ? new SortedKeys() : null;
  }

  /** Of a key that is not there. */
  add(key: string): void {
    if (this.#sorted) this.#sorted.add(key);
    else this.#unsorted.push(key);
  }

  /** Drops the keys that do not pass. */
  keep(passes: (key: string) => boolean): void {
    this.#unsorted = this.#unsorted.filter(passes);
    if (this.#sorted) this.#sorted = new SortedKeys(this.#sorted.toArray().filter(passes));
  }

  touches(start: string, end: string | null): boolean {
    return this.#sort().touches(start, end);
  }

  take(start: string, end: string | null, order: "asc" | "desc", limit: number): string[] {
    return this.#sort().take(start, end, order, limit);
  }

  scan(start: string, end: string | null, order: "asc" | "desc"): Iterable<string> {
    return this.#sort().scan(start, end, order);
  }

  async sortedKeys(pause: () => Promise<unknown>): Promise<readonly string[]> {
    if (this.#sorted) return this.#sorted.toArray();
    const unsorted = this.#unsorted;
    const keys: string[] = [];
    for (let at = 0; at < unsorted.length; at += SORTED_AT_ONCE) {
      if (at > 0) await pause();
      keys.push(...unsorted.slice(at, at + SORTED_AT_ONCE).sort());
    }
    // Of what is in order piece by piece, the rest is little work.
    return keys.sort();
  }

  #sort(): SortedKeys {
    if (this.#sorted) return this.#sorted;
    const keys = this.#unsorted.toSorted();
    // In one step, so that a scan that is cut off leaves the part as it was.
    this.#sorted = new SortedKeys(keys);
    this.#unsorted = [];
    if (keys.length >= MANY_KEYS) this.scanned.add(this.prefix);
    return this.#sorted;
  }
}

function sortParts(parts: Part[]): Part[] {
  return parts.length < 2 ? parts : parts.sort((a, b) => compareKeys(a.prefix, b.prefix));
}
