// @ts-check
// Plain JavaScript, as a worker reads it too: see lmdbWorker.js.
import { open } from "lmdb";
import { viewOf } from "./byteCopy.js";
import { binaryKeys, utf8Values } from "./lmdbEncoding.js";
import { isLong, PLAIN_KEY_BYTES, storedKey, storedValue } from "./longKeys.js";
import {
  DELETED,
  keyAt,
  keyBytesAt,
  pieceAt,
  PLACE_BITS,
  placeOf,
  valueAt,
  valueBytesAt,
  WRITE_HEADER_BYTES,
} from "./writeLayout.js";

/**
 * @typedef {import("./lmdbEncoding.js").Bytes} Bytes
 * @typedef {import("lmdb").RootDatabase<string, string>} TextDatabase
 *
 * The same, as our encoders take bytes as well, of which lmdb's types know nothing.
 * @typedef {{ putSync(key: Bytes, value: Bytes): boolean, removeSync(key: Bytes): boolean }} BytesDatabase
 */

/** What the store keeps beside the entries: no entry is stored under a key of this length. */
export const MARK_KEY = "\xff".repeat(PLAIN_KEY_BYTES + 1);

/**
 * Of a new database. What is brought over at once touches most pages of the indexes that it goes into, and fewer pages are fewer
 * writes for the disk; larger ones still would be more bytes where indexes are large.
 */
const PAGE_BYTES = 8 << 10;

/**
 * @param {string} path
 * @returns {TextDatabase}
 */
export function openDatabase(path) {
  const options = {
    path,
    noSubdir: true,
    pageSize: PAGE_BYTES,
    encoding: "binary",
    keyEncoder: binaryKeys,
    encoder: utf8Values(),
    // What readers see is on disk.
    overlappingSync: false,
    // All writes are synchronous: nothing is gathered for later.
    eventTurnBatching: false,
  };
  return open(/** @type {import("lmdb").RootDatabaseOptionsWithPath} */ (options));
}

/**
 * Applies all writes, of legal keys, and changes the mark, or does nothing. They are on disk when it returns.
 *
 * @param {TextDatabase} database
 * @param {Iterable<readonly [key: string, value: string | null]>} writes `null` deletes a key
 * @param {string} mark
 */
export function writeNow(database, writes, mark) {
  inTransaction(database, mark, () => {
    for (const [key, value] of writes) write(database, key, value);
  });
}

/**
 * The same of a slice of a generation. No texts are made of its writes but of those with long keys.
 *
 * @param {TextDatabase} database
 * @param {import("./generationFill.js").Slice} slice
 * @param {string} mark
 */
export function writeSlice(database, slice, mark) {
  const bytesDatabase = /** @type {BytesDatabase} */ (/** @type {unknown} */ (database));
  inTransaction(database, mark, () => {
    for (const { pieces, addresses } of slice) {
      const views = pieces.map(viewOf);
      for (const address of addresses) {
        const view = /** @type {DataView} */ (views[address >>> PLACE_BITS]);
        writeAt(database, bytesDatabase, pieceAt(pieces, address), view, placeOf(address));
      }
    }
  });
}

/**
 * @param {TextDatabase} database
 * @param {BytesDatabase} bytesDatabase the same
 * @param {Buffer} buffer
 * @param {DataView} view of it
 * @param {number} place of a write in it
 */
function writeAt(database, bytesDatabase, buffer, view, place) {
  const start = place + WRITE_HEADER_BYTES;
  const end = start + keyBytesAt(buffer, place);
  const bytes = valueBytesAt(buffer, place);
  const key = { buffer, view, start, end };
  if (end - start > PLAIN_KEY_BYTES) write(database, keyAt(buffer, place), valueAt(buffer, place));
  else if (bytes === DELETED) bytesDatabase.removeSync(key);
  else bytesDatabase.putSync(key, { buffer, view, start: end, end: end + bytes });
}

/**
 * @param {TextDatabase} database
 * @param {string} key
 * @param {string | null} value
 */
function write(database, key, value) {
  const long = isLong(key);
  const stored = long ? storedKey(key) : key;
  if (value === null) database.removeSync(stored);
  else database.putSync(stored, long ? storedValue(key, value) : value);
}

/**
 * @param {TextDatabase} database
 * @param {string} mark
 * @param {() => void} work
 */
function inTransaction(database, mark, work) {
  try {
    database.transactionSync(() => {
      database.putSync(MARK_KEY, mark);
      work();
    });
  } catch (error) {
    // LMDB has written what the disk says to the standard error, and has not ended the line.
    process.stderr.write("\n");
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The database could not be written: ${reason}`, { cause: error });
  }
}
