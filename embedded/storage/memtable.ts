import { Additions } from "./additions";
import type { Entry, KeyFinder, Ways } from "./keyFinder";
import type { LogRecord } from "./logRecord";
import { MemtablePart } from "./memtablePart";
import { mergeLayers } from "./mergeScan";
import { PartWrites } from "./partWrites";
import { SheafLayout } from "./sheaf";
import { layoutAt, layoutTextAt, PREFIX_BYTES } from "./sheafLayout.js";
import { SparePieces } from "./sharedPieces";
import { firstOf, forEachOrSheaf, type Writes } from "./store";
import { keyBytesAt, SHEAF, valueBytesAt, WRITE_HEADER_BYTES, writeBytesAt } from "./writeLayout.js";

/**
 * Keys that begin alike, with so many characters, are one part: in practice a table or an index. Small parts cost less where
 * a part is put in order.
 */
export const PART_CHARS = PREFIX_BYTES;

/**
 * Writes that are not in the database yet. A value of `null` says that the key is deleted.
 *
 * Sheaves stay as they are: their keys are put together for who looks for them. As nobody has written these before, what was written of
 * one of them by itself came later.
 */
export class Memtable {
  /** Of writes of one key each, by {@link partOf}. */
  readonly #parts = new Map<number, MemtablePart>();
  /** Of sheaves, by their layouts. */
  readonly #sheaves = new Map<string, MemtablePart>();
  /** What finds the keys of a number, see {@link partOf}; first that in which the last writes are. */
  readonly #finders = new Map<number, KeyFinder[]>();

  /** @param ways how the keys of its parts have been looked for, by their numbers and layouts, also in those whose writes have come before */
  constructor(
    private readonly spare = new SparePieces(),
    private readonly ways = new Map<number | string, readonly Ways[]>(),
  ) {}

  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  /** How much was written into it. */
  get bytes(): number {
    return this.#all.reduce((bytes, part) => bytes + part.writes.bytes, 0);
  }

  /** How many keys were written, several writes of one key counted as such. */
  get writes(): number {
    return this.#all.reduce((count, part) => count + part.length, 0);
  }

  /** Those that may stay while others go: not sheaves of whose keys something was written later, which must not overtake them. */
  get parts(): readonly MemtablePart[] {
    return this.#all.filter(
      ({ layout }) => !layout?.keys.some(({ prefix }) => this.#parts.has(partOf(prefix))),
    );
  }

  get #all(): MemtablePart[] {
    return [...this.#parts.values(), ...this.#sheaves.values()];
  }

