import { MemtablePart, type Change, type Entry } from "./memtablePart";

/**
 * Keys that begin alike, with so many characters, are one part: in practice a table or an index. Small parts cost less where
 * a part is put in order.
 */
const PART_CHARS = 5;

/** What an entry takes in memory beside its characters, roughly and in characters. */
const ENTRY_CHARS = 64;

/** How much a write adds to a memtable. */
export function charsOf(key: string, value: string | null): number {
  return key.length + (value?.length ?? 0) + ENTRY_CHARS;
}

/** Writes that are not in the database yet. A value of `null` says that the key is deleted. */
export class Memtable {
  /** By {@link partOf}. */
  readonly #parts = new Map<number, MemtablePart>();
  #chars = 0;

  get isEmpty(): boolean {
    return this.#chars === 0;
  }

  /** How much was written into it, in characters. */
  get chars(): number {
    return this.#chars;
  }

  /** `undefined`: nothing is known of this key here. */
  get(key: string): string | null | undefined {
    return this.#parts.get(partOf(key))?.get(key);
  }

  set(key: string, value: string | null): Change {
    this.#chars += charsOf(key, value);
    const number = partOf(key);
    let part = this.#parts.get(number);
    if (part === undefined) {
      part = new MemtablePart();
      this.#parts.set(number, part);
    }
    return part.set(key, value);
  }

  /** Undoes the last writes: those that made these changes, in their order. `chars`: how much was written before them. */
  undo(changes: readonly Change[], chars: number): void {
    for (const change of changes.toReversed()) {
      const key = typeof change === "string" ? change : change[0];
      this.#parts.get(partOf(key))?.undo(change);
    }
    this.#chars = chars;
  }

  /** Whether there are writes with `start <= key < end`. */
  touches(start: string, end: string | null): boolean {
    return this.#partsOf(start, end).some((part) => part.touches(start, end));
  }

  /** The first of the writes with `start <= key < end`, up to `limit`. `tail`: see {@link Store.take}. */
  take(start: string, end: string | null, order: "asc" | "desc", limit: number, tail?: number): Entry[] {
    const parts = this.#partsOf(start, end);
    const [part] = parts;
    if (part === undefined) return [];
    if (parts.length === 1) return part.take(start, end, order, limit, tail);
    const entries: Entry[] = [];
    for (const one of order === "asc" ? parts : parts.reverse())
      entries.push(...one.take(start, end, order, limit - entries.length, undefined));
    return entries;
  }

  /** The writes with `start <= key < end`, `null` being behind the last key. Must not be iterated after a `set`. */
  *scan(start: string, end: string | null, order: "asc" | "desc"): Generator<Entry, void, undefined> {
    const parts = this.#partsOf(start, end);
    for (const part of order === "asc" ? parts : parts.reverse()) yield* part.scan(start, end, order);
  }

  /** All writes in the order of their keys. `pause` is called where others may run meanwhile; nothing may be set then. */
  async *inOrder(pause: () => Promise<unknown>): AsyncGenerator<Iterable<Entry>, void, undefined> {
    for (const part of inOrder([...this.#parts])) yield await part.inOrder(pause);
  }

  /** The same writes, which stay as they are. */
  copy(): Memtable {
    const copy = new Memtable();
    for (const [number, part] of this.#parts) copy.#parts.set(number, part.copy());
    copy.#chars = this.#chars;
    return copy;
  }

  /** The parts that may have keys in a range, in order. */
  #partsOf(start: string, end: string | null): MemtablePart[] {
    const first = partOf(start);
    const last = end === null ? Infinity : partOf(end);
    if (first === last) {
      const part = this.#parts.get(first);
      return part === undefined ? [] : [part];
    }
    return inOrder([...this.#parts].filter(([number]) => number >= first && number <= last));
  }
}

/**
 * The number of the part that a key is in. Their order is that of the keys. (A number is found in a map in less than half
 * the time that the first characters take, as a text of their own.)
 */
function partOf(key: string): number {
  if (key.length < PART_CHARS) return partOf(key.padEnd(PART_CHARS, "\0"));
  const high = key.charCodeAt(0) * 256 + key.charCodeAt(1);
  const low = (key.charCodeAt(2) * 256 + key.charCodeAt(3)) * 256 + key.charCodeAt(4);
  return high * 2 ** 24 + low;
}

function inOrder(parts: [number: number, part: MemtablePart][]): MemtablePart[] {
  return parts.sort(([a], [b]) => a - b).map(([, part]) => part);
}
