/**
 * Where everything lies in the store. A key is a binary string: a JavaScript string whose char codes are bytes,
 * so that comparing two keys with `<` compares their bytes.
 *
 * | space      | key                                                          | value         |
 * | ---------- | ------------------------------------------------------------ | ------------- |
 * | meta       | 01 name                                                      | JSON          |
 * | documents  | 02 tablet (u32) internal id (16 bytes)                       | document JSON |
 * | index      | 03 index (u32) field values _creationTime internal id        | empty         |
 * | replays    | 04 session and request                                       | JSON          |
 * | jobs       | 05 queue (u8) time _creationTime internal id                 | JSON          |
 * | crons      | 06 name, or 06 00 component 00 name                          | JSON          |
 * | pushed     | 07 name of a module                                          | JSON          |
 * | targets    | 08 internal id of a scheduled function of another component  | JSON          |
 * | files      | 10 id of the file                                            | key of a blob |
 * | blobs      | 11 key of the blob                                           | id of a file  |
 * | removed    | 12 key of a blob that is still to be removed                 | empty         |
 */
import { decodeId } from "../values/ids";
import { encodeKey, encodeKeyPart, keySuccessor } from "../values/keyEncoding";
import type { Json } from "../values/json";

const META = "\x01";
const DOCUMENTS = "\x02";
const INDEX = "\x03";
const REPLAYS = "\x04";
const JOBS = "\x05";
const CRONS = "\x06";
const PUSHED = "\x07";
const JOB_TARGETS = "\x08";
const BLOB_OF_FILE = "\x10";
const FILE_OF_BLOB = "\x11";
const REMOVED = "\x12";

/** Bytes of a document's internal id, the last part of every document and index key. */
const INTERNAL_ID_BYTES = 16;
/** Bytes of a creation time in a key: the tag of a float and the float. */
const CREATION_TIME_BYTES = 9;
/** Bytes of what all index entries of a document end in, see {@link indexEntryEnd}. */
export const INDEX_ENTRY_END_BYTES = CREATION_TIME_BYTES + INTERNAL_ID_BYTES;

function u32(n: number): string {
  return String.fromCharCode((n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255);
}

export function metaKey(name: string): string {
  return META + name;
}

/** How the last export of a snapshot stands, as the official command line asks for it. */
export const LATEST_EXPORT_KEY = metaKey("latestExport");
/** The same of the last imports. */
export const IMPORTS_KEY = metaKey("imports");

/** The prefix of all documents of a table. */
export function tablePrefix(tablet: number): string {
  return DOCUMENTS + u32(tablet);
}

export function documentKey(tablet: number, internalId: string): string {
  return tablePrefix(tablet) + internalId;
}

/** Whether it is the key of a document. */
export function isDocumentKey(key: string): boolean {
  return key.startsWith(DOCUMENTS);
}

/** The tablet of the document whose key this is. */
export function tabletOfKey(key: string): number {
  const low = (key.charCodeAt(2) * 256 + key.charCodeAt(3)) * 256 + key.charCodeAt(4);
  return key.charCodeAt(1) * 2 ** 24 + low;
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

/** The internal id, as it stands in keys, of an id that is known to be well formed. */
export function internalIdOf(id: string): string {
  const decoded = decodeId(id);
  if (decoded === null) throw new Error(`${JSON.stringify(id)} is no document id`);
  return decoded.internalId;
}

/** The internal id in which an index or document key ends. */
export function internalIdOfKey(key: string): string {
  return key.slice(-INTERNAL_ID_BYTES);
}

/** Where the result of a client's mutation is kept, in case the client sends it again. */
export function replayKey(sessionAndRequest: string): string {
  return REPLAYS + Buffer.from(sessionAndRequest, "utf8").toString("latin1");
}

/** All kept results. */
export const ALL_REPLAYS: KeyRange = { start: REPLAYS, end: keySuccessor(REPLAYS) };

/**
 * The queues in which scheduled functions stand, ordered by time: those that wait, by when they are due; actions that
 * run, and functions that are completed, by since when they are.
 */
export const JOB_QUEUES = {
  pending: JOBS + "\x01",
  inProgress: JOBS + "\x02",
  completed: JOBS + "\x03",
} as const;
export type JobQueue = keyof typeof JOB_QUEUES;

/**
 * The place of a scheduled function in a queue: of those with the same time, the one that was scheduled first comes first. Both
 * times in ms since the epoch.
 */
export function jobKey(queue: JobQueue, timeMs: number, creationTime: number, internalId: string): string {
  return JOB_QUEUES[queue] + encodeKeyPart(timeMs) + encodeKeyPart(creationTime) + internalId;
}

/** What is in a queue for a time up to and including `timeMs`. */
export function jobsUntil(queue: JobQueue, timeMs: number): KeyRange {
  return { start: JOB_QUEUES[queue], end: keySuccessor(JOB_QUEUES[queue] + encodeKeyPart(timeMs)) };
}

/** Where it is kept in which component a scheduled function is, if not in the one that has scheduled it. */
export function jobTargetKey(internalId: string): string {
  return JOB_TARGETS + internalId;
}

/** Where the state of a cron is kept. Names are printable ASCII. `component`: the path of the component whose it is. */
export function cronKey(component: string, name: string): string {
  return CRONS + (component === "" ? name : `\0${component}\0${name}`);
}

/** The states of all crons. */
export const ALL_CRONS: KeyRange = { start: CRONS, end: keySuccessor(CRONS) };

/** Where a module of the app that was pushed last is kept. `key`: any text that names it. */
export function pushedModuleKey(key: string): string {
  return PUSHED + Buffer.from(key, "utf8").toString("latin1");
}

/** All modules of the app that was pushed last. */
export const PUSHED_MODULES: KeyRange = { start: PUSHED, end: keySuccessor(PUSHED) };

/** Where the key of a file's blob is kept. */
export function blobOfFileKey(fileId: string): string {
  return BLOB_OF_FILE + fileId;
}

/** Where the id of a blob's file is kept. `blobKey` may be any ASCII text: then there is nothing. */
export function fileOfBlobKey(blobKey: string): string {
  return FILE_OF_BLOB + blobKey;
}

export function removedBlobKey(blobKey: string): string {
  return REMOVED + blobKey;
}

/** The notes of all blobs that are still to be removed. */
export const REMOVED_BLOBS: KeyRange = { start: REMOVED, end: keySuccessor(REMOVED) };

/** The range that holds one key and no other. */
export function onlyKey(key: string): KeyRange {
  return { start: key, end: `${key}\0` };
}

/** All keys that start with `prefix`, as a half-open range. */
export function rangeOfPrefix(prefix: string): KeyRange {
  return { start: prefix, end: keySuccessor(prefix) };
}

/** `start <= key < end`. */
export type KeyRange = { readonly start: string; readonly end: string };
