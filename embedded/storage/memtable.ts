import { MemtablePart, type Entry } from "./memtablePart";
import { SharedPieces, SparePieces } from "./sharedPieces";
import { checkKey, type Writes } from "./store";
import { DELETED, keyBytesAt, placeOf, pieceAt, WRITE_HEADER_BYTES, writeBytesAt } from "./writeLayout.js";
import { WriteList } from "./writeList";

/**
 * Keys that begin alike, with so many characters, are one part: in practice a table or an index. Small parts cost less where
 * a part is put in order.
 */
export const PART_CHARS = 5;

/** A text of so many characters becomes bytes: to add to a text takes half the time of a call that writes to a buffer. */
const TEXT_CHARS = 1 << 16;
/** A key or a value of more bytes is not put into a text with others. */
const LONGEST_JOINED = 1 << 14;

/** The headers of writes of an empty text, by the length of the key. */
const EMPTY_TEXT_HEADERS = Array.from({ length: 256 }, (_, keyBytes) => writeHeader(keyBytes, 0));

/** A state of a memtable: what was written before it. */
export type Mark = { readonly end: number; readonly bytes: number; readonly writes: number };

/**
 * Writes that are not in the database yet. A value of `null` says that the key is deleted.
 *
 * They are kept as the log has them, byte by byte, in memory that another thread can read, which brings them into the database: so
 * they are no objects that the garbage collector would have to move about.
 */
export class Memtable {
  readonly #space: SharedPieces;
  /** By {@link partOf}. */
  readonly #parts = new Map<number, MemtablePart>();
  #bytes = 0;
  #writes = 0;
  #isKept = false;

  constructor(private readonly spare = new SparePieces()) {
    this.#space = new SharedPieces(spare);
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** How much was written into it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many writes were added, several of one key too. */
  get writes(): number {
    return this.#writes;
  }

  get mark(): Mark {
    return { end: this.#space.end, bytes: this.#bytes, writes: this.#writes };
  }

  /** `undefined`: nothing is known of this key here. */
  get(key: string): string | null | undefined {
    return this.#parts.get(partOf(key))?.get(key);
  }

  /** Leaves room in front of the writes that come next, for what is to be written somewhere with them; see {@link between}. */
  leave(bytes: number): void {
    this.#space.take(bytes);
  }

  /** Adds all of the writes, or throws and adds none. */
  add(writes: Writes): void {
    const { mark } = this;
    try {
      this.#addAll(writes);
    } catch (error) {
      this.undo(mark);
      throw error;
    }
  }

  /** What was left and written between two marks, as bytes. */
  between(start: Mark, end: Mark): Buffer[] {
    return this.#space.between(start.end, end.end);
  }

  /** Undoes what was written after a mark. */
  undo({ end, bytes, writes }: Mark): void {
    for (const part of this.#parts.values()) part.cutTo(end);
    this.#space.giveBack(end);
    this.#bytes = bytes;
    this.#writes = writes;
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
    const pieces = this.#space.show();
    return { pieces, parts: inOrder([...this.#parts]).map(({ addresses }) => addresses) };
  }

  /** Its memory may be used for something else, if it is kept for nobody. Nothing may be asked any more. */
  release(): void {
    if (!this.#isKept) this.spare.keep(this.#space.pieces);
  }

  /** Keeps it as it is for somebody who may still ask after its release. */
  keep(): this {
    this.#isKept = true;
    return this;
  }

  /** The same writes, which stay as they are. */
  copy(): Memtable {
    this.keep();
    const copy = new Memtable();
    const pieces = this.#space.show();
    for (const [number, part] of this.#parts) copy.#parts.set(number, part.copy(pieces));
    copy.#bytes = this.#bytes;
    copy.#writes = this.#writes;
    return copy;
  }

  #addAll(writes: Writes): void {
    let text = "";
    let starts: number[] = [];
    const flush = () => {
      if (text === "") return;
      const address = this.#space.take(text.length);
      pieceAt(this.#space.pieces, address).write(text, placeOf(address), "latin1");
      for (const start of starts) this.#note(address + start);
      text = "";
      starts = [];
    };
    writes.forEach((value, key) => {
      checkKey(key);
      const bytes = value === null || value === "" ? 0 : Buffer.byteLength(value);
      // Then all of it is ASCII, of which each character is a byte in UTF-8.
      const isPlain = value === null || bytes === value.length;
      if (isPlain && bytes <= LONGEST_JOINED && key.length <= LONGEST_JOINED) {
        starts.push(text.length);
        text += headerOf(key, value, bytes);
        text += key;
        if (value !== null) text += value;
      } else {
        flush();
        this.#addAlone(key, value, bytes);
      }
      if (text.length > TEXT_CHARS) flush();
    });
    flush();
  }

  #addAlone(key: string, value: string | null, valueBytes: number): void {
    const address = this.#space.take(WRITE_HEADER_BYTES + key.length + valueBytes);
    const piece = pieceAt(this.#space.pieces, address);
    let at = placeOf(address);
    at += piece.write(headerOf(key, value, valueBytes), at, "latin1");
    at += piece.write(key, at, "latin1");
    if (value !== null) piece.write(value, at);
    this.#note(address);
  }

  #note(address: number): void {
    const piece = pieceAt(this.#space.pieces, address);
    const place = placeOf(address);
    const number = partAt(piece, place);
    let part = this.#parts.get(number);
    if (part === undefined) {
      part = new MemtablePart(new WriteList(this.#space.pieces));
      this.#parts.set(number, part);
    }
    part.push(address);
    this.#bytes += writeBytesAt(piece, place);
    this.#writes++;
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
export type SharedWrites = {
  readonly pieces: readonly Buffer[];
  readonly parts: readonly Uint32Array<ArrayBuffer>[];
};

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
function partAt(piece: Buffer, place: number): number {
  const key = place + WRITE_HEADER_BYTES;
  const keyBytes = keyBytesAt(piece, place);
  if (keyBytes < PART_CHARS) return partOf(piece.toString("latin1", key, key + keyBytes));
  return piece.readUInt32BE(key) * 256 + (piece[key + PART_CHARS - 1] as number);
}

function inOrder(parts: [number: number, part: MemtablePart][]): MemtablePart[] {
  return parts.sort(([a], [b]) => a - b).map(([, part]) => part);
}

/** What a write begins with, a byte in each character. */
function headerOf(key: string, value: string | null, valueBytes: number): string {
  const known = value === "" ? EMPTY_TEXT_HEADERS[key.length] : undefined;
  return known ?? writeHeader(key.length, value === null ? DELETED : valueBytes);
}

function writeHeader(keyBytes: number, valueBytes: number): string {
  return u32(keyBytes) + u32(valueBytes);
}

function u32(n: number): string {
  return String.fromCharCode(n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24);
}
