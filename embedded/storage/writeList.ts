import { hashOfBytes } from "./keyHash";
import { groupHashOfBytes, ID_END } from "./keyGroups";
import type { KeyList } from "./keyList";
import { SpareArrays } from "./spareArrays";
import { keyAt, keyBytesAt, pieceAt, placeOf, valueAt, WRITE_HEADER_BYTES } from "./writeLayout.js";

/** Writes in the order in which they came, by their addresses in pieces of memory. */
export class WriteList implements KeyList {
  #addresses: Uint32Array<ArrayBuffer>;
  #length = 0;

  constructor(
    private readonly pieces: readonly Buffer[],
    private readonly spare = new SpareArrays(),
    addresses: Uint32Array | null = null,
  ) {
    this.#length = addresses?.length ?? 0;
    this.#addresses = new Uint32Array(spare.take(this.#length).buffer);
    if (addresses) this.#addresses.set(addresses);
  }

  get length(): number {
    return this.#length;
  }

  /** Those that there are, one behind the other. */
  get addresses(): Uint32Array<ArrayBuffer> {
    return this.#addresses.slice(0, this.#length);
  }

  push(address: number): void {
    if (this.#length === this.#addresses.length) {
      const shorter = this.#addresses;
      const longer = new Uint32Array(this.spare.take(2 * shorter.length).buffer);
      longer.set(shorter);
      this.#addresses = longer;
      this.spare.keep(new Int32Array(shorter.buffer));
    }
    this.#addresses[this.#length++] = address;
  }

  /** Drops those from this address on; false if there is none. */
  cutTo(address: number): boolean {
    const { length } = this;
    while (this.#length > 0 && (this.#addresses[this.#length - 1] as number) >= address) this.#length--;
    return this.#length < length;
  }

  /** The same list over pieces of which these are a copy. */
  copy(pieces: readonly Buffer[]): WriteList {
    return new WriteList(pieces, this.spare, this.#addresses.subarray(0, this.#length));
  }

  /** Gives its memory to others. Nothing may be asked any more. */
  release(): void {
    this.spare.keep(new Int32Array(this.#addresses.buffer));
    this.#addresses = new Uint32Array(0);
    this.#length = 0;
  }

  keyAt(i: number): string {
    const address = this.#addresses[i] as number;
    return keyAt(pieceAt(this.pieces, address), placeOf(address));
  }

  valueAt(i: number): string | null {
    const address = this.#addresses[i] as number;
    return valueAt(pieceAt(this.pieces, address), placeOf(address));
  }

  /** The piece in which one is. */
  pieceOf(i: number): Buffer {
    return pieceAt(this.pieces, this.#addresses[i] as number);
  }

  /** Its place there. */
  placeAt(i: number): number {
    return placeOf(this.#addresses[i] as number);
  }

  hashAt(i: number, tail: number): number {
    const address = this.#addresses[i] as number;
    const piece = pieceAt(this.pieces, address);
    const start = placeOf(address) + WRITE_HEADER_BYTES;
    return hashOfBytes(piece, start, start + keyBytesAt(piece, placeOf(address)) - tail);
  }

  groupHashAt(i: number): number {
    const address = this.#addresses[i] as number;
    const piece = pieceAt(this.pieces, address);
    const place = placeOf(address);
    return keyBytesAt(piece, place) < ID_END ? 0 : groupHashOfBytes(piece, place + WRITE_HEADER_BYTES);
  }

  hasStemAt(i: number, stem: string, tail: number): boolean {
    const address = this.#addresses[i] as number;
    const piece = pieceAt(this.pieces, address);
    if (keyBytesAt(piece, placeOf(address)) !== stem.length + tail) return false;
    return hasChars(piece, placeOf(address), stem, stem.length);
  }

  beginsAt(i: number, text: string, chars: number): boolean {
    const address = this.#addresses[i] as number;
    const piece = pieceAt(this.pieces, address);
    return keyBytesAt(piece, placeOf(address)) >= chars && hasChars(piece, placeOf(address), text, chars);
  }
}

/** Whether a key that is long enough begins with the first characters of a text, so many. */
function hasChars(piece: Buffer, place: number, text: string, chars: number): boolean {
  const start = place + WRITE_HEADER_BYTES;
  // From behind, as keys of a table or an index begin alike.
  for (let i = chars - 1; i >= 0; i--) if (piece[start + i] !== text.charCodeAt(i)) return false;
  return true;
}
