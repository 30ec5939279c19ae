import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Deferred } from "./deferred";
import { LmdbStore } from "./lmdbStore";
import { Log } from "./log";
import { LogApply } from "./logApply";
import { formatMark, NO_MARK, parseMark } from "./logMark";
import { RecordWriter } from "./logRecord";
import { recoverLog, type Recovered } from "./logRecovery";
import { charsOf, type Memtable } from "./memtable";
import { mergeScan } from "./mergeScan";
import { checkKeys, type Order, type Snapshot, type Store } from "./store";

type Entry = [key: string, value: string];

export type LogSizes = {
  /** Writes are brought into the database when they are so many, in characters. */
  readonly generationChars: number;
  /** The database may be behind by so many characters, beside the generation that is under way; then commits wait. */
  readonly mostChars: number;
  /** A file of the log is followed by another one when it has so many bytes. */
  readonly fileBytes: number;
};

const SIZES: LogSizes = { generationChars: 8 << 20, mostChars: 24 << 20, fileBytes: 8 << 20 };
const SHORTEST_PAUSE_MS = 1;

/**
 * A store in a file of LMDB's and a log beside it. A commit is done when it is in the log, one write and one sync; commits
 * that come meanwhile share the next. Its writes are then kept in memory, above the database, until there are many: these go
 * into the database behind, in the order of their keys, which touches far fewer pages than each commit for itself.
 *
 * There are up to two such generations in memory, one that takes the commits and one that is on its way. A log file is removed
 * when all that it has is in the database. After a crash the log is read again and its writes are as they were.
 */
export class LogStore implements Store {
  #filling: Memtable;
  #applying: Memtable | null = null;
  /** The sequence of the last record in the log. */
  #last: number;
  /** Counts what makes an unfinished scan stale. */
  #version = 0;
  #waiting: Group | null = null;
  readonly #spareWriters = [new RecordWriter()];
  #writing: Promise<void> | null = null;
  #behind: Promise<void> = Promise.resolve();
  #paceUntil = 0;

  private constructor(
    private readonly database: LmdbStore,
    private readonly log: Log,
    private readonly apply: LogApply,
    private readonly sizes: LogSizes,
    { writes, last }: Recovered,
  ) {
    this.#filling = writes;
    this.#last = last;
    if (writes.size > 0) this.#startApply();
  }

