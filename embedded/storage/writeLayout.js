// @ts-check
/*
 * A write as it stands in memory that threads share (see sharedPieces.ts), and in a record of the log:
 *
 *   bytes of the key (4)  bytes of the value (4)  key  value in UTF-8
 *
 * Numbers are little endian. Plain JavaScript, as a worker reads it too: see lmdbWorker.js.
 */
export const WRITE_HEADER_BYTES = 8;
/** In the place of a value's length: the key is deleted. */
export const DELETED = 0xffff_ffff;
/** The same: it is no key but a sheaf, see sheafLayout.js. */
export const SHEAF = 0xffff_fffe;

/** An address in pieces of memory is the number of the piece, and behind it so many bits for the place in it. */
export const PLACE_BITS = 20;
const PLACE_MASK = (1 << PLACE_BITS) - 1;

/**
 * The piece in which an address is.
 *
 * @param {readonly Buffer[]} pieces
 * @param {number} address
 */
export function pieceAt(pieces, address) {
  return /** @type {Buffer} */ (pieces[address >>> PLACE_BITS]);
}

/**
 * The place of an address in its piece.
 *
 * @param {number} address
 */
export function placeOf(address) {
  return address & PLACE_MASK;
}

/**
 * @param {Buffer} piece
 * @param {number} place of a write
 */
export function keyBytesAt(piece, place) {
  return piece.readUInt32LE(place);
}

/**
 * {@link DELETED}, where the key is deleted; {@link SHEAF}, where it is a sheaf.
 *
 * @param {Buffer} piece
 * @param {number} place of a write
 */
export function valueBytesAt(piece, place) {
  return piece.readUInt32LE(place + 4);
}

/**
 * @param {Buffer} piece
 * @param {number} place of a write
 */
export function keyAt(piece, place) {
  const start = place + WRITE_HEADER_BYTES;
  return piece.toString("latin1", start, start + keyBytesAt(piece, place));
}

/**
 * `null`: the key is deleted.
 *
 * @param {Buffer} piece
 * @param {number} place of a write
 */
export function valueAt(piece, place) {
  const bytes = valueBytesAt(piece, place);
  if (bytes === 0) return "";
  if (bytes === DELETED) return null;
  const start = place + WRITE_HEADER_BYTES + keyBytesAt(piece, place);
  return piece.toString("utf8", start, start + bytes);
}

/**
 * How long a write is.
 *
 * @param {Buffer} piece
 * @param {number} place
 */
export function writeBytesAt(piece, place) {
  const value = valueBytesAt(piece, place);
  return WRITE_HEADER_BYTES + keyBytesAt(piece, place) + (value === DELETED || value === SHEAF ? 0 : value);
}
