// @ts-check
// Plain JavaScript, as a worker reads it too: see lmdbWorker.js.
import { keyAt, pieceAt, placeOf, valueAt } from "./writeLayout.js";

/*
 * A slice is one transaction: so many writes take some milliseconds, in which nothing else is done by the thread.
 */
const SLICE_WRITES = 5000;
const SLICE_CHARS = 1 << 20;

/** @typedef {readonly [key: string, value: string | null]} Write */

/** Brings the writes of a generation into the database in slices, in the order of the keys. */
export class GenerationFill {
  /** @type {Iterator<Write, unknown, undefined>} */
  #writes;
  /** What goes into the next transaction. @type {Write[]} */
  #slice = [];
  #isDone = false;
  #write;
  #marks;

  /**
   * @param {(writes: readonly Write[], mark: string) => void} write applies all or throws and applies none
   * @param {import("./memtable").SharedWrites} generation
   * @param {{ during: string, after: string }} marks what the database is to note as long as a part is missing, and then
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
    if (this.#isDone) return null;
    let chars = this.#slice.reduce((sum, [key, value]) => sum + charsOf(key, value), 0);
    let isLast = false;
    while (!isLast && this.#slice.length < SLICE_WRITES && chars < SLICE_CHARS) {
      const { value: write, done } = this.#writes.next();
      if (done) isLast = true;
      else {
        this.#slice.push(write);
        chars += charsOf(...write);
      }
    }
    this.#write(this.#slice, isLast ? this.#marks.after : this.#marks.during);
    const { length } = this.#slice;
    this.#slice = [];
    this.#isDone = isLast;
    return isLast ? null : length;
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
    const keys = Array.from(addresses, (address) => keyAt(pieceAt(pieces, address), placeOf(address)));
    const order = [...keys.keys()].sort((a, b) =>
      compare(/** @type {string} */ (keys[a]), /** @type {string} */ (keys[b])),
    );
    for (let i = 0; i < order.length; i++) {
      const place = /** @type {number} */ (order[i]);
      const key = /** @type {string} */ (keys[place]);
      if (i + 1 < order.length && keys[/** @type {number} */ (order[i + 1])] === key) continue;
      const address = /** @type {number} */ (addresses[place]);
      yield [key, valueAt(pieceAt(pieces, address), placeOf(address))];
    }
  }
}

/**
 * @param {string} a
 * @param {string} b
 */
function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
