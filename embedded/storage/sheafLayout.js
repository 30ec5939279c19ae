// @ts-check
/*
 * A sheaf is several new keys without values that are made of the same parts, as the index entries of a document are. It is one
 * write, see writeLayout.js, in which there is in the place of a key:
 *
 *   layout  bytes of each part (1 each)  parts
 *
 * The layout says of what the keys are made:
 *
 *   bytes of the layout (2)  number of parts (1)  number of keys (1)
 *   and of each key: what it begins with (5)  how many parts follow (1)  their numbers (1 each)
 *
 * Numbers are little endian. Plain JavaScript, as a worker reads it too: see lmdbWorker.js.
 */
import { copyBytes, viewOf } from "./byteCopy.js";
import { pieceAt, PLACE_BITS, placeOf, WRITE_HEADER_BYTES } from "./writeLayout.js";

/** What keys begin with that are in one part of a memtable: in practice, the number of a table or an index. */
export const PREFIX_BYTES = 5;
/** The most bytes of a part, the most parts, and the most keys. */
export const MOST = 255;
export const MOST_LAYOUT_BYTES = 0xffff;

const PARTS_AT = 2;
const KEYS_AT = 3;
const FIRST_KEY_AT = 4;

const PIECE_BYTES = 1 << PLACE_BITS;

/** @typedef {{ readonly prefix: string, readonly parts: readonly number[] }} SheafKey of what a key is made: a prefix and, by their numbers, parts */

/**
 * @param {number} parts how many there are
 * @param {readonly SheafKey[]} keys
 * @returns {string} a layout, a byte in each character
 */
export function layoutText(parts, keys) {
  const text = keys.map((key) => key.prefix + String.fromCharCode(key.parts.length, ...key.parts)).join("");
  const bytes = FIRST_KEY_AT + text.length;
  return String.fromCharCode(bytes & 255, bytes >>> 8, parts, keys.length) + text;
}

/**
 * The layout of a sheaf that stands in bytes, behind the header of its write.
 *
 * @param {Buffer} piece
 * @param {number} place of the write
 * @returns {{ parts: number, keys: SheafKey[], bytes: number }} `bytes`: of the layout
 */
export function layoutAt(piece, place) {
  const start = place + WRITE_HEADER_BYTES;
  /** @type {SheafKey[]} */
  const keys = [];
  let at = start + FIRST_KEY_AT;
  for (let left = piece.readUInt8(start + KEYS_AT); left > 0; left--) {
    const prefix = piece.toString("latin1", at, at + PREFIX_BYTES);
    const first = at + PREFIX_BYTES + 1;
    at = first + piece.readUInt8(first - 1);
    keys.push({ prefix, parts: [...piece.subarray(first, at)] });
  }
  return { parts: piece.readUInt8(start + PARTS_AT), keys, bytes: piece.readUInt16LE(start) };
}

/**
 * The same as its text, which takes less; see {@link layoutText}.
 *
 * @param {Buffer} piece
 * @param {number} place of the write
 */
export function layoutTextAt(piece, place) {
  const start = place + WRITE_HEADER_BYTES;
  return piece.toString("latin1", start, start + piece.readUInt16LE(start));
}

/**
 * Makes writes of one of the keys of sheaves that have the same layout.
 *
 * @param {readonly Buffer[]} pieces
 * @param {Uint32Array} addresses of the sheaves, of which there are some
 * @param {number} number of the key
 * @returns {{ pieces: Buffer[], addresses: Uint32Array }} the writes, in pieces of their own
 */
export function writesOfKey(pieces, addresses, number) {
  const first = /** @type {number} */ (addresses[0]);
  const layout = layoutAt(pieceAt(pieces, first), placeOf(first));
  const key = /** @type {SheafKey} */ (layout.keys[number]);
  const prefix = viewOf(Buffer.from(key.prefix, "latin1"));
  const sheaves = pieces.map(viewOf);
  const starts = new Uint32Array(layout.parts + 1);
  /** @type {Buffer[]} */
  const made = [];
  const places = new Uint32Array(addresses.length);
  let piece = viewOf(Buffer.alloc(0));
  let at = 0;
  for (let i = 0; i < addresses.length; i++) {
    const address = /** @type {number} */ (addresses[i]);
    const from = pieceAt(pieces, address);
    const fromView = /** @type {DataView} */ (sheaves[address >>> PLACE_BITS]);
    const lengths = placeOf(address) + WRITE_HEADER_BYTES + layout.bytes;
    partStarts(from, lengths, starts);
    let bytes = PREFIX_BYTES;
    for (let j = 0; j < key.parts.length; j++)
      bytes += /** @type {number} */ (from[lengths + /** @type {number} */ (key.parts[j])]);
    if (at + WRITE_HEADER_BYTES + bytes > piece.byteLength) {
      const left = (addresses.length - i) * (WRITE_HEADER_BYTES + bytes);
      const buffer = Buffer.allocUnsafeSlow(Math.min(left, PIECE_BYTES));
      made.push(buffer);
      piece = viewOf(buffer);
      at = 0;
    }
    places[i] = (made.length - 1) * PIECE_BYTES + at;
    piece.setUint32(at, bytes, true);
    piece.setUint32(at + 4, 0, true);
    at = keyInto(piece, at + WRITE_HEADER_BYTES, prefix, key.parts, fromView, starts);
  }
  return { pieces: made, addresses: places };
}

/**
 * Finds where the parts of a sheaf begin, and where the last one ends.
 *
 * @param {Buffer} piece
 * @param {number} lengths where the lengths of the parts are
 * @param {Uint32Array} starts one more than there are parts
 */
export function partStarts(piece, lengths, starts) {
  const parts = starts.length - 1;
  let start = lengths + parts;
  for (let part = 0; part < parts; part++) {
    starts[part] = start;
    start += /** @type {number} */ (piece[lengths + part]);
  }
  starts[parts] = start;
}

/**
 * Puts a key together; gives where it ends.
 *
 * @param {DataView} to
 * @param {number} at
 * @param {DataView} prefix
 * @param {readonly number[]} parts
 * @param {DataView} from where the sheaf is
 * @param {Uint32Array} starts see {@link partStarts}
 */
export function keyInto(to, at, prefix, parts, from, starts) {
  at = copyBytes(to, at, prefix, 0, PREFIX_BYTES);
  for (let i = 0; i < parts.length; i++) {
    const part = /** @type {number} */ (parts[i]);
    const start = /** @type {number} */ (starts[part]);
    at = copyBytes(to, at, from, start, /** @type {number} */ (starts[part + 1]));
  }
  return at;
}
