/**
 * Stored files as functions and HTTP see them: a document of `_storage` for each, beside it the key of its blob, and the notes
 * of blobs that are to be removed. All of it is written in transactions, so a file comes and goes with the mutation.
 */
import { DeveloperError } from "../transaction/errors";
import { blobOfFileKey, fileOfBlobKey, REMOVED_BLOBS, removedBlobKey } from "../transaction/keys";
import type { Transaction } from "../transaction/transaction";
import type { Database } from "../transaction/database";
import type { FileUrls } from "./fileUrls";
import type { Blobs, StoredBlob } from "../storage/blobs";
import { decodeId, idProblem } from "../values/ids";
import type { JsonObject } from "../values/json";

const TABLE = "_storage";

/** A file. `sha256`: base64. */
export type StoredFile = {
  readonly id: string;
  readonly blobKey: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly contentType: string | null;
};

/** Adds the document of a blob and gives its id. */
export function addFile(transaction: Transaction, blob: StoredBlob, contentType: string | null): string {
  const { key, sha256, sizeBytes } = blob;
  const document: JsonObject = { sha256, size: sizeBytes, ...(contentType === null ? {} : { contentType }) };
  const id = transaction.insert(TABLE, document);
  transaction.writeNote(blobOfFileKey(id), key);
  transaction.writeNote(fileOfBlobKey(key), id);
  return id;
}

/** Throws {@link DeveloperError} if a blob does not have the SHA-256 digest, hex or base64, that was given with it. */
export function requireDigest(blob: StoredBlob, sha256: string | null): void {
  const hex = Buffer.from(blob.sha256, "base64").toString("hex");
  if (sha256 !== null && sha256 !== blob.sha256 && sha256 !== hex) {
    throw new DeveloperError("The content does not have the SHA-256 digest that was given with it");
  }
}

/** The file with this id, or `null`. Throws {@link DeveloperError} for what is no id of a file. */
export function findFile(transaction: Transaction, id: string): StoredFile | null {
  const decoded = decodeId(id);
  if (decoded === null) {
    throw new DeveloperError(`Invalid argument \`storageId\` for \`storage\`: ${idProblem(id)}`);
  }
  const text = transaction.get(id, { operation: "db.get", table: TABLE, system: true })?.text;
  const blobKey = transaction.readNote(blobOfFileKey(id));
  if (text === undefined || blobKey === undefined) return null;
  const { sha256, size, contentType } = JSON.parse(text) as {
    sha256: string;
    size: number;
    contentType?: string;
  };
  return { id, blobKey, sha256, sizeBytes: size, contentType: contentType ?? null };
}

/** The file whose blob has this key, as it stands in URLs, or `null`. */
export function findFileByBlob(transaction: Transaction, blobKey: string): StoredFile | null {
  const id = transaction.readNote(fileOfBlobKey(blobKey));
  return id === undefined ? null : findFile(transaction, id);
}

/** Where a file can be fetched, as JSON text; `null` if there is none. */
export function fileUrl(transaction: Transaction, id: string, urls: FileUrls): string {
  const file = findFile(transaction, id);
  return JSON.stringify(file === null ? null : urls.download(file.blobKey));
}

/**
 * Stores a file from within a mutation and gives its id. The bytes count as written by the mutation. `stored` is told the blob's
 * key: if the mutation fails, its blob is still to be removed.
 */
export function storeFileNow(
  transaction: Transaction,
  blobs: Blobs,
  file: { readonly bytes: Buffer; readonly contentType: string | null; readonly sha256: string | null },
  stored: string[],
): string {
  transaction.usage.add("bytesWritten", file.bytes.length);
  const blob = blobs.putNow(file.bytes);
  stored.push(blob.key);
  requireDigest(blob, file.sha256);
  return addFile(transaction, blob, file.contentType);
}

/** What `storage.get` of mutations gives, as JSON text: the content in base64. The bytes count as read. */
export function fileContent(transaction: Transaction, blobs: Blobs, id: string): string {
  const file = findFile(transaction, id);
  if (file === null) return "null";
  transaction.usage.add("bytesRead", file.sizeBytes);
  return JSON.stringify({
    blob: blobs.readNow(file.blobKey).toString("base64"),
    contentType: file.contentType,
  });
}

/** Removes those of some blobs that have not become files, as the mutation that stored them was not committed. */
export async function removeUnused(
  database: Database,
  blobs: Blobs,
  stored: readonly string[],
): Promise<void> {
  const unused = stored.filter((key) => database.get(fileOfBlobKey(key)) === undefined);
  await Promise.all(unused.map((key) => blobs.remove(key)));
}

/** What `storage.getMetadata` gives, as JSON text. */
export function fileMetadata(transaction: Transaction, id: string): string {
  const file = findFile(transaction, id);
  if (file === null) return "null";
  const { sha256, sizeBytes, contentType } = file;
  return JSON.stringify({
    storageId: id,
    sha256: Buffer.from(sha256, "base64").toString("hex"),
    size: sizeBytes,
    contentType,
  });
}

/** Deletes a file. Its blob is removed once the transaction is on disk. Throws {@link DeveloperError} if there is none. */
export function deleteFile(transaction: Transaction, id: string): void {
  const file = findFile(transaction, id);
  if (file === null) throw new DeveloperError(`storage id ${id} not found`);
  transaction.remove(id, { operation: "db.delete", table: TABLE, system: true });
  transaction.removeNote(blobOfFileKey(id));
  transaction.removeNote(fileOfBlobKey(file.blobKey));
  transaction.writeNote(removedBlobKey(file.blobKey), "");
}

/** Removes the blobs of files that are deleted for good, and notes that it was done. */
export async function removeDeletedBlobs(database: Database, blobs: Blobs): Promise<void> {
  const { start, end } = REMOVED_BLOBS;
  const rows = database.scan(start, end, "asc");
  const notes: [string, null][] = [];
  for (let row = rows.next(); !row.done; row = rows.next()) notes.push([row.value[0], null]);
  if (notes.length === 0) return;
  await database.durable();
  await Promise.all(notes.map(([note]) => blobs.remove(note.slice(start.length))));
  database.commit(notes);
}

/** Removes the blobs of deleted files from now on, whenever a commit deletes some. */
export function watchDeletedFiles(database: Database, blobs: Blobs, onFault: (error: unknown) => void): void {
  database.onCommit((written) => {
    if (!written.changesIn(REMOVED_BLOBS)) return;
    setImmediate(() => void removeDeletedBlobs(database, blobs).catch(onFault));
  });
}

/** Removes blobs that no file has: a crash came between their writing and the commit. Only before requests are served. */
export async function removeOrphanedBlobs(database: Database, blobs: Blobs): Promise<void> {
  for (const key of await blobs.keys()) {
    if (database.get(fileOfBlobKey(key)) === undefined) await blobs.remove(key);
  }
}
