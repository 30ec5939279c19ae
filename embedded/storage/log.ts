import { DiskPatience } from "./diskPatience";
import { bytesOf } from "./durableFiles";
import { LogFile, newHeader, type LogFileName } from "./logFile";
import { sealRecord } from "./logRecord";
import { LogSpares } from "./logSpares";
import { InDoubtError } from "./store";

/** Of a file: how full it is when a spare one is made for what follows. */
const NEARLY_FULL = 7 / 8;
/** Of a file: how full it may get while a spare one is on its way. */
const LONGEST = 2;
/** What was of late counts for so much of it, record by record. */
const OF_LATE = 0.98;

export type LogFileSizes = {
  /** A file of the log is followed by another one when it has so many bytes, or some more. */
  readonly fileBytes: number;
  /**
   * Records are written without another thread as long as the disk is quick and none was longer than this of late: then so few calls come
   * that none could be run meanwhile.
   */
  readonly atOnceBytes: number;
};

/** The log of a data folder: records at the end of its last file. */
export class Log {
  #current: LogFile | null = null;
  /** Files that are full are closed beside all else. */
  #closing: Promise<unknown> = Promise.resolve();
  /** Until what is not needed is gone. One at a time, as two would take the same files. */
  #released: Promise<unknown> = Promise.resolve();
  /** The file during which a spare one was asked for: once is enough, as where there is little room it fails each time. */
  #preparedDuring: LogFile | null = null;
  readonly #spares: LogSpares;
  readonly #patience = new DiskPatience();
  /** How long the longest record of late was, in bytes. */
  #longest = 0;

  /**
   * @param files those that are there already, in order. None of them is written to again
   * @param next the sequence of the next record
   */
  constructor(
    private readonly folder: string,
    private readonly sizes: LogFileSizes,
    private files: LogFileName[],
    private next: number,
  ) {
    this.#spares = new LogSpares(folder, sizes.fileBytes, newHeader);
  }

  /**
   * Resolves with the sequence of the record when it is on disk. One at a time. Rejects when it could not be written: then it
   * is not in the log, and the next one begins a new file, or it is in doubt: see {@link InDoubtError}.
   *
   * @param record its bytes, see {@link sealRecord}, which stay as they are until then
   */
  async append(record: readonly Buffer[]): Promise<number> {
    let opened: LogFile | null = null;
    try {
      const file = (opened = await this.#open());
      sealRecord(record, this.next, file.salt);
      if (this.#waitsFor(file, record)) this.#patience.during(() => file.appendNow(record));
      else await file.append(record);
    } catch (error) {
      this.#current = null;
      const isGone = (await opened?.giveUp()) ?? true;
      const message = `The database could not be written: ${(error as Error).message}`;
      throw isGone ? new Error(message, { cause: error }) : new InDoubtError(message, { cause: error });
    }
    // One that is not needed any more is likely to come before this one is full.
    if (!opened.isReused || opened.bytes > this.sizes.fileBytes * NEARLY_FULL) this.#prepareSpare(opened);
    return this.next++;
  }

  /** Removes the files whose records, up to this sequence, are not needed any more, except the one that is written to. */
  release(through: number): Promise<void> {
    const released = this.#released.then(() => this.#release(through));
    this.#released = released.catch(() => undefined);
    return released;
  }

  async close(): Promise<void> {
    const file = this.#current;
    this.#current = null;
    await Promise.all([file?.close(), this.#closing]);
  }

  /** Leaves nothing behind but the files that are needed. To be called last. */
  removeSpares(): Promise<void> {
    return this.#spares.close();
  }

  async #release(through: number): Promise<void> {
    const current = this.#current?.name;
    const obsolete = this.files.filter((file, i) => {
      const end = this.files[i + 1]?.first ?? this.next;
      // One that has no record may be being replaced at this moment.
      return file !== current && file.first < this.next && end <= through + 1;
    });
    // In order, so that a crash leaves no gap.
    for (const file of obsolete) {
      await this.#spares.recycle(file.path);
      this.files = this.files.filter((kept) => kept !== file);
    }
  }

  #prepareSpare(current: LogFile): void {
    if (this.#preparedDuring === current) return;
    this.#preparedDuring = current;
    this.#spares.prepare();
  }

  /** Whether this thread waits itself until the next record is on disk. */
  #waitsFor(file: LogFile, record: readonly Buffer[]): boolean {
    this.#longest = Math.max(bytesOf(record), this.#longest * OF_LATE);
    return file.isNamed && this.#longest <= this.sizes.atOnceBytes && this.#patience.isLeft;
  }

  /** The file that takes the next record. */
  async #open(): Promise<LogFile> {
    const current = this.#current;
    if (current && this.#isOver(current)) {
      // All that it has is on disk.
      this.#closing = Promise.all([this.#closing, current.close().catch(() => undefined)]);
      this.#current = null;
    }
    return (this.#current ??= await this.#begin());
  }

  /** Whether another file takes its place. */
  #isOver({ bytes, isReused }: LogFile): boolean {
    if (this.#spares.isReady) return bytes >= this.sizes.fileBytes || !isReused;
    // To make one without waits longer than for a spare one, of which the disk takes note beside all else.
    return bytes >= this.sizes.fileBytes * (this.#spares.isComing ? LONGEST : 1);
  }

  async #begin(): Promise<LogFile> {
    const file = await LogFile.create(this.folder, this.next, this.#spares);
    // One of the same name, without a record, has been replaced.
    this.files = [...this.files.filter(({ path }) => path !== file.name.path), file.name];
    return file;
  }
}
