import { Additions } from "./additions";
import type { LogRecord } from "./logRecord";
import { MemtablePart, type Entry } from "./memtablePart";
import { PartWrites } from "./partWrites";
import { SparePieces } from "./sharedPieces";
import type { Writes } from "./store";
import { keyBytesAt, WRITE_HEADER_BYTES, writeBytesAt } from "./writeLayout.js";

/**
 * Keys that begin alike, with so many characters, are one part: in practice a table or an index. Small parts cost less where
 * a part is put in order.
 */
export const PART_CHARS = 5;

/** Writes that are not in the database yet. A value of `null` says that the key is deleted. */
export class Memtable {
  /** By {@link partOf}. */
  readonly #parts = new Map<number, MemtablePart>();

  constructor(private readonly spare = new SparePieces()) {}

  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  /** How much was written into it. */
  get bytes(): number {
    let bytes = 0;
    for (const { writes } of this.#parts.values()) bytes += writes.bytes;
    return bytes;
  }

  /** How many writes were added, several of one key too. */
  get writes(): number {
    let count = 0;
    for (const { writes } of this.#parts.values()) count += writes.list.length;
    return count;
  }

  get parts(): readonly MemtablePart[] {
    return [...this.#parts.values()];
  }

  /** `undefined`: nothing is known of this key here. */
  get(key: string): string | null | undefined {
    return this.#parts.get(partOf(key))?.get(key);
  }

  /**
   * Adds writes of legal keys.
   *
   * @param added is told of them. If this throws, some may have been added: to be undone with all that it was told of
   */
  add(writes: Writes, added = new Additions()): void {
    writes.forEach((value, key) => {
      const part = this.#part(partOf(key));
      added.before(part);
      part.writes.push(key, value);
    });
  }

  /** Adds the writes of a record of the log. */
  addRecord({ payload }: LogRecord): void {
    for (let at = 0; at < payload.length;) {
      const end = at + writeBytesAt(payload, at);
      this.#part(partAt(payload, at)).writes.pushBytes(payload, at, end);
      at = end;
    }
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

  /** The writes with `start <= key < end`, `null` being behind the last key. Must not be iterated after others were added. */
  *scan(start: string, end: string | null, order: "asc" | "desc"): Generator<Entry, void, undefined> {
    const parts = this.#partsOf(start, end);
    for (const part of order === "asc" ? parts : parts.reverse()) yield* part.scan(start, end, order);
  }

  /** The hashes of all keys that begin with this text, of {@link PART_CHARS}, without their last characters. */
  forEachStem(start: string, tail: number, take: (hash: number) => void): void {
    this.#parts.get(partOf(start))?.forEachStem(tail, take);
  }

  /** All writes, for another thread: where they are, of each part in the order in which they came, and the parts in order. */
  show(): SharedWrites {
    return inOrder([...this.#parts]).map(({ writes }) => {
      const { addresses } = writes.list;
      return { pieces: writes.show(), addresses };
    });
  }

  /** Its memory may be used for something else, if it is kept for nobody. Nothing may be asked any more. */
  release(): void {
    for (const { writes } of this.#parts.values()) writes.release();
  }

  /** Keeps it as it is for somebody who may still ask after its release. */
  keep(): this {
    for (const { writes } of this.#parts.values()) writes.keep();
    return this;
  }

  /** The same writes, which stay as they are. */
  copy(): Memtable {
    const copy = new Memtable();
    for (const [number, part] of this.#parts) copy.#parts.set(number, part.copy());
    return copy;
  }

  /** Moves all parts but these to a memtable of their own. */
  moveOut(staying: ReadonlySet<MemtablePart>): Memtable {
    const moved = new Memtable(this.spare);
    for (const [number, part] of this.#parts) {
      if (staying.has(part)) continue;
      moved.#parts.set(number, part);
      this.#parts.delete(number);
    }
    return moved;
  }

  #part(number: number): MemtablePart {
    let part = this.#parts.get(number);
    if (part === undefined) {
      part = new MemtablePart(new PartWrites(this.spare));
      this.#parts.set(number, part);
    }
    return part;
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

/** See {@link Memtable.show}. */
export type SharedWrites = readonly {
  readonly pieces: readonly Buffer[];
  /** In these pieces: of all parts together there may be more pieces than an address has room for. */
  readonly addresses: Uint32Array<ArrayBuffer>;
}[];

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

/** The same of a write. */
function partAt(buffer: Buffer, place: number): number {
  const key = place + WRITE_HEADER_BYTES;
  const keyBytes = keyBytesAt(buffer, place);
  if (keyBytes < PART_CHARS) return partOf(buffer.toString("latin1", key, key + keyBytes));
  return buffer.readUInt32BE(key) * 256 + (buffer[key + PART_CHARS - 1] as number);
}

function inOrder(parts: [number: number, part: MemtablePart][]): MemtablePart[] {
  return parts.sort(([a], [b]) => a - b).map(([, part]) => part);
}
