import { PLACE_BITS, placeOf } from "./writeLayout.js";

const PIECE_BYTES = 1 << PLACE_BITS;
/** So much memory is kept that nobody needs at the moment: as much as there is in use while the database is behind. */
const MOST_SPARE = 24;

/** Memory that was used and may be used again: new memory costs the system a page fault for every 4 kB. */
export class SparePieces {
  readonly #pieces: Buffer[] = [];

  take(): Buffer | undefined {
    return this.#pieces.pop();
  }

  /** Takes over what nobody reads or writes any more. */
  keep(pieces: readonly Buffer[]): void {
    for (const piece of pieces) {
      if (piece.length === PIECE_BYTES && this.#pieces.length < MOST_SPARE) this.#pieces.push(piece);
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
    const taken = this.#taken[last] ?? PIECE_BYTES;
    if (taken + bytes <= PIECE_BYTES) {
      this.#taken[last] = taken + bytes;
      return addressOf(last, taken);
    }
    const spare = bytes <= PIECE_BYTES ? this.spare.take() : undefined;
    this.#pieces.push(spare ?? Buffer.from(new SharedArrayBuffer(Math.max(PIECE_BYTES, bytes))));
    this.#taken.push(bytes);
    return addressOf(last + 1, 0);
  }

  /** What was taken between two addresses, in order. */
  between(start: number, end: number): Buffer[] {
    const found = [];
    for (let i = start >>> PLACE_BITS; addressOf(i, 0) < end; i++) {
      const first = Math.max(start - addressOf(i, 0), 0);
      const behind = end < addressOf(i + 1, 0) ? placeOf(end) : (this.#taken[i] as number);
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
}

function addressOf(piece: number, place: number): number {
  return piece * PIECE_BYTES + place;
}
