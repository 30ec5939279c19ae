import { LogFile, newHeader, type LogFileName } from "./logFile";
import { sealRecord } from "./logRecord";
import { LogSpares } from "./logSpares";
import { InDoubtError } from "./store";

/** Of a file: how full it is when a spare one is made for what follows. */
const NEARLY_FULL = 7 / 8;
/** Of a file: how full it may get while a spare one is on its way. */
const LONGEST = 2;

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

  /**
   * @param fileBytes a file is followed by another one when it has so many bytes, or some more
   * @param files those that are there already, in order. None of them is written to again
   * @param next the sequence of the next record
   */
  constructor(
    private readonly folder: string,
    private readonly fileBytes: number,
    private files: LogFileName[],
    private next: number,
  ) {
    this.#spares = new LogSpares(folder, fileBytes, newHeader);
  }

  /**
   * Resolves with the sequence of the record when it is on disk. One at a time. Rejects when it could not be written: then it
   * is not in the log, and the next one begins a new file, or it is in doubt: see {@link InDoubtError}.
   *
   * @param record its bytes, see {@link sealRecord}, which stay as they are until then
   */
  async append(record: readonly Buffer[]): Promise<number> {
    let file: LogFile | null = null;
    try {
      file = await this.#open();
      sealRecord(record, this.next, file.salt);
      await file.append(record);
    } catch (error) {
      this.#current = null;
      const isGone = (await file?.giveUp()) ?? true;
      const message = `The database could not be written: ${(error as Error).message}`;
      throw isGone ? new Error(message, { cause: error }) : new InDoubtError(message, { cause: error });
    }
    // One that is not needed any more is likely to come before this one is full.
    if (!file.isReused || file.bytes > this.fileBytes * NEARLY_FULL) this.#prepareSpare(file);
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
    if (this.#spares.isReady) return bytes >= this.fileBytes || !isReused;
    // To make one without waits longer than for a spare one, of which the disk takes note beside all else.
    return bytes >= this.fileBytes * (this.#spares.isComing ? LONGEST : 1);
  }

  async #begin(): Promise<LogFile> {
    const file = await LogFile.create(this.folder, this.next, this.#spares);
    // One of the same name, without a record, has been replaced.
    this.files = [...this.files.filter(({ path }) => path !== file.name.path), file.name];
    return file;
  }
}
