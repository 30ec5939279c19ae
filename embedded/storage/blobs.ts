import type { Readable } from "node:stream";

/** A blob that is stored whole. `key`: a random UUID, under which it is found. `sha256`: base64. */
export type StoredBlob = { readonly key: string; readonly sha256: string; readonly sizeBytes: number };

/** Large contents, each under a key of its own. A blob appears whole or not at all, and never changes. */
export interface Blobs {
  /** Stores a blob. If the source fails, nothing is left of it. */
  put(source: AsyncIterable<Uint8Array>): Promise<StoredBlob>;

  /** Stores a blob at once: it is there, as after {@link put}, when this returns. Nothing else runs meanwhile. */
  putNow(bytes: Uint8Array): StoredBlob;

  /** The whole of a blob, at once. Throws if there is no such blob. */
  readNow(key: string): Buffer;

  /** Reads a blob, or its bytes `start` to `end`, both inclusive. The stream fails if there is no such blob. */
  read(key: string, range?: { start: number; end: number }): Readable;

  /** Removes a blob; it is no error if it is not there. */
  remove(key: string): Promise<void>;

  /** The keys of all blobs. */
  keys(): Promise<string[]>;
}
