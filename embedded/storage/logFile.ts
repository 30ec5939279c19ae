import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { open, readdir, rm, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { bytesOf, syncFolder, SYNCED_WRITES, writeAll, writeSynced, writeSyncedNow } from "./durableFiles";
import type { LogSpares } from "./logSpares";

/*
 * A log is a row of files, each named by the sequence of its first record. A file begins with
 *
 *   magic (8)  salt of the records' checks (4)  CRC-32 of the two (4)
 *
 * which is on disk before the first record is. Records follow one another without gaps, and so do their sequences, over all
 * files. What stands in a file behind the record before the first of the next file was given up and counts for nothing; nor does
 * what stands behind the last record of all, which is not of this file's salt: see logSpare.ts.
 */
const MAGIC = Buffer.from("cvxlog\0\x02", "latin1");
/** Of files that have no sheaves yet. */
const OLD_MAGIC = Buffer.from("cvxlog\0\x01", "latin1");
const CHECK_AT = 12;
export const FILE_HEADER_BYTES = 16;
const NAME = /^log-(\d{16})$/;

export type LogFileName = { readonly path: string; readonly first: number };

/** Whether a file in a data folder belongs to the log. */
function isLogFile(name: string): boolean {
  return NAME.test(name);
}

function nameOf(folder: string, first: number): LogFileName {
  return { path: join(folder, `log-${String(first).padStart(16, "0")}`), first };
}

/** The files of a folder's log, in order. */
export async function listLogFiles(folder: string): Promise<LogFileName[]> {
  const names = (await readdir(folder)).filter(isLogFile).toSorted();
  return names.map((name) => nameOf(folder, Number(NAME.exec(name)?.[1])));
}

/** The salt of a file's records, or null if the file does not begin as it should. */
export function readSalt(file: Buffer): number | null {
  if (file.length < FILE_HEADER_BYTES) return null;
  const magic = file.subarray(0, MAGIC.length);
  if (!magic.equals(MAGIC) && !magic.equals(OLD_MAGIC)) return null;
  if (crc32(file.subarray(0, CHECK_AT)) !== file.readUInt32LE(CHECK_AT)) return null;
  return file.readUInt32LE(MAGIC.length);
}

/** What a file of the log begins with, with a salt of its own. */
export function newHeader(): Buffer {
  const header = Buffer.concat([MAGIC, randomBytes(4), Buffer.alloc(4)]);
  header.writeUInt32LE(crc32(header.subarray(0, CHECK_AT)), CHECK_AT);
  return header;
}

/** A file of the log that records are appended to, one at a time. */
export class LogFile {
  #end = FILE_HEADER_BYTES;
  /** A whole record may stand behind the end. */
  #isAhead = false;

  readonly salt: number;

  /** @param named until it is on disk that the file has its name; `null`: it is */
  private constructor(
    readonly name: LogFileName,
    private readonly file: FileHandle,
    header: Buffer,
    /** Whether its records are written over what was there. */
    readonly isReused: boolean,
    private named: Promise<void> | null,
  ) {
    this.salt = header.readUInt32LE(MAGIC.length);
    // Whoever appends is told.
    named?.catch(() => undefined);
  }

  /** Makes a file for records from this sequence on. One of that name has no record that counts, and is replaced. */
  static async create(folder: string, first: number, spares: LogSpares): Promise<LogFile> {
    const name = nameOf(folder, first);
    const spared = await spares.take(name.path);
    // That sync and the one of the first record take no longer together than one of them.
    if (spared) return new LogFile(name, spared.file, spared.beginning, true, syncFolder(folder));
    const header = newHeader();
    return new LogFile(name, await begin(name.path, header), header, false, null);
  }

  get bytes(): number {
    return this.#end;
  }

  /** Whether it is on disk that the file has its name, without which {@link appendNow} can't be. */
  get isNamed(): boolean {
    return this.named === null;
  }

  /** Resolves when the record is on disk. After it has rejected, the file must be given up. */
  async append(record: readonly Buffer[]): Promise<void> {
    // It may stand there even if it is said that it could not be written.
    this.#isAhead = true;
    const done = await Promise.allSettled([writeSynced(this.file, record, this.#end), this.named]);
    // Not before both have ended: what is still being written can't be taken away.
    for (const one of done) if (one.status === "rejected") throw one.reason;
    this.named = null;
    this.#appended(record);
  }

  /** As {@link append}, at once. */
  appendNow(record: readonly Buffer[]): void {
    this.#isAhead = true;
    writeSyncedNow(this.file, record, this.#end);
    this.#appended(record);
  }

  #appended(record: readonly Buffer[]): void {
    this.#end += bytesOf(record);
    this.#isAhead = false;
  }

  /**
   * After an append that failed: takes away what may stand of the record, since a sync that failed must not be tried again. If
   * the disk refuses that as well, the next file of the log says that it does not count.
   *
   * @returns false if the record would count as long as there is no such file
   */
  async giveUp(): Promise<boolean> {
    try {
      await this.file.truncate(this.#end);
      await this.file.datasync();
      this.#isAhead = false;
      await this.file.close();
    } catch {
      // The error of the append is the one to tell.
      await this.file.close().catch(() => undefined);
    }
    return !this.#isAhead;
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

async function begin(path: string, header: Buffer): Promise<FileHandle> {
  const { O_WRONLY, O_CREAT, O_TRUNC } = constants;
  const file = await open(path, O_WRONLY | O_CREAT | O_TRUNC | SYNCED_WRITES, 0o600);
  try {
    await writeAll(file, header, 0);
    await file.sync();
    await syncFolder(dirname(path));
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
  return file;
}
