/**
 * Where everything lies in the store. A key is a binary string: a JavaScript string whose char codes are bytes,
 * so that comparing two keys with `<` compares their bytes.
 *
 * | space      | key                                                          | value         |
 * | ---------- | ------------------------------------------------------------ | ------------- |
 * | meta       | 01 name                                                      | JSON          |
 * | documents  | 02 table (u32) internal id (16 bytes)                        | document JSON |
 * | index      | 03 index (u32) field values _creationTime internal id        | empty         |
 */
import { encodeKey, encodeKeyPart, keySuccessor } from "../values/keyEncoding";
import type { Json } from "../values/json";

const META = "\x01";
const DOCUMENTS = "\x02";
const INDEX = "\x03";

/** Bytes of a document's internal id, the last part of every document and index key. */
const INTERNAL_ID_BYTES = 16;

function u32(n: number): string {
  return String.fromCharCode((n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255);
}

export function metaKey(name: string): string {
  return META + name;
}

/** The prefix of all documents of a table. */
export function tablePrefix(tableNumber: number): string {
  return DOCUMENTS + u32(tableNumber);
}

/** The prefix of all entries of an index. */
export function indexPrefix(indexId: number): string {
  return INDEX + u32(indexId);
}

/**
 * An entry of an index. `fields` are the document's values at the indexed fields, without the implicit ones, which are
 * the `end`.
 */
export function indexEntryKey(prefix: string, fields: readonly (Json | undefined)[], end: string): string {
  return prefix + encodeKey(fields) + end;
}

/** What all index entries of one document end in. */
export function indexEntryEnd(creationTime: number, internalId: string): string {
  return encodeKeyPart(creationTime) + internalId;
}

/** An internal id as it stands in keys. */
export function internalIdKey(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, INTERNAL_ID_BYTES).toString("latin1");
}

/** The internal id in which an index or document key ends. */
export function internalIdOfKey(key: string): string {
  return key.slice(-INTERNAL_ID_BYTES);
}

/** All keys that start with `prefix`, as a half-open range. */
export function rangeOfPrefix(prefix: string): KeyRange {
  return { start: prefix, end: keySuccessor(prefix) };
}

/** `start <= key < end`. */
export type KeyRange = { start: string; end: string };
