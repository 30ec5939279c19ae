import { createHash, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { Blobs, StoredBlob } from "./blobs";

const NO_SUCH_BLOB = "There is no such blob";

/** Blobs that are forgotten: for tests. */
export class MemoryBlobs implements Blobs {
  readonly #blobs = new Map<string, Buffer>();

  async put(source: AsyncIterable<Uint8Array>): Promise<StoredBlob> {
    return this.putNow(await buffer(source));
  }

  putNow(content: Uint8Array): StoredBlob {
    const bytes = Buffer.from(content);
    const key = randomUUID();
    this.#blobs.set(key, bytes);
    return { key, sha256: createHash("sha256").update(bytes).digest("base64"), sizeBytes: bytes.length };
  }

  readNow(key: string): Buffer {
    const bytes = this.#blobs.get(key);
    if (!bytes) throw new Error(NO_SUCH_BLOB);
    return bytes;
  }

  read(key: string, range?: { start: number; end: number }): Readable {
    const bytes = this.#blobs.get(key);
    if (!bytes) return Readable.from(fail());
    return Readable.from([range ? bytes.subarray(range.start, range.end + 1) : bytes]);
  }

  remove(key: string): Promise<void> {
    this.#blobs.delete(key);
    return Promise.resolve();
  }

  keys(): Promise<string[]> {
    return Promise.resolve([...this.#blobs.keys()]);
  }
}

// oxlint-disable-next-line require-yield -- it has nothing to give
function* fail(): Generator<never> {
  throw new Error(NO_SUCH_BLOB);
}
