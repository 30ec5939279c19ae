import { SortedKeys } from "./sortedKeys";
import { compareKeys } from "./sortedMap";

type Entry = [key: string, value: string | null];

/**
 * What a write has changed: the key, and its value before if that was another than the empty text, which most are not and which
 * therefore says the same as nothing.
 */
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

  get isEmpty(): boolean {
    return this.#chars === 0;
  }

  /** How much was written into it, in characters. */
  get chars(): number {
    return this.#chars;
  }

  /** `undefined`: nothing is known of this key here. */
  get(key: string): string | null | undefined {
    return this.#parts.get(key.slice(0, PART_CHARS))?.get(key);
  }

  set(key: string, value: string | null): Change {
    this.#chars += charsOf(key, value);
    const prefix = key.slice(0, PART_CHARS);
    let part = this.#parts.get(prefix);
    if (part === undefined) {
      part = new Part(prefix, this.scanned);
      this.#parts.set(prefix, part);
    }
    return part.set(key, value);
  }

  /** Undoes the last writes: those that made these changes, in their order. `chars`: how much was written before them. */
  undo(changes: readonly Change[], chars: number): void {
    for (const change of changes.toReversed()) {
      const key = typeof change === "string" ? change : change[0];
      this.#parts.get(key.slice(0, PART_CHARS))?.undo(change);
    }
    this.#chars = chars;
  }

  /** Whether there are writes with `start <= key < end`. */
  touches(start: string, end: string | null): boolean {
    return this.#partsOf(start, end).some((part) => part.touches(start, end));
  }

  /** The first of the writes with `start <= key < end`, up to `limit`. */
  take(start: string, end: string | null, order: "asc" | "desc", limit: number): Entry[] {
    const entries: Entry[] = [];
    const parts = this.#partsOf(start, end);
    for (const part of order === "asc" ? parts : parts.reverse()) {
      for (const key of part.take(start, end, order, limit - entries.length))
        entries.push([key, part.valueOf(key)]);
    }
    return entries;
  }

  /** The writes with `start <= key < end`, `null` being behind the last key. Must not be iterated after a `set`. */
  *scan(start: string, end: string | null, order: "asc" | "desc"): Generator<Entry, void, undefined> {
    const parts = this.#partsOf(start, end);
    for (const part of order === "asc" ? parts : parts.reverse()) {
      for (const key of part.scan(start, end, order)) yield [key, part.valueOf(key)];
    }
  }

  /** All writes in the order of their keys. `pause` is called where others may run meanwhile; nothing may be set then. */
  async *inOrder(pause: () => Promise<unknown>): AsyncGenerator<Iterable<Entry>, void, undefined> {
    for (const part of sortParts([...this.#parts.values()])) yield await part.inOrder(pause);
  }

  /** The same writes, which stay as they are. */
  copy(): Memtable {
    const copy = new Memtable(new Set(this.scanned));
    for (const [prefix, part] of this.#parts) copy.#parts.set(prefix, part.copy(copy.scanned));
    copy.#chars = this.#chars;
    return copy;
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

/** The writes of keys that begin alike. */
class Part {
  /** The key of every write, as they came: so a write of an empty text, as entries of indexes are, costs next to nothing. */
  #keys: string[] = [];
  /** The values but the empty text. */
  #values = new Map<string, string | null>();
  /** How many writes of an empty text there were. */
  #emptyTexts = 0;
  #sorted: SortedKeys | null;

  constructor(
    readonly prefix: string,
    private readonly scanned: Set<string>,
  ) {
    this.#sorted = scanned.has(prefix) ? new SortedKeys() : null;
  }

  get(key: string): string | null | undefined {
    const value = this.#values.get(key);
    if (value !== undefined || this.#emptyTexts === 0) return value;
    return this.#sort().has(key) ? "" : undefined;
  }

  /** Of a key that is there. */
  valueOf(key: string): string | null {
    const value = this.#values.size === 0 ? undefined : this.#values.get(key);
    return value === undefined ? "" : value;
  }

  set(key: string, value: string | null): Change {
    this.#keys.push(key);
    this.#sorted?.add(key);
    if (value === "") this.#emptyTexts++;
    const before = value === "" && this.#values.size === 0 ? undefined : this.#values.get(key);
    if (value !== "") this.#values.set(key, value);
    else if (before !== undefined) this.#values.delete(key);
    return before === undefined ? key : [key, before];
  }

  /** Undoes the last write. */
  undo(change: Change): void {
    const [key, before] = typeof change === "string" ? [change] : change;
    if (!this.#values.has(key)) this.#emptyTexts--;
    if (before === undefined) this.#values.delete(key);
    else this.#values.set(key, before);
    this.#keys.pop();
    // It is put in order anew when somebody scans: the key may have been written before, too.
    this.#sorted = null;
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

  async inOrder(pause: () => Promise<unknown>): Promise<Iterable<Entry>> {
    return this.#entries(await this.#sortedKeys(pause));
  }

  *#entries(keys: readonly string[]): Generator<Entry, void, undefined> {
    for (const key of keys) yield [key, this.valueOf(key)];
  }

  async #sortedKeys(pause: () => Promise<unknown>): Promise<readonly string[]> {
    if (this.#sorted) return this.#sorted.toArray();
    const unsorted = this.#keys;
    const keys: string[] = [];
    for (let at = 0; at < unsorted.length; at += SORTED_AT_ONCE) {
      if (at > 0) await pause();
      keys.push(...unsorted.slice(at, at + SORTED_AT_ONCE).sort());
    }
    // Of what is in order piece by piece, the rest is little work.
    return distinct(keys.sort());
  }

  copy(scanned: Set<string>): Part {
    const copy = new Part(this.prefix, scanned);
    copy.#keys = [...this.#keys];
    copy.#values = new Map(this.#values);
    copy.#emptyTexts = this.#emptyTexts;
    copy.#sorted = null;
    return copy;
  }

  #sort(): SortedKeys {
    if (this.#sorted) return this.#sorted;
    const keys = distinct(this.#keys.toSorted());
    // In one step, so that a scan that is cut off leaves the part as it was.
    this.#sorted = new SortedKeys(keys);
    if (keys.length >= MANY_KEYS) this.scanned.add(this.prefix);
    return this.#sorted;
  }
}

function distinct(sorted: readonly string[]): string[] {
  return sorted.filter((key, i) => key !== sorted[i - 1]);
}

function sortParts(parts: Part[]): Part[] {
  return parts.length < 2 ? parts : parts.sort((a, b) => compareKeys(a.prefix, b.prefix));
}
