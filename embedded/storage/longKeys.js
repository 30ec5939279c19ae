// @ts-check
import { createHash } from "node:crypto";

/*
 * LMDB takes keys of up to 1978 bytes. A longer one is stored under its first bytes and its hash, and the rest of
 * it stands before the value. Only such stored keys are longer than PLAIN_KEY_BYTES, so that those which share
 * their first bytes are neighbours: one group, out of order inside, that a scan sorts when it meets it.
 */
export const PLAIN_KEY_BYTES = 1900;
const HASH_BYTES = 32;

/**
 * Whether a key is too long to be stored as it is; of stored keys, whether it stands for such a one.
 *
 * @param {string} key
 * @returns {boolean}
 */
export function isLong(key) {
  return key.length > PLAIN_KEY_BYTES;
}

/**
 * The key that a long key is stored under.
 *
 * @param {string} key
 * @returns {string}
 */
export function storedKey(key) {
  return groupOf(key) + createHash("sha256").update(key, "latin1").digest("binary");
}

/**
 * What is stored for a long key: the length of its rest, the rest, the value.
 *
 * @param {string} key
 * @param {string} value
 * @returns {string}
 */
export function storedValue(key, value) {
  return `${key.length - PLAIN_KEY_BYTES}:${key.slice(PLAIN_KEY_BYTES)}${value}`;
}

/**
 * The long key and the value that were stored.
 *
 * @param {string} stored
 * @param {string} text
 * @returns {[key: string, value: string]}
 */
export function unfold(stored, text) {
  const colon = text.indexOf(":");
  const end = colon + 1 + Number(text.slice(0, colon));
  return [groupOf(stored) + text.slice(colon + 1, end), text.slice(end)];
}

/**
 * The first bytes, which all long keys of one group have in common.
 *
 * @param {string} key
 * @returns {string}
 */
export function groupOf(key) {
  return key.slice(0, PLAIN_KEY_BYTES);
}

/**
 * Where to start among the stored keys so as to meet every key from this one on, and a few before it.
 *
 * @param {string} start
 * @returns {string}
 */
export function storedStart(start) {
  return isLong(start) ? groupOf(start) : start;
}

/**
 * Where to end among the stored keys, exclusively, so as to meet every key before this one, and a few after it.
 *
 * @param {string} end
 * @returns {string}
 */
export function storedEnd(end) {
  return isLong(end) ? groupOf(end) + "\xff".repeat(HASH_BYTES + 1) : end;
}
