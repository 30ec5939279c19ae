import { SharedPieces, type SparePieces } from "./sharedPieces";
import type { Sheaf } from "./sheaf";
import type { SpareArrays } from "./spareArrays";
import { DELETED, keyBytesAt, pieceAt, placeOf, SHEAF, WRITE_HEADER_BYTES } from "./writeLayout.js";
import { WriteList } from "./writeList";

/** A text of so many characters becomes bytes: to add to a text takes half the time of a call that writes to a buffer. */
const TEXT_CHARS = 1 << 16;
/** A key or a value of more bytes is not put into a text with others. */
const LONGEST_JOINED = 1 << 14;

/** The headers of writes of an empty text, by the length of the key. */
const EMPTY_TEXT_HEADERS = Array.from({ length: 256 }, (_, keyBytes) => writeHeader(keyBytes, 0));
/** The same of usual sheaves. */
const SHEAF_HEADERS = Array.from({ length: 512 }, (_, keyBytes) => writeHeader(keyBytes, SHEAF));
/** A byte as a character. */
const BYTES = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));

/** A state of them: what was written before it. */
export type PartEnd = { readonly address: number; readonly bytes: number };

/**
 * Writes as the log has them, byte by byte, in memory of their own that another thread can read: so they are no objects that the
 * garbage collector would have to move about.
 */
export class PartWrites {
  readonly #list: WriteList;
  #bytes = 0;
  #haveValues = false;
  #isKept = false;
  /** The last writes, where they become bytes together, which costs less; where in this text they begin; and where they are to be. */
  #text = "";
  #starts: number[] = [];
  #begin = 0;

  constructor(
    private readonly spare: SparePieces,
    private readonly space = new SharedPieces(spare),
    list = new WriteList(space.pieces, spare.arrays),
  ) {
    this.#list = list;
  }

  /** All of them, up to now. */
  get list(): WriteList {
    this.flush();
    return this.#list;
  }

  /** For what is made to find them. */
  get spareArrays(): SpareArrays {
    return this.spare.arrays;
  }

  /** Whether somebody may still read them after their release. */
  get isKept(): boolean {
    return this.#isKept;
  }

  /** How much was written. */
  get bytes(): number {
    return this.#bytes + this.#text.length;
  }

  /** Whether there is one with a value that is not empty, or has been. */
  get haveValues(): boolean {
    return this.#haveValues;
  }

  get end(): PartEnd {
    this.flush();
    return { address: this.space.end, bytes: this.#bytes };
  }

  /** Adds a write behind the others, of a legal key. */
  push(key: string, value: string | null): void {
    const bytes = value === null || value === "" ? 0 : Buffer.byteLength(value);
    if (bytes > 0) this.#haveValues = true;
    // Then all of it is ASCII, of which each character is a byte in UTF-8.
    const isPlain = value === null || bytes === value.length;
    if (!isPlain || bytes > LONGEST_JOINED || key.length > LONGEST_JOINED) {
      this.flush();
      this.#pushAlone(key, value, bytes);
      return;
    }
    this.#beginOne();
    this.#text += headerOf(key, value, bytes);
    this.#text += key;
    if (value !== null) this.#text += value;
    if (this.#text.length > TEXT_CHARS) this.flush();
  }

  /** Adds a sheaf behind the others. */
  pushSheaf({ layout, parts }: Sheaf): void {
    let bytes = layout.text.length + parts.length;
    let lengths = "";
    for (let i = 0; i < parts.length; i++) {
      const { length } = parts[i] as string;
      bytes += length;
      lengths += BYTES[length] as string;
    }
    this.#beginOne();
    this.#text += SHEAF_HEADERS[bytes] ?? writeHeader(bytes, SHEAF);
    this.#text += layout.text;
    this.#text += lengths;
    for (let i = 0; i < parts.length; i++) this.#text += parts[i] as string;
    if (this.#text.length > TEXT_CHARS) this.flush();
  }

  /** Adds a write that is bytes already, in a buffer from `start` to `end`. */
  pushBytes(buffer: Buffer, start: number, end: number): void {
    this.flush();
    const address = this.space.take(end - start);
    buffer.copy(pieceAt(this.space.pieces, address), placeOf(address), start, end);
    this.#noteAt(address, end - start);
    if (end - start > WRITE_HEADER_BYTES + keyBytesAt(buffer, start)) this.#haveValues = true;
  }

  /** What was written after a state, as bytes. */
  from({ address }: PartEnd): Buffer[] {
    this.flush();
    return this.space.from(address);
  }

  /** Undoes what was written after a state; false if nothing was. */
  cutTo({ address, bytes }: PartEnd): boolean {
    this.#text = "";
    this.#starts = [];
    const isLess = this.#list.cutTo(address);
    this.space.giveBack(address);
    this.#bytes = bytes;
    return isLess;
  }

  /** Their memory, for somebody else to read what it holds now. */
  show(): readonly Buffer[] {
    this.flush();
    return this.space.show();
  }

  /** The same writes, which stay as they are, also after the release of these. Nothing may be added to them. */
  copy(): PartWrites {
    this.keep();
    const copy = new PartWrites(this.spare, this.space, this.#list.copy(this.show()));
    copy.#bytes = this.#bytes;
    copy.#haveValues = this.#haveValues;
    return copy;
  }

  /** Keeps them for somebody who may still read them after their release. */
  keep(): void {
    this.#isKept = true;
  }

  /** Their memory may be used for something else, if it is kept for nobody. Nothing may be asked any more. */
  release(): void {
    if (this.#isKept) return;
    this.spare.keep(this.space.pieces);
    this.#list.release();
  }

  /** Has all of them become bytes, and {@link list} know them. Who asks for that may be cut off in the midst of it: then it begins anew. */
  flush(): void {
    const [text, starts, begin] = [this.#text, this.#starts, this.#begin];
    if (text === "") return;
    this.#list.cutTo(begin);
    this.space.giveBack(begin);
    const address = this.space.take(text.length);
    pieceAt(this.space.pieces, address).write(text, placeOf(address), "latin1");
    for (const start of starts) this.#list.push(address + start);
    this.#bytes += text.length;
    this.#text = "";
    this.#starts = [];
  }

  /** Begins one that becomes bytes together with others. */
  #beginOne(): void {
    if (this.#text === "") this.#begin = this.space.end;
    this.#starts.push(this.#text.length);
  }

  #pushAlone(key: string, value: string | null, valueBytes: number): void {
    const bytes = WRITE_HEADER_BYTES + key.length + valueBytes;
    const address = this.space.take(bytes);
    const piece = pieceAt(this.space.pieces, address);
    let at = placeOf(address);
    at += piece.write(headerOf(key, value, valueBytes), at, "latin1");
    at += piece.write(key, at, "latin1");
    if (value !== null) piece.write(value, at);
    this.#noteAt(address, bytes);
  }

  #noteAt(address: number, bytes: number): void {
    this.#list.push(address);
    this.#bytes += bytes;
  }
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
