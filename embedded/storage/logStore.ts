import { dirname } from "node:path";
// Not the global one: a test that sets the clock must not stop commits.
import { setImmediate } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import { Additions } from "./additions";
import { Deferred } from "./deferred";
import { DeletedRuns } from "./deletedRuns";
import { FreshGroups } from "./freshGroups";
import { KnownStems } from "./knownStems";
import { LmdbStore } from "./lmdbStore";
import { Log, type LogFileSizes } from "./log";
import { LogApply } from "./logApply";
import { formatMark, NO_MARK, parseMark } from "./logMark";
import { RECORD_HEADER_BYTES } from "./logRecord";
import { recoverLog, type Recovered } from "./logRecovery";
import type { Memtable } from "./memtable";
import type { MemtablePart } from "./memtablePart";
import { mergeScan } from "./mergeScan";
import {
  checkKey,
  firstOf,
  forEachOrSheaf,
  type Order,
  type Snapshot,
  type Store,
  type Writes,
} from "./store";
import { WaitingParts, type WaitingSizes } from "./waitingParts";

type Entry = [key: string, value: string];

/** So often a commit that waits for the database looks how far that should be. */
const LOOK_MS = 2;

/** If so many deleted keys were stepped over, the next one who reads there does not. */
const MANY_HIDDEN = 32;

export type LogSizes = WaitingSizes &
  LogFileSizes & {
    /** The database may be behind by so many bytes, beside the generation that is under way and what waits; then commits wait. */
    readonly mostBytes: number;
    /**
     * And by so many as soon as that is under way; the more of it is done, the more of the others. If these were many, the first commits
     * would not wait at all, and the later ones so much longer.
     */
    readonly freeBytes: number;
    /** A generation of so many bytes is brought into the database by a thread of its own. */
    readonly threadBytes: number;
  };

const SIZES: LogSizes = {
  generationBytes: 10 << 20,
  mostBytes: 36 << 20,
  freeBytes: 256 << 10,
  waitingBytes: 8 << 20,
  waitingGenerations: 8,
  threadBytes: 1 << 20,
  atOnceBytes: 32 << 10,
  fileBytes: 8 << 20,
};

/**
 * A store in a file of LMDB's and a log beside it. A commit is visible at once, in memory and above the database, and done when
 * it is in the log; commits that come meanwhile are a group, which shares one write and one sync. Writes are kept in memory until
 * there are many: these go into the database behind, in the order of their keys, which touches far fewer pages than each commit
 * for itself.
 *
 * There are up to two such generations in memory, one that takes the commits and one that is on its way; some writes stay behind
 * for longer, see {@link WaitingParts}. A log file is removed when all that it has is in the database. After a crash the log is read
 * again and its writes are as they were.
 */
export class LogStore implements Store {
  readonly #filling: Memtable;
  #applying: Memtable | null = null;
  /** The group whose record was still being written when `#applying` was split off; its writes are in `#applying`. */
  #applyingGroup: Group | null = null;
  /** The parts of `#filling` that stay there when a generation goes on its way. */
  readonly #waitingParts: WaitingParts;
  /** What has come after the record of this sequence is in memory, and of what was before it only what waits. */
  #through: number;
  /** The sequence of the last record in the log. */
  #last: number;
  /** Counts what makes an unfinished scan stale. */
  #version = 0;
  /** The one that takes commits. */
  #openGroup: Group | null = null;
  /** The one before it, whose record is not in the log yet. */
  #groupBeingWritten: Group | null = null;
  /** Resolves when the generation that is on its way is in the database. */
  #flush: Promise<void> = Promise.resolve();
  readonly #fresh = new FreshGroups();
  readonly #stems: KnownStems;
  readonly #deleted = new DeletedRuns();