  /** `undefined`: nothing is known of this key here. */
  get(key: string): string | null | undefined {
    for (const finder of this.#finders.get(partOf(key)) ?? []) {
      const value = finder.get(key);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /**
   * Adds writes of legal keys.
   *
   * @param added is told of them. If this throws, some may have been added: to be undone with all that it was told of
   */
  add(writes: Writes, added = new Additions()): void {
    forEachOrSheaf(
      writes,
      (value, key) => {
        const part = this.#part(partOf(key));
        added.before(part);
        part.writes.push(key, value);
      },
      (sheaf) => {
        const part = this.#partOfSheaves(sheaf.layout);
        added.before(part);
        part.writes.pushSheaf(sheaf);
      },
    );
  }

  /** Adds the writes of a record of the log. */
  addRecord({ payload }: LogRecord): void {
    for (let at = 0; at < payload.length;) {
      const end = at + writeBytesAt(payload, at);
      const isSheaf = valueBytesAt(payload, at) === SHEAF;
      const part = isSheaf ? this.#partOfSheafAt(payload, at) : this.#part(partAt(payload, at));
      part.writes.pushBytes(payload, at, end);
      at = end;
    }
  }

  /** Whether there are writes with `start <= key < end`. */
  touches(start: string, end: string | null): boolean {
    return this.#findersOf(start, end).some((finders) =>
      finders.some((finder) => finder.touches(start, end)),
    );
  }

  /** The first of the writes with `start <= key < end`, up to `limit`. `tail`: see {@link Store.take}. */
  take(start: string, end: string | null, order: "asc" | "desc", limit: number, tail?: number): Entry[] {
    // With a tail all keys begin with the start, and the text of the end need not be put together.
    const isOfStart = tail !== undefined && start.length >= PART_CHARS;
    const parts = this.#findersOf(start, isOfStart ? start : end);
    const [part] = parts;
    if (part === undefined) return [];
    if (parts.length === 1) return takeOf(part, start, end, order, limit, tail);
    const entries: Entry[] = [];
    for (const one of order === "asc" ? parts : parts.reverse())
      entries.push(...takeOf(one, start, end, order, limit - entries.length, undefined));
    return entries;
  }

  /** The writes with `start <= key < end`, `null` being behind the last key. Must not be iterated after others were added. */
  *scan(start: string, end: string | null, order: "asc" | "desc"): Generator<Entry, void, undefined> {
    const parts = this.#findersOf(start, end);
    for (const finders of order === "asc" ? parts : parts.reverse()) {
      const scans = finders.map((finder) => finder.scan(start, end, order));
      yield* scans.length === 1 ? (scans[0] as (typeof scans)[0]) : mergeLayers(scans, order);
    }
  }

  /**
   * All writes, for another thread: where they are, part by part in the order of their keys; of a part in the order in which they
   * came, and of the same keys those of sheaves first.
   */
  show(): SharedWrites {
    const shown: [number: number, SharedWrites[number]][] = [];
    for (const { layout, writes } of this.#sheaves.values()) {
      const pieces = writes.show();
      for (const [key, { prefix }] of layout?.keys.entries() ?? [])
        shown.push([partOf(prefix), { pieces, addresses: writes.list.addresses, key }]);
    }
    for (const [number, { writes }] of this.#parts)
      shown.push([number, { pieces: writes.show(), addresses: writes.list.addresses, key: null }]);
    return inOrder(shown);
  }

  /** Its memory may be used for something else, if it is kept for nobody. Nothing may be asked any more. */
  release(): void {
    for (const part of this.#all) part.release();
  }

  /** Keeps it as it is for somebody who may still ask after its release. */
  keep(): this {
    for (const { writes } of this.#all) writes.keep();
    return this;
  }

  /** The same writes, which stay as they are. */
  copy(): Memtable {
    const copy = new Memtable();
    for (const [number, part] of this.#parts) copy.#put(number, part.copy());
    for (const [layout, part] of this.#sheaves) copy.#putSheaves(layout, part.copy());
    return copy;
  }

  /** Moves all parts but these to a memtable of their own. */
  moveOut(staying: ReadonlySet<MemtablePart>): Memtable {
    const moved = new Memtable(this.spare, this.ways);
    const [parts, sheaves] = [[...this.#parts], [...this.#sheaves]];
    for (const map of [this.#parts, this.#sheaves, this.#finders]) map.clear();
    for (const [number, part] of parts) (staying.has(part) ? this : moved).#put(number, part);
    for (const [layout, part] of sheaves) (staying.has(part) ? this : moved).#putSheaves(layout, part);
    return moved;
  }

  #part(number: number): MemtablePart {
    return this.#parts.get(number) ?? this.#put(number, this.#newPart(number, null));
  }

  #partOfSheaves(layout: SheafLayout): MemtablePart {
    const part = this.#sheaves.get(layout.text);
    return part ?? this.#putSheaves(layout.text, this.#newPart(layout.text, layout));
  }

  #newPart(name: number | string, layout: SheafLayout | null): MemtablePart {
    const part = new MemtablePart(new PartWrites(this.spare), layout, this.ways.get(name));
    const ways = part.finders.map((finder) => finder.ways);
    this.ways.set(name, ways);
    return part;
  }

  #partOfSheafAt(buffer: Buffer, place: number): MemtablePart {
    const known = this.#sheaves.get(layoutTextAt(buffer, place));
    if (known !== undefined) return known;
    const { parts, keys } = layoutAt(buffer, place);
    return this.#partOfSheaves(new SheafLayout(parts, keys));
  }

  #put(number: number, part: MemtablePart): MemtablePart {
    this.#parts.set(number, part);
    this.#finders.set(number, [...part.finders, ...(this.#finders.get(number) ?? [])]);
    return part;
  }

  #putSheaves(layout: string, part: MemtablePart): MemtablePart {
    this.#sheaves.set(layout, part);
    for (const [i, { prefix }] of part.layout?.keys.entries() ?? []) {
      const number = partOf(prefix);
      this.#finders.set(number, [...(this.#finders.get(number) ?? []), part.finders[i] as KeyFinder]);
    }
    return part;
  }

  /** What finds keys of a range, number by number, in order. */
  #findersOf(start: string, end: string | null): KeyFinder[][] {
    const first = partOf(start);
    const last = end === null ? Infinity : partOf(end);
    if (first === last) {
      const finders = this.#finders.get(first);
      return finders === undefined ? [] : [finders];
    }
    return inOrder([...this.#finders].filter(([number]) => number >= first && number <= last));
  }
}

/** See {@link Memtable.show}. */
export type SharedWrites = readonly {
  readonly pieces: readonly Buffer[];
  /** In these pieces: of all parts together there may be more pieces than an address has room for. */
  readonly addresses: Uint32Array<ArrayBuffer>;
  /** They are sheaves, and it is this one of their keys. */
  readonly key: number | null;
}[];

/** {@link Memtable.take} of keys of one number. */
function takeOf(
  finders: readonly KeyFinder[],
  start: string,
  end: string | null,
  order: "asc" | "desc",
  limit: number,
  tail: number | undefined,
): Entry[] {
  const layers: Entry[][] = [];
  for (const finder of finders) {
    const entries = finder.take(start, end, order, limit, tail);
    if (entries.length > 0) layers.push(entries);
  }
  if (layers.length < 2) return layers[0] ?? [];
  const merged = mergeLayers(
    layers.map((entries) => entries.values()),
    order,
  );
  return firstOf(merged, limit);
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

/** The same of a write. */
function partAt(buffer: Buffer, place: number): number {
  const key = place + WRITE_HEADER_BYTES;
  const keyBytes = keyBytesAt(buffer, place);
  if (keyBytes < PART_CHARS) return partOf(buffer.toString("latin1", key, key + keyBytes));
  return buffer.readUInt32BE(key) * 256 + (buffer[key + PART_CHARS - 1] as number);
}

/** What comes with numbers, in the order of these; what has the same number stays in the order in which it is. */
function inOrder<T>(numbered: [number: number, T][]): T[] {
  return numbered.sort(([a], [b]) => a - b).map(([, one]) => one);
}
