// @ts-check
// Plain JavaScript, as a worker reads it too: see lmdbWorker.js.
import { keyAt, pieceAt, placeOf, valueAt } from "./writeLayout.js";

/**
 * A slice is one transaction, in which LMDB holds a copy of each page that it changes: of so many writes some 10 MB, where they
 * are far apart.
 */
const SLICE_WRITES = 2500;
/** Or of so much text. */
const SLICE_CHARS = 1 << 20;

/**
 * @typedef {readonly [key: string, value: string | null]} Write
 *
 * What the database is to note as long as a part of a generation is missing, and then; see logMark.ts.
 * @typedef {{ readonly during: string, readonly after: string }} Marks
 */

/** Brings the writes of a generation into the database in slices, in the order of the keys. */
export class GenerationFill {
  /** @type {Iterator<Write, unknown, undefined>} */
  #writes;
  /** What has been taken from these and is not in the database yet. @type {{ writes: Write[], isLast: boolean } | null} */
  #slice = null;
  #write;
  #marks;

  /**
   * @param {(writes: readonly Write[], mark: string) => void} write applies all or throws and applies none
   * @param {import("./memtable").SharedWrites} generation
   * @param {Marks} marks
   */
  constructor(write, generation, marks) {
    this.#write = write;
    this.#writes = inOrder(generation);
    this.#marks = marks;
  }

  /**
   * Brings over the next slice. When it has thrown, it may be called again.
   *
   * @returns {number | null} how many writes it had; `null`: it was the last one
   */
  next() {
    const { writes, isLast } = (this.#slice ??= this.#take());
    this.#write(writes, isLast ? this.#marks.after : this.#marks.during);
    this.#slice = null;
    return isLast ? null : writes.length;
  }

  #take() {
    /** @type {Write[]} */
    const writes = [];
    for (let chars = 0; writes.length < SLICE_WRITES && chars < SLICE_CHARS;) {
      const { value: write, done } = this.#writes.next();
      if (done) return { writes, isLast: true };
      writes.push(write);
      chars += charsOf(...write);
    }
    return { writes, isLast: false };
  }
}

/**
 * @param {string} key
 * @param {string | null} value
 */
function charsOf(key, value) {
  return key.length + (value?.length ?? 0);
}

/**
 * Of each key the last write.
 *
 * @param {import("./memtable").SharedWrites} generation
 * @returns {Generator<Write, void, undefined>}
 */
function* inOrder({ pieces, parts }) {
  for (const addresses of parts) {
    const entries = Array.from(addresses, (address) => ({
      address,
      key: keyAt(pieceAt(pieces, address), placeOf(address)),
    }));
    // Those of one key stay in the order in which they came.
    entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    for (const [i, { address, key }] of entries.entries()) {
      if (entries[i + 1]?.key !== key) yield [key, valueAt(pieceAt(pieces, address), placeOf(address))];
    }
  }
}
