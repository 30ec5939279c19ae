import { constants, renameSync } from "node:fs";
import { open, rename, rm, stat, statfs, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder, SYNCED_WRITES, writeAll, writeSynced } from "./durableFiles";

/** What a new one is made of, piece by piece. */
const ZEROS = Buffer.alloc(1 << 18);
/** Where there is room for fewer files than this, every byte may be of more use elsewhere. */
const LEAST_ROOM = 16;

/** A file that was opened with {@link SYNCED_WRITES}, and what it begins with. */
export type Begun = { readonly file: FileHandle; readonly beginning: Buffer };

/**
 * A place for a file that a log keeps to write a next one over. A sync of bytes that were there before takes a fraction of the time
 * of one that has made the file longer, of which the file system has to take note as well.
 *
 * It has a beginning of its own already, which is on disk; what stands behind that does not matter, only that it is long. It is
 * made beside what is going on, and not having one does no harm.
 */
export class LogSpare {
  /** `busy`: it is being made or kept. */
  #state: "none" | "busy" | Begun = "none";
  #work: Promise<unknown> = Promise.resolve();

  /**
   * @param path of the file
   * @param bytes how long a file of the log becomes; there is no spare one for files without an end
   * @param newBeginning what no other file begins with
   */
  constructor(
    private readonly path: string,
    private readonly bytes: number,
    private readonly newBeginning: () => Buffer,
  ) {}

  get isFree(): boolean {
    return this.#state === "none";
  }

  get isReady(): boolean {
    return typeof this.#state === "object";
  }

  /** Whether one will be ready soon, if nothing goes wrong. */
  get isComing(): boolean {
    return this.#state === "busy";
  }

  /** Makes one, if there is none. */
  prepare(): void {
    if (this.#state !== "none" || !Number.isFinite(this.bytes)) return;
    this.#do(() => this.#make()).catch(() => rm(this.path, { force: true }).catch(() => undefined));
  }

  /** Takes a file away that the log needs no more: keeps it, if there is none and it is long enough, or removes it. */
  async recycle(path: string): Promise<void> {
    const [length, isRoomy] = await Promise.all([lengthOf(path), this.#isRoomy()]);
    const isLong = length >= this.bytes && length < 3 * this.bytes;
    const isWanted = this.#state === "none" && isLong && isRoomy;
    await (isWanted ? this.#do(() => this.#keep(path)) : rm(path, { force: true }));
  }

  /** Gives the file away under a new name, of which the folder is still to be synced; `null`: there is none. */
  async take(path: string): Promise<Begun | null> {
    const begun = this.#state;
    if (typeof begun !== "object") return null;
    this.#state = "none";
    try {
      // At once: commits wait for it, and another thread takes less time for it than this one to hear of that, where it has work.
      renameSync(this.path, path);
      return begun;
    } catch (error) {
      await begun.file.close();
      throw error;
    }
  }

  /** Removes it, when nothing else is asked for any more. Never rejects. */
  async close(): Promise<void> {
    await this.#work.catch(() => undefined);
    if (typeof this.#state === "object") await this.#state.file.close().catch(() => undefined);
    await rm(this.path, { force: true }).catch(() => undefined);
  }

  /** Has work put a long file there, and makes it ready. */
  async #do(work: () => Promise<void>): Promise<void> {
    this.#state = "busy";
    let begun: Begun | null = null;
    try {
      const made = work().then(() => this.#begin());
      this.#work = made;
      begun = await made;
    } finally {
      this.#state = begun ?? "none";
    }
  }

  async #isRoomy(): Promise<boolean> {
    const { bavail, bsize } = await statfs(dirname(this.path));
    return bavail * bsize >= LEAST_ROOM * this.bytes;
  }

  async #make(): Promise<void> {
    if (!(await this.#isRoomy())) throw new Error("There is little room");
    // One that a process has left that was killed.
    if ((await lengthOf(this.path)) >= this.bytes) return;
    const file = await open(this.path, "w", 0o600);
    try {
      for (let at = 0; at < this.bytes; at += ZEROS.length)
        await writeAll(file, ZEROS.subarray(0, this.bytes - at), at);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async #keep(path: string): Promise<void> {
    await rename(path, this.path);
    // Under its old name it must never be seen with its new beginning.
    await syncFolder(dirname(path));
  }

  async #begin(): Promise<Begun> {
    const beginning = this.newBeginning();
    const file = await open(this.path, constants.O_RDWR | SYNCED_WRITES);
    try {
      // Under another name it must never be seen with what it had before.
      await writeSynced(file, [beginning], 0);
    } catch (error) {
      await file.close();
      throw error;
    }
    return { file, beginning };
  }
}

async function lengthOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
