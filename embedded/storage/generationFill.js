// @ts-check
// Plain JavaScript, as a worker reads it too: see lmdbWorker.js.
import { haveSameKey, sortByKey } from "./keyOrder.js";
import { pieceAt, placeOf, writeBytesAt } from "./writeLayout.js";

/**
 * A slice is one transaction, in which LMDB holds a copy of each page that it changes: of so many writes up to 20 MB, where they
 * are far apart.
 */
const SLICE_WRITES = 2500;
/** Or of so many bytes. */
const SLICE_BYTES = 1 << 20;

/**
 * Writes in the order of their keys, of each key one: their addresses in pieces of memory, see writeLayout.js.
 * @typedef {{ readonly pieces: readonly Buffer[], readonly addresses: readonly number[] }} Slice
 *
 * What the database is to note as long as a part of a generation is missing, and then; see logMark.ts.
 * @typedef {{ readonly during: string, readonly after: string }} Marks
 */

/** Brings the writes of a generation into the database in slices, in the order of the keys. */
export class GenerationFill {
  #pieces;
  /** @type {Iterator<number, unknown, undefined>} */
  #addresses;
  /** What has been taken from these and is not in the database yet. @type {{ addresses: number[], isLast: boolean } | null} */
  #slice = null;
  #write;
  #marks;

  /**
   * @param {(slice: Slice, mark: string) => void} write applies all or throws and applies none
   * @param {import("./memtable").SharedWrites} generation
   * @param {Marks} marks
   */
  constructor(write, generation, marks) {
    this.#write = write;
    this.#pieces = generation.pieces;
    this.#addresses = inOrder(generation);
    this.#marks = marks;
  }

  /**
   * Brings over the next slice. When it has thrown, it may be called again.
   *
   * @returns {number | null} how many writes it had; `null`: it was the last one
   */
  next() {
    const { addresses, isLast } = (this.#slice ??= this.#take());
    this.#write({ pieces: this.#pieces, addresses }, isLast ? this.#marks.after : this.#marks.during);
    this.#slice = null;
    return isLast ? null : addresses.length;
  }

  #take() {
    /** @type {number[]} */
    const addresses = [];
    for (let bytes = 0; addresses.length < SLICE_WRITES && bytes < SLICE_BYTES;) {
      const { value: address, done } = this.#addresses.next();
      if (done) return { addresses, isLast: true };
      addresses.push(address);
      bytes += writeBytesAt(pieceAt(this.#pieces, address), placeOf(address));
    }
    return { addresses, isLast: false };
  }
}

/**
 * Of each key the last write.
 *
 * @param {import("./memtable").SharedWrites} generation
 * @returns {Generator<number, void, undefined>}
 */
function* inOrder({ pieces, parts }) {
  for (const addresses of parts) {
    sortByKey(pieces, addresses);
    for (let i = 0; i < addresses.length; i++) {
      const address = /** @type {number} */ (addresses[i]);
      const next = addresses[i + 1];
      if (next === undefined || !haveSameKey(pieces, address, next)) yield address;
    }
  }
}
