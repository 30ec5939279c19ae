// @ts-check
// Plain JavaScript, as a worker reads it too: see lmdbWorker.js.
import { open } from "lmdb";
import { binaryKeys, utf8Values } from "./lmdbEncoding.js";
import { isLong, PLAIN_KEY_BYTES, storedKey, storedValue } from "./longKeys.js";

/** @typedef {import("lmdb").RootDatabase<string, string>} TextDatabase */

/** What the store keeps beside the entries: no entry is stored under a key of this length. */
export const MARK_KEY = "\xff".repeat(PLAIN_KEY_BYTES + 1);

/**
 * @param {string} path
 * @returns {TextDatabase}
 */
export function openDatabase(path) {
  const options = {
    path,
    noSubdir: true,
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
 * Applies all writes, of legal keys, or none, and changes the mark if one is given. They are on disk when it returns.
 *
 * @param {TextDatabase} database
 * @param {Iterable<readonly [key: string, value: string | null]>} writes `null` deletes a key
 * @param {string} [mark]
 */
export function writeNow(database, writes, mark) {
  try {
    database.transactionSync(() => {
      if (mark !== undefined) database.putSync(MARK_KEY, mark);
      for (const [key, value] of writes) {
        const long = isLong(key);
        const stored = long ? storedKey(key) : key;
        if (value === null) database.removeSync(stored);
        else database.putSync(stored, long ? storedValue(key, value) : value);
      }
    });
  } catch (error) {
    // LMDB has written what the disk says to the standard error, and has not ended the line.
    process.stderr.write("\n");
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The database could not be written: ${reason}`, { cause: error });
  }
}