  /**
   * @param path the file of the database, see {@link LmdbStore}; the log's files lie beside it
   * @throws DataFolderError if the log is damaged; nothing was changed
   */
  static async open(path: string, sizes: LogSizes = SIZES): Promise<LogStore> {
    const folder = dirname(path);
    const database = new LmdbStore(path);
    try {
      const noted = database.mark;
      const mark = noted === undefined ? NO_MARK : parseMark(noted);
      const recovered = await recoverLog(folder, mark);
      // A new database must be on disk before there is anything in the log that needs one.
      if (noted === undefined) await database.commitMarked([], formatMark(NO_MARK));
      const log = new Log(folder, sizes.fileBytes, recovered.files, recovered.last + 1);
      return new LogStore(database, log, new LogApply(database, mark.applied), sizes, recovered);
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  get(key: string): string | undefined {
    let value = this.#filling.get(key);
    if (value === undefined && this.#applying) value = this.#applying.get(key);
    return value === undefined ? this.database.get(key) : (value ?? undefined);
  }

  *scan(start: string, end: string | null, order: Order): IterableIterator<Entry> {
    let [from, to] = [start, end];
    let version = this.#version;
    let entries = this.#scanNow(from, to, order);
    for (let entry = entries.next(); !entry.done; entry = entries.next()) {
      const [key] = entry.value;
      yield entry.value;
      if (version === this.#version) continue;
      if (order === "asc") from = `${key}\0`;
      else to = key;
      version = this.#version;
      entries = this.#scanNow(from, to, order);
    }
  }

  snapshot(): Snapshot {
    const stored = this.database.snapshot();
    const layers = [this.#filling.copy()];
    // Nothing is written to it any more.
    if (this.#applying) layers.push(this.#applying);
    return {
      get: (key) => {
        for (const layer of layers) {
          const value = layer.get(key);
          if (value !== undefined) return value ?? undefined;
        }
        return stored.get(key);
      },
      scan: (start, end, order) =>
        mergeScan(
          [...layers, stored].map((layer) => layer.scan(start, end, order)),
          order,
        ),
      release: () => stored.release(),
    };
  }

  async commit(writes: ReadonlyMap<string, string | null>): Promise<void> {
    if (writes.size === 0) return;
    checkKeys(writes);
    const group = (this.#waiting ??= new Group(this.#spareWriters.pop() ?? new RecordWriter()));
    group.add(writes);
    this.#writing ??= this.#write();
    await group.done.promise;
  }

  async close(): Promise<void> {
    await this.#writing;
    this.apply.close();
    try {
      for (; this.#applying || this.#filling.size > 0; await this.#behind)
        if (!this.#applying) this.#startApply();
    } catch {
      // What the database did not take is in the log.
    }
    await this.log.close();
    if (!this.#applying) await this.#release(this.#last);
    await this.database.close();
  }

  /** Nothing is held by it that a commit or the end of a generation could change unnoticed, see `#version`. */
  #scanNow(start: string, end: string | null, order: Order): Iterator<Entry, unknown, undefined> {
    const stored = this.database.scan(start, end, order);
    const layers = [];
    if (this.#filling.touches(start, end)) layers.push(this.#filling.scan(start, end, order));
    if (this.#applying?.touches(start, end)) layers.push(this.#applying.scan(start, end, order));
    return layers.length === 0 ? stored : mergeScan([...layers, stored], order);
  }

  async #write(): Promise<void> {
    for (let group = this.#takeWaiting(); group; group = this.#takeWaiting()) {
      try {
        await this.#makeRoom(group.chars);
        this.#last = await this.log.append(group.record);
        for (const writes of group.writes) for (const [key, value] of writes) this.#filling.set(key, value);
        this.#version++;
        if (!this.#applying && this.#filling.chars >= this.sizes.generationChars) this.#startApply();
        group.done.resolve();
      } catch (error) {
        group.done.reject(error);
        // Those that wait may build on what is not there now.
        this.#takeWaiting()?.done.reject(error);
      }
      group.record.reset();
      this.#spareWriters.push(group.record);
    }
    this.#writing = null;
  }

  #takeWaiting(): Group | null {
    const group = this.#waiting;
    this.#waiting = null;
    return group;
  }

  /** Lets commits come in as fast as the generation that is under way goes out, so that none of them has to wait for all of it. */
  async #makeRoom(chars: number): Promise<void> {
    while (this.#applying && this.#filling.chars >= this.sizes.mostChars) await this.apply.progress();
    if (!this.#applying) return;
    const now = performance.now();
    const room = Math.max(1, this.sizes.mostChars - this.#filling.chars);
    this.#paceUntil = Math.max(now, this.#paceUntil) + (chars / room) * this.apply.remainingMs;
    const ms = Math.min(this.#paceUntil - now, this.apply.remainingMs);
    if (ms >= SHORTEST_PAUSE_MS) await sleep(ms);
  }

  #startApply(): void {
    this.#behind = this.#applyGeneration(this.#filling, this.#last);
    // Only `close` can do something about its failure.
    this.#behind.catch(() => undefined);
  }

  async #applyGeneration(generation: Memtable, through: number): Promise<void> {
    this.#applying = generation;
    this.#filling = generation.successor();
    await this.apply.apply(generation, through);
    this.#applying = null;
    this.#version++;
    await this.#release(through);
    if (!this.#applying && this.#filling.chars >= this.sizes.generationChars) this.#startApply();
  }

  async #release(through: number): Promise<void> {
    // A file that can't be removed is tried again with the next one, and at the next start.
    await this.log.release(through).catch(() => undefined);
  }
}

/** Commits that share a write and a sync. */
class Group {
  readonly done = new Deferred();
  readonly writes: ReadonlyMap<string, string | null>[] = [];
  chars = 0;

  constructor(readonly record: RecordWriter) {}

  add(writes: ReadonlyMap<string, string | null>): void {
    this.record.add(writes);
    this.writes.push(writes);
    for (const [key, value] of writes) this.chars += charsOf(key, value);
  }
}
