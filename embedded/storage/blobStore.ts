import { createHash, randomUUID } from "node:crypto";
import {
  closeSync,
  createReadStream,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { mkdir, open, readdir, rename, rm, type FileHandle } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import type { Blobs, StoredBlob } from "./blobs";
import { syncFolder, syncFolderNow } from "./durableFiles";

const TEMPORARY = ".part";
/** What is called otherwise is not a blob: file managers put files of their own everywhere. */
const KEY = /^[0-9a-f-]{36}$/;

/**
 * Blobs on disk, each a file of its own beside the database. A blob appears whole and synced or not at all.
 */
export class BlobStore implements Blobs {
  #holds = 0;
  readonly #waiting: (() => void)[] = [];

  private constructor(private readonly folder: string) {}

  /** Opens the folder, and makes it if it is not there. What a crash has left half-written is removed. */
  static async open(folder: string): Promise<BlobStore> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const names = await readdir(folder);
    await Promise.all(
      names
        .filter((name) => name.endsWith(TEMPORARY))
        .map((name) => rm(path.join(folder, name), { force: true })),
    );
    return new BlobStore(folder);
  }

  /** Resolves when the blob is on disk. */
  async put(source: AsyncIterable<Uint8Array>): Promise<StoredBlob> {
    const key = randomUUID();
    const temporary = this.#file(key) + TEMPORARY;
    const hash = createHash("sha256");
    let sizeBytes = 0;
    const file = await open(temporary, "wx", 0o600);
    try {
      for await (const chunk of source) {
        hash.update(chunk);
        sizeBytes += chunk.length;
        await writeAll(file, chunk);
      }
      await file.sync();
    } catch (error) {
      await file.close();
      await rm(temporary, { force: true });
      throw error;
    }
    await file.close();
    await rename(temporary, this.#file(key));
    await syncFolder(this.folder);
    return { key, sha256: hash.digest("base64"), sizeBytes };
  }

  putNow(bytes: Uint8Array): StoredBlob {
    const key = randomUUID();
    const temporary = this.#file(key) + TEMPORARY;
    const file = openSync(temporary, "wx", 0o600);
    try {
      writeFileSync(file, bytes);
      fsyncSync(file);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    } finally {
      closeSync(file);
    }
    renameSync(temporary, this.#file(key));
    syncFolderNow(this.folder);
    return { key, sha256: createHash("sha256").update(bytes).digest("base64"), sizeBytes: bytes.length };
  }

  readNow(key: string): Buffer {
    return readFileSync(this.#file(key));
  }

  read(key: string, range?: { start: number; end: number }): Readable {
    return createReadStream(this.#file(key), range ?? {});
  }

  /** Lets all blobs be until the result is called: removals wait. */
  hold(): () => void {
    this.#holds++;
    return () => {
      this.#holds--;
      if (this.#holds === 0) for (const go of this.#waiting.splice(0)) go();
    };
  }

  async remove(key: string): Promise<void> {
    while (this.#holds > 0) await new Promise<void>((go) => this.#waiting.push(go));
    await rm(this.#file(key), { force: true });
  }

  async keys(): Promise<string[]> {
    return (await readdir(this.folder)).filter((name) => KEY.test(name));
  }

  /** Keys come from this class or from the database, never from a client as they are: still, they name no other file. */
  #file(key: string): string {
    if (!KEY.test(key)) throw new Error("Not the key of a blob");
    return path.join(this.folder, key);
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, offset);
    offset += bytesWritten;
  }
}