  private constructor(
    private readonly database: LmdbStore,
    private readonly log: Log,
    private readonly apply: LogApply,
    private readonly sizes: LogSizes,
    { writes, last }: Recovered,
  ) {
    this.#filling = writes;
    this.#last = this.#through = this.#fresh.sequence = last;
    this.#waitingParts = new WaitingParts(sizes);
    this.#stems = new KnownStems((start, end, limit) => this.take(start, end, "asc", limit), this.#fresh);
    if (!writes.isEmpty) this.#rotate([]);
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
      if (noted === undefined) database.writeNow([], formatMark(NO_MARK));
      const log = new Log(folder, sizes, recovered.files, recovered.last + 1);
      return new LogStore(
        database,
        log,
        new LogApply(database, mark.applied, sizes.threadBytes),
        sizes,
        recovered,
      );
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

  take(start: string, end: string | null, order: Order, limit: number, tail?: number): Entry[] {
    if (tail === undefined) {
      const [from, to] = this.#deleted.narrow(start, end, order);
      const all = to !== null && from >= to ? [] : this.#take(from, to, order, limit);
      if (all.length < limit) this.#stems.rangeRead(start, end, all);
      return all;
    }
    const known = this.#stems.get(start, tail);
    if (known !== undefined) return known === null || limit === 0 ? [] : [known];
    const entries = this.#take(start, end, order, limit, tail);
    if (entries.length < limit) this.#stems.lookedFor(start, tail, entries);
    return entries;
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
    if (this.#applying) layers.push(this.#applying.keep());
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

  commit(writes: Writes): Promise<void> {
    // The group that is on its way to the disk is the next one, and this one may be behind it.
    this.#fresh.sequence = this.#last + 2;
    try {
      forEachOrSheaf(
        writes,
        (_, key) => {
          checkKey(key);
          this.#stems.written(key);
        },
        // The keys are not long enough to be wrong.
        (sheaf) => this.#stems.writtenSheaf(sheaf),
      );
    } catch (error) {
      return Promise.reject(error as Error);
    }
    const group = this.#openGroup ?? this.#begin();
    group.add(writes);
    if (!this.#deleted.isEmpty) {
      writes.forEach((value, key) => {
        if (value !== null) this.#deleted.written(key);
      });
    }
    this.#version++;
    return group.done.promise;
  }

  async close(): Promise<void> {
    for (let group = this.#lastGroup; group; group = this.#lastGroup)
      await group.done.promise.catch(() => undefined);
    this.apply.close();
    try {
      // What has waited may have been undone since; that nothing waits any more must be noted in the database.
      const isBehind = () => !this.#filling.isEmpty || this.apply.applied < this.#through;
      for (; this.#applying || isBehind(); await this.#flush) if (!this.#applying) this.#rotate([]);
    } catch {
      // What the database did not take is in the log.
    }
    await this.log.close();
    if (!this.#applying) await this.#release(this.#last);
    await this.log.removeSpares();
    await this.apply.end();
    await this.database.close();
  }

  get #lastGroup(): Group | null {
    return this.#openGroup ?? this.#groupBeingWritten;
  }

  #take(start: string, end: string | null, order: Order, limit: number, tail?: number): Entry[] {
    if (this.#isStored(start, end, tail)) return this.database.take(start, end, order, limit);
    const newer = this.#filling.take(start, end, order, limit, tail);
    const older = this.#applying?.take(start, end, order, limit, tail) ?? [];
    const inMemory = newer.length + older.length;
    if (inMemory === 0) return this.database.take(start, end, order, limit);
    const isDeleted = ([, value]: readonly [string, string | null]) => value === null;
    const deletes = newer.some(isDeleted) || older.some(isDeleted);
    // Behind the last of those there may be more writes, and what is deleted makes room for them.
    const goesOn = newer.length === limit || older.length === limit;
    if (goesOn && deletes) return firstOf(this.scan(start, end, order), limit);
    const stored = this.database.take(start, end, order, limit + inMemory);
    if (!deletes && older.length + stored.length === 0) return newer as Entry[];
    const merged = mergeScan(
      [newer, older, stored].map((layer) => layer.values()),
      order,
    );
    return firstOf(merged, limit);
  }

  /** Whether the database has all there is in a range. `tail`: see {@link Store.take}. */
  #isStored(start: string, end: string | null, tail: number | undefined): boolean {
    if (this.#fresh.mayHave(start, this.apply.applied)) return false;
    return tail !== undefined || end?.startsWith(start) === true;
  }

  /** Nothing is held by it that a commit or the end of a generation could change unnoticed, see `#version`. */
  #scanNow(wantedStart: string, wantedEnd: string | null, order: Order): Iterator<Entry, unknown, undefined> {
    const [start, end] = this.#deleted.narrow(wantedStart, wantedEnd, order);
    if (end !== null && start >= end) return [].values();
    const stored = this.database.scan(start, end, order);
    const layers = [];
    if (this.#filling.touches(start, end)) layers.push(this.#filling.scan(start, end, order));
    if (this.#applying?.touches(start, end)) layers.push(this.#applying.scan(start, end, order));
    if (layers.length === 0) return stored;
    return mergeScan([...layers, stored], order, (first, hidden) => {
      if (hidden < MANY_HIDDEN) return;
      const from = order === "asc" || first === undefined ? start : `${first}\0`;
      const to = order === "asc" ? (first ?? end) : end;
      if (to !== null) this.#deleted.note(from, to);
    });
  }

  /** How much has come in since a generation went on its way. */
  get #newBytes(): number {
    return this.#filling.bytes - this.#waitingParts.bytes;
  }

  /** Begins a group. */
  #begin(): Group {
    if (!this.#applying && this.#newBytes >= this.sizes.generationBytes) this.#rotate(this.#filling.parts);
    const group = new Group(this.#filling);
    this.#openGroup = group;
    // Not at once: other commits of this turn get into the same group.
    if (!this.#groupBeingWritten) setImmediate(() => void this.#write());
    return group;
  }

  async #write(): Promise<void> {
    for (let group = this.#openGroup; group; group = this.#openGroup) {
      this.#openGroup = null;
      this.#groupBeingWritten = group;
      try {
        const record = group.close();
        await this.#makeRoom(group, this.#newBytes);
        group.sequence = this.#last = await this.log.append(record);
        group.done.resolve();
      } catch (error) {
        this.#refuse(group, error);
      }
      this.#groupBeingWritten = null;
    }
  }

  /** Undoes a group that could not be written, and the one behind it, which may build on what is not there now. */
  #refuse(group: Group, error: unknown): void {
    const behind = this.#openGroup;
    this.#openGroup = null;
    behind?.undo();
    group.undo();
    this.#deleted.clear();
    this.#stems.undone();
    this.#version++;
    group.done.reject(error);
    behind?.done.reject(error);
  }

  /**
   * Lets commits come in as fast as the generation that is under way goes out, so that none of them has to wait for all of it.
   *
   * @param bytes how much has come in since that was sent on its way, up to this group
   */
  async #makeRoom(group: Group, bytes: number): Promise<void> {
    const { freeBytes, mostBytes } = this.sizes;
    const { apply } = this;
    const room = () => (apply.isRefused ? mostBytes : freeBytes + (mostBytes - freeBytes) * apply.share);
    // The group itself may be under way, once what was before it is done.
    while (this.#applying && this.#applyingGroup !== group && bytes > room()) {
      try {
        const news = [apply.progress(), this.#flush];
        await Promise.race(apply.isRefused ? news : [...news, sleep(LOOK_MS)]);
      } catch (error) {
        if (bytes > mostBytes) throw error;
      }
    }
  }

  /** Sends what there is in memory on its way to the database, but for those of these parts that are chosen to wait. */
  #rotate(parts: readonly MemtablePart[]): void {
    const staying = this.#waitingParts.choose(parts, this.#through + 1);
    this.#applyingGroup = this.#groupBeingWritten;
    this.#applying = this.#filling.moveOut(staying);
    this.#flush = this.#applyGeneration(this.#applying, this.#last, this.#waitingParts.since - 1);
    // Only `close` can do something about its failure.
    this.#flush.catch(() => undefined);
  }

  /** @param complete up to this sequence nothing stays behind */
  async #applyGeneration(generation: Memtable, last: number, complete: number): Promise<void> {
    const group = this.#applyingGroup;
    // Its writes go on if they come into the log.
    await group?.done.promise.catch(() => undefined);
    const through = (this.#through = group?.sequence ?? last);
    const applied = Math.min(through, complete);
    await this.apply.apply(generation, through, applied);
    this.#fresh.forget(applied);
    this.#applying = null;
    this.#applyingGroup = null;
    this.#version++;
    // What is left to step over is less, and whoever writes must not look here for ever.
    this.#deleted.clear();
    generation.release();
    await this.#release(applied);
  }

  async #release(through: number): Promise<void> {
    // A file that can't be removed is tried again with the next one, and at the next start.
    await this.log.release(through).catch(() => undefined);
  }
}

/** Commits that share a write and a sync. */
class Group {
  readonly done = new Deferred();
  /** Of its record, as soon as that is in the log. */
  sequence: number | null = null;
  readonly #added = new Additions();
  #problem: Error | null = null;

  constructor(private readonly memtable: Memtable) {}

  /** Adds all writes of a commit, which are visible then. If they can't all be added {@link close} throws. */
  add(writes: Writes): void {
    try {
      this.memtable.add(writes, this.#added);
    } catch (error) {
      this.#problem ??= error as Error;
    }
  }

  /** The bytes of its record, with room for the header, when nothing is added any more. */
  close(): Buffer[] {
    if (this.#problem !== null) throw this.#problem;
    const bytes = this.#added.bytes();
    this.#added.makeReady();
    return [Buffer.alloc(RECORD_HEADER_BYTES), ...bytes];
  }

  /** Takes all of its writes back; nothing may have been written after them. */
  undo(): void {
    this.#added.undo();
  }
}
