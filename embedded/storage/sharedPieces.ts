import { SpareArrays } from "./spareArrays";
import { PLACE_BITS, placeOf } from "./writeLayout.js";

const PIECE_BYTES = 1 << PLACE_BITS;
/** The first piece is smaller, as many hold little; each one after it is so many times as large, up to the usual size. */
const FIRST_BYTES = 1 << 14;
const GROWTH = 4;
/** So much memory is kept that nobody needs at the moment: as much as there is in use while the database is behind. */
const MOST_SPARE_BYTES = 64 << 20;

/** Memory that was used and may be used again: new memory costs the system a page fault for every 4 kB. */
export class SparePieces {
  /** By their sizes. */
  readonly #pieces = new Map<number, Buffer[]>();
  #bytes = 0;
  /** Memory of another kind, for what is made to find what is in the pieces. */
  readonly arrays = new SpareArrays();

  /** One of exactly this size. */
  take(bytes: number): Buffer | undefined {
    const piece = this.#pieces.get(bytes)?.pop();
    if (piece !== undefined) this.#bytes -= bytes;
    return piece;
  }

  /** Takes over what nobody reads or writes any more. */
  keep(pieces: readonly Buffer[]): void {
    for (const piece of pieces) {
      const { length } = piece;
      if (length > PIECE_BYTES || this.#bytes + length > MOST_SPARE_BYTES) continue;
      const alike = this.#pieces.get(length) ?? [];
      this.#pieces.set(length, alike);
      alike.push(piece);
      this.#bytes += length;
    }
  }
}

/**
 * Memory for what is written once, one behind the other, and which other threads may read. What it holds has addresses, which
 * ascend: see writeLayout.js.
 */
export class SharedPieces {
  readonly #pieces: Buffer[] = [];
  /** How much of each is taken. */
  readonly #taken: number[] = [];
  /** From here on nobody else has been shown anything. */
  #unseen = 0;

  constructor(private readonly spare: SparePieces) {}

  get pieces(): readonly Buffer[] {
    return this.#pieces;
  }

  /** Behind everything that was taken: what comes next has this address or a higher one. */
  get end(): number {
    const last = this.#pieces.length - 1;
    return last === -1 ? 0 : addressOf(last, Math.min(this.#taken[last] as number, PIECE_BYTES));
  }

  /** The address of so many bytes that lie together. Those who ask fill them. */
  take(bytes: number): number {
    const last = this.#pieces.length - 1;
    const piece = this.#pieces[last];
    const taken = this.#taken[last] as number;
    // In a longer one there are no addresses for what is behind that.
    if (piece !== undefined && taken + bytes <= Math.min(piece.length, PIECE_BYTES)) {
      this.#taken[last] = taken + bytes;
      return addressOf(last, taken);
    }
    this.#pieces.push(this.#newPiece(bytes));
    this.#taken.push(bytes);
    return addressOf(last + 1, 0);
  }

  /** What was taken from an address on, in order. */
  from(start: number): Buffer[] {
    const found = [];
    for (let i = start >>> PLACE_BITS; i < this.#pieces.length; i++) {
      const first = Math.max(start - addressOf(i, 0), 0);
      const behind = this.#taken[i] as number;
      if (first < behind) found.push((this.#pieces[i] as Buffer).subarray(first, behind));
    }
    return found;
  }

  /** Gives back what was taken from an address on. What somebody may have seen of it is not used again. */
  giveBack(start: number): void {
    const i = start >>> PLACE_BITS;
    if (start < this.#unseen || i >= this.#pieces.length) return;
    this.#pieces.length = this.#taken.length = i + 1;
    this.#taken[i] = placeOf(start);
  }

  /** All of them, for somebody else to read what they hold now. */
  show(): readonly Buffer[] {
    this.#unseen = this.end;
    return [...this.#pieces];
  }

  #newPiece(bytes: number): Buffer {
    let size = Math.min(FIRST_BYTES * GROWTH ** this.#pieces.length, PIECE_BYTES);
    while (size < bytes && size < PIECE_BYTES) size *= GROWTH;
    size = Math.max(size, bytes);
    return this.spare.take(size) ?? Buffer.from(new SharedArrayBuffer(size));
  }
}

function addressOf(piece: number, place: number): number {
  return piece * PIECE_BYTES + place;
}
