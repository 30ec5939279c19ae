// @ts-check
// Plain JavaScript, as a worker reads it too: see lmdbWorker.js.
import { haveSameKey, sortByKey } from "./keyOrder.js";
import { writesOfKey } from "./sheafLayout.js";
import { pieceAt, placeOf, writeBytesAt } from "./writeLayout.js";

/**
 * A slice is one transaction, in which LMDB holds a copy of each page that it changes: of so many writes up to 40 MB, where they
 * are far apart.
 */
const SLICE_WRITES = 5000;
/** Or of so many bytes. */
const SLICE_BYTES = 2 << 20;

/**
 * Writes in the order of their keys, of each key one, part by part: their addresses in the part's pieces of memory, see
 * writeLayout.js.
 * @typedef {readonly { readonly pieces: readonly Buffer[], readonly addresses: readonly number[] }[]} Slice
 *
 * What the database is to note as long as a part of a generation is missing, and then; see logMark.ts.
 * @typedef {{ readonly during: string, readonly after: string }} Marks
 *
 * @typedef {import("./memtable").SharedWrites[number]} Part
 */

/**
 * Writes in the order of their keys; `areUnique`: no two of them have the same key.
 * @type {{ pieces: readonly Buffer[], addresses: Uint32Array, areUnique: boolean }}
 */
const NOTHING = { pieces: [], addresses: new Uint32Array(), areUnique: true };

/** Brings the writes of a generation into the database in slices, in the order of the keys. */
export class GenerationFill {
  #generation;
  /** What comes next: the number of its part, that part in order, and its place there. */
  #part = 0;
  #sorted = NOTHING;
  #place = 0;
  /** What has been taken and is not in the database yet. @type {{ slice: Slice, writes: number, isLast: boolean } | null} */
  #taken = null;
  #write;
  #marks;

  /**
   * @param {(slice: Slice, mark: string) => void} write applies all or throws and applies none
   * @param {import("./memtable").SharedWrites} generation
   * @param {Marks} marks
   */
  constructor(write, generation, marks) {
    this.#write = write;
    this.#generation = generation;
    this.#marks = marks;
  }

  /**
   * Brings over the next slice. When it has thrown, it may be called again.
   *
   * @returns {number | null} how many writes it had; `null`: it was the last one
   */
  next() {
    const { slice, writes, isLast } = (this.#taken ??= this.#take());
    this.#write(slice, isLast ? this.#marks.after : this.#marks.during);
    this.#taken = null;
    return isLast ? null : writes;
  }

  #take() {
    /** @type {{ pieces: readonly Buffer[], addresses: number[] }[]} */
    const slice = [];
    let writes = 0;
    let bytes = 0;
    for (; this.#part < this.#generation.length; this.#part++, this.#place = 0) {
      if (this.#place === 0) this.#sorted = inOrder(/** @type {Part} */ (this.#generation[this.#part]));
      const { pieces, addresses: all, areUnique } = this.#sorted;
      /** @type {number[]} */
      const addresses = [];
      slice.push({ pieces, addresses });
      for (; this.#place < all.length; this.#place++) {
        if (writes === SLICE_WRITES || bytes >= SLICE_BYTES) return { slice, writes, isLast: false };
        const address = /** @type {number} */ (all[this.#place]);
        const next = all[this.#place + 1];
        // Of each key the last write.
        if (!areUnique && next !== undefined && haveSameKey(pieces, address, next)) continue;
        addresses.push(address);
        writes++;
        bytes += writeBytesAt(pieceAt(pieces, address), placeOf(address));
      }
    }
    return { slice, writes, isLast: true };
  }
}

/**
 * The writes of a part in the order of their keys, in pieces of memory.
 *
 * @param {Part} part
 */
function inOrder({ pieces, addresses, key }) {
  if (addresses.length === 0) return NOTHING;
  const writes = key === null ? { pieces, addresses } : writesOfKey(pieces, addresses, key);
  sortByKey(writes.pieces, writes.addresses);
  return { ...writes, areUnique: key !== null };
}
