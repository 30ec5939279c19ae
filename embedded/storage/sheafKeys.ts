import { viewOf } from "./byteCopy.js";
import { groupHashOfBytes, ID_END } from "./keyGroups";
import { hashOfBytes, hashOfParts } from "./keyHash";
import type { KeyList } from "./keyList";
import type { SheafLayout } from "./sheaf";
import { keyInto, MOST, partStarts, PREFIX_BYTES, type SheafKey } from "./sheafLayout.js";
import { WRITE_HEADER_BYTES } from "./writeLayout.js";
import type { WriteList } from "./writeList";

/** Where keys are put together that are looked at: one at a time. */
const made = Buffer.alloc(PREFIX_BYTES + MOST * MOST);
const madeView = viewOf(made);

/** One key of each of many sheaves of the same layout, in the order in which these came. */
export class SheafKeys implements KeyList {
  readonly #prefix: Buffer;
  readonly #prefixView: DataView;
  readonly #starts: Uint32Array;
  /** The parts but for the last one, if they lie together: from the first of these to before the second. */
  readonly #stem: readonly [first: number, end: number] | null;
  readonly #last: number;
  /** The last one of which a key was put together. */
  #shown = { piece: made as Buffer, view: madeView };

  constructor(
    private readonly sheaves: WriteList,
    private readonly layout: SheafLayout,
    private readonly key: SheafKey,
  ) {
    this.#prefix = Buffer.from(key.prefix, "latin1");
    this.#prefixView = viewOf(this.#prefix);
    this.#starts = new Uint32Array(layout.parts + 1);
    const first = key.parts[0] ?? 0;
    const stem = key.parts.slice(0, -1);
    this.#stem = stem.every((part, i) => part === first + i) ? [first, first + stem.length] : null;
    this.#last = key.parts.at(-1) ?? 0;
  }

  get length(): number {
    return this.sheaves.length;
  }

  keyAt(i: number): string {
    return made.toString("latin1", 0, this.#make(i));
  }

  valueAt(): string {
    return "";
  }

  hashAt(i: number, tail: number): number {
    const piece = this.sheaves.pieceOf(i);
    const starts = this.#find(i, piece);
    if (this.#stem === null || !this.#endsIn(starts, tail))
      return hashOfBytes(made, 0, Math.max(this.#make(i) - tail, 0));
    const [first, end] = this.#stem;
    const [from, to] = [starts[first] as number, starts[end] as number];
    return hashOfParts(this.#prefix, 0, PREFIX_BYTES, piece, from, to);
  }

  groupHashAt(i: number): number {
    const piece = this.sheaves.pieceOf(i);
    const starts = this.#find(i, piece);
    // Mostly an id is all of the first part.
    const [first] = this.key.parts;
    const start = first === undefined ? 0 : (starts[first] as number) - PREFIX_BYTES;
    const end = first === undefined ? 0 : (starts[first + 1] as number);
    if (end - start >= ID_END) return groupHashOfBytes(piece, start);
    return this.#make(i) < ID_END ? 0 : groupHashOfBytes(made, 0);
  }

  hasStemAt(i: number, stem: string, tail: number): boolean {
    return this.#make(i) === stem.length + tail && begins(stem, stem.length);
  }

  beginsAt(i: number, text: string, chars: number): boolean {
    const piece = this.sheaves.pieceOf(i);
    const starts = this.#find(i, piece);
    // Mostly the first part alone has to be looked at.
    const [first] = this.key.parts;
    const start = first === undefined ? 0 : (starts[first] as number);
    const end = first === undefined ? 0 : (starts[first + 1] as number);
    if (PREFIX_BYTES + end - start < chars) return this.#make(i) >= chars && begins(text, chars);
    // From behind, as keys of an index begin alike.
    for (let j = chars - 1; j >= PREFIX_BYTES; j--)
      if (piece[start + j - PREFIX_BYTES] !== text.charCodeAt(j)) return false;
    return beginsWith(this.#prefix, text, Math.min(chars, PREFIX_BYTES));
  }

  /** Whether the last part has so many characters. */
  #endsIn(starts: Uint32Array, tail: number): boolean {
    return (starts[this.#last + 1] as number) - (starts[this.#last] as number) === tail;
  }

  /** Where the parts are. */
  #find(i: number, piece: Buffer): Uint32Array {
    const lengths = this.sheaves.placeAt(i) + WRITE_HEADER_BYTES + this.layout.text.length;
    partStarts(piece, lengths, this.#starts);
    return this.#starts;
  }

  /** Puts a key together; gives its length. */
  #make(i: number): number {
    const piece = this.sheaves.pieceOf(i);
    // Another object, as who reads may be cut off between its two fields.
    if (this.#shown.piece !== piece) this.#shown = { piece, view: viewOf(piece) };
    return keyInto(madeView, 0, this.#prefixView, this.key.parts, this.#shown.view, this.#find(i, piece));
  }
}

/** Whether what was put together begins with the first characters of a text, so many. */
function begins(text: string, chars: number): boolean {
  return beginsWith(made, text, chars);
}

function beginsWith(bytes: Uint8Array, text: string, chars: number): boolean {
  // From behind, as keys of an index begin alike.
  for (let i = chars - 1; i >= 0; i--) if (bytes[i] !== text.charCodeAt(i)) return false;
  return true;
}
