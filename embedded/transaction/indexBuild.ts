/**
 * Makes the indexes of a database those of another schema while transactions go on: documents are checked and index entries
 * written a slice at a time, and transactions keep the new indexes up to date from the first slice on.
 */
// Not the global ones: a test that sets the clock must not stop a build.
import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import type { JsonObject } from "../values/json";
import { FIRST_TABLET, tableKey, type IndexInfo, type Namespace, type TableInfo } from "./catalog";
import type { Database } from "./database";
import {
  indexEntryEnd,
  indexPrefix,
  internalIdOfKey,
  isDocumentKey,
  rangeOfPrefix,
  tabletOfKey,
  tablePrefix,
} from "./keys";
import { entryOf } from "./indexEntries";

/** `fields` does not name the implicit last fields `_creationTime` and `_id`. */
export type WantedIndex = { readonly name: string; readonly fields: readonly string[] };
export type WantedTables = ReadonlyMap<string, readonly WantedIndex[]>;

/** Something for each table of each namespace, by their names. */
type PerTable<T> = ReadonlyMap<Namespace, ReadonlyMap<string, T>>;

/** Says what is wrong with a document (without its system fields), or `null`. */
export type Inspect = (value: JsonObject) => string | null;

/** A change of the indexes of one table. */
export type IndexDifference = { readonly table: string } & WantedIndex;

/** `documentsTotal`: `null` until they are counted. */
export type BuildProgress = {
  readonly indexes: number;
  readonly indexesDone: number;
  readonly documentsDone: number;
  readonly documentsTotal: number | null;
};

/** A stored document does not fit the new schema. The message is Convex's. */
export class SchemaMismatchError extends Error {
  override readonly name = "SchemaMismatchError";
  constructor(
    readonly namespace: Namespace,
    readonly table: string,
    message: string,
  ) {
    super(message);
  }
}

/** Another build has taken the place of this one. */
export class OvertakenError extends Error {
  override readonly name = "OvertakenError";
  constructor() {
    super("Schema was overwritten by another push.");
  }
}

/** For how long a slice works before the event loop turns. */
const SLICE_MS = 8;
/** A slice ends early with this many writes: they are one commit. */
const SLICE_WRITES = 10_000;
/** Documents are counted only when a build takes longer than this: most builds are over by then. */
const COUNT_AFTER_MS = 1_000;

/** What one table needs: entries of new indexes, a check of its documents, or both. */
type Work = { readonly added: readonly IndexInfo[]; readonly inspect: Inspect | null };

export class IndexBuild {
  readonly #after: (Pick<TableInfo, "namespace" | "name"> & { readonly indexes: readonly IndexInfo[] })[] =
    [];
  /** By the table's key. */
  readonly #added = new Map<string, readonly IndexInfo[]>();
  /** By the table's key. */
  readonly #inspect = new Map<string, Inspect>();
  #state: "building" | "built" | "over" = "building";
  #problem: unknown = null;
  #indexesDone = 0;
  #documentsDone = 0;
  #documentsTotal: number | null = null;
  /** The ids of the new indexes are on disk. */
  readonly #reserved: Promise<void> | undefined;
  readonly #stopWatching: () => void;
  /** Resolves when all is built and checked; rejects with {@link SchemaMismatchError} or {@link OvertakenError}. */
  readonly done: Promise<void>;

  /**
   * Begins at once. `wanted`: the indexes that the tables of each namespace are to have, and no others; namespaces that are not
   * named stay as they are. `inspect`: the tables whose documents must be checked, those that are there and those that are
   * written meanwhile. A database can have one build at a time.
   */
  constructor(
    private readonly database: Database,
    private readonly wanted: PerTable<readonly WantedIndex[]>,
    inspect: PerTable<Inspect>,
  ) {
    for (const [namespace, tables] of inspect) {
      for (const [name, check] of tables) this.#inspect.set(tableKey(namespace, name), check);
    }
    this.#reserve();
    this.#reserved = database.durable();
    database.building = this.#added;
    this.#stopWatching = database.onCommit(({ changed, inserted }) => {
      this.#inspectWritten(changed);
      this.#inspectWritten(inserted);
    });
    this.done = this.#run();
    // Whoever waits sees it; nobody has to.
    this.done.catch(() => undefined);
  }

  get progress(): BuildProgress {
    let indexes = 0;
    for (const added of this.#added.values()) indexes += added.length;
    return {
      indexes,
      indexesDone: this.#indexesDone,
      documentsDone: this.#documentsDone,
      documentsTotal: this.#documentsTotal,
    };
  }

  /**
   * Makes the new indexes those in force, at once and in one commit with `writes`; then removes the entries of those that are
   * gone. To be called when `done` has resolved. Throws if a document was written since that does not fit. The promise resolves
   * when all is on disk.
   */
  finish(writes: Iterable<readonly [string, string | null]>): Promise<void> {
    if (this.#problem !== null) throw this.#problem;
    if (this.#state !== "built") throw new Error("The indexes are not built");
    const { database } = this;
    const before = database.catalog;
    let after = before;
    for (const [namespace, tables] of this.wanted) {
      after = after.withNamespace(namespace);
      for (const { name } of before.tables(namespace))
        if (!tables.has(name)) after = after.withIndexes(namespace, name, []);
    }
    for (const { namespace, name, indexes } of this.#after)
      after = after.withTable(namespace, name).withIndexes(namespace, name, indexes);
    this.#end();
    const notes = [...writes];
    if (notes.length > 0 || after.stringify() !== before.stringify()) database.commit(notes, after);
    const kept = indexIds(after.allTables());
    return this.#remove([...indexIds(before.allTables())].filter((id) => !kept.has(id)));
  }

  async #remove(indexes: readonly number[]): Promise<void> {
    await this.database.durable();
    for (const id of indexes) await clearIndex(this.database, id);
  }

  /** Gives up, for `reason`, and removes what was built. Does nothing once the build is finished. */
  async abandon(reason: unknown): Promise<void> {
    if (this.#state === "over") return;
    this.#problem ??= reason;
    this.#end();
    await this.#remove([...this.#added.values()].flatMap((added) => added.map(({ id }) => id)));
  }

  #end(): void {
    this.#state = "over";
    this.#stopWatching();
    if (this.database.building === this.#added) this.database.building = new Map();
  }

  /** Gives the new indexes ids that nothing else will get, also if the process ends before they are built. */
  #reserve(): void {
    const { catalog } = this.database;
    let nextId = catalog.nextIndexId;
    for (const [namespace, tables] of this.wanted) {
      for (const [table, wanted] of tables) {
        const old = catalog.table(namespace, table)?.indexes;
        const added: IndexInfo[] = [];
        const indexes = wanted.map(({ name, fields }) => {
          const same = old?.get(name);
          if (same && sameFields(same, fields)) return same;
          const index = { id: nextId++, name, fields: [...fields] };
          added.push(index);
          return index;
        });
        this.#after.push({ namespace, name: table, indexes });
        if (added.length > 0) this.#added.set(tableKey(namespace, table), added);
      }
    }
    if (nextId > catalog.nextIndexId) this.database.commit([], catalog.reserving({ nextIndexId: nextId }));
  }

  async #run(): Promise<void> {
    try {
      await Promise.all([turn(), this.#reserved]);
      const counting = setTimeout(() => void this.#count(), COUNT_AFTER_MS);
      try {
        for (const { table, work } of this.#works()) await this.#build(table, work);
      } finally {
        clearTimeout(counting);
      }
      await this.database.durable();
    } catch (error) {
      this.#problem ??= error;
    }
    if (this.#problem !== null) {
      await this.abandon(this.#problem);
      throw this.#problem;
    }
    this.#state = "built";
  }

  #works(): { table: TableInfo; work: Work }[] {
    const works = [];
    // Tables that come later are empty now: transactions write their entries, and what they write is inspected.
    for (const table of this.database.catalog.allTables()) {
      const added = this.#added.get(table.key) ?? [];
      const inspect = this.#inspect.get(table.key) ?? null;
      if (added.length > 0 || inspect !== null) works.push({ table, work: { added, inspect } });
    }
    return works;
  }

  async #build(table: TableInfo, { added, inspect }: Work): Promise<void> {
    const { start, end } = rangeOfPrefix(tablePrefix(table.tablet));
    let from = start;
    let written: Promise<void> | undefined;
    for (let complete = false; !complete;) {
      if (this.#problem !== null) throw this.#problem;
      const endsAt = performance.now() + SLICE_MS;
      const writes: [string, string][] = [];
      const rows = this.database.scan(from, end, "asc");
      while (performance.now() < endsAt && writes.length < SLICE_WRITES) {
        const row = rows.next();
        if (row.done) {
          complete = true;
          break;
        }
        const [key, text] = row.value;
        const document = JSON.parse(text) as JsonObject;
        if (inspect) requireFit(table, document, inspect);
        const entryEnd = indexEntryEnd(document["_creationTime"] as number, internalIdOfKey(key));
        for (const index of added) writes.push([entryOf(index, document, entryEnd), ""]);
        this.#documentsDone++;
        from = `${key}\0`;
      }
      if (writes.length > 0) this.database.commit(writes);
      // One slice may be on its way to the disk while the next one is made, not more.
      await Promise.all([turn(), written]);
      written = this.database.durable();
    }
    await written;
    this.#indexesDone += added.length;
  }

  /** Counts the documents there are to go through. Their entries by creation time are shorter than they are. */
  async #count(): Promise<void> {
    let total = 0;
    for (const { table } of this.#works()) {
      const { start, end } = rangeOfPrefix(indexPrefix(table.byCreationTime.id));
      let from = start;
      for (let complete = false; !complete;) {
        const endsAt = performance.now() + SLICE_MS;
        const rows = this.database.scan(from, end, "asc");
        while (performance.now() < endsAt) {
          const row = rows.next();
          if (row.done) {
            complete = true;
            break;
          }
          total++;
          from = `${row.value[0]}\0`;
        }
        await turn();
        if (this.#state !== "building") return;
      }
    }
    this.#documentsTotal = total;
  }

  #inspectWritten(keys: Iterable<string>): void {
    if (this.#inspect.size === 0 || this.#problem !== null) return;
    for (const key of keys) {
      const table = isDocumentKey(key) ? this.database.catalog.tableByTablet(tabletOfKey(key)) : undefined;
      const inspect = table && this.#inspect.get(table.key);
      const text = inspect && this.database.get(key);
      if (!table || !inspect || text === undefined) continue;
      try {
        requireFit(table, JSON.parse(text) as JsonObject, inspect);
      } catch (error) {
        this.#problem = error;
        return;
      }
    }
  }
}

/** What {@link IndexBuild} will add and remove in a namespace. */
export function indexDifferences(
  database: Database,
  namespace: Namespace,
  wanted: WantedTables,
): { added: IndexDifference[]; removed: IndexDifference[] } {
  const { catalog } = database;
  const added: IndexDifference[] = [];
  const removed: IndexDifference[] = [];
  for (const [table, indexes] of wanted) {
    for (const { name, fields } of indexes) {
      const old = catalog.table(namespace, table)?.indexes.get(name);
      if (!old || !sameFields(old, fields)) added.push({ table, name, fields });
    }
  }
  for (const { name: table, indexes } of catalog.tables(namespace)) {
    for (const { name, fields } of indexes.values()) {
      const kept = wanted.get(table)?.find((index) => index.name === name);
      if (!kept || !sameFields(kept, fields)) removed.push({ table, name, fields });
    }
  }
  return { added, removed };
}

/**
 * Removes what a process has left half-built or half-removed: entries of indexes, and documents of tablets, that no table has.
 * Only before transactions are run.
 */
export async function removeOrphans(database: Database): Promise<void> {
  const { catalog } = database;
  const known = indexIds(catalog.allTables());
  for (const { byCreationTime } of catalog.allTables()) known.add(byCreationTime.id);
  for (let id = 1; id < catalog.nextIndexId; id++) if (!known.has(id)) await clearIndex(database, id);
  for (let tablet = FIRST_TABLET; tablet < catalog.nextTablet; tablet++)
    if (!catalog.tableByTablet(tablet)) await clearPrefix(database, tablePrefix(tablet));
}

function clearIndex(database: Database, indexId: number): Promise<void> {
  return clearPrefix(database, indexPrefix(indexId));
}

/** Removes all that is stored with this prefix, a slice at a time. */
export async function clearPrefix(database: Database, prefix: string): Promise<void> {
  const { start, end } = rangeOfPrefix(prefix);
  // Behind what was removed: the store steps over each entry of that until it is gone from its file as well.
  for (let from = start; ;) {
    const endsAt = performance.now() + SLICE_MS;
    const rows = database.scan(from, end, "asc");
    const writes: [string, null][] = [];
    let row = rows.next();
    while (!row.done) {
      const [key] = row.value;
      writes.push([key, null]);
      from = `${key}\0`;
      // After the first, so that each slice comes further, however long that took.
      if (writes.length === SLICE_WRITES || performance.now() >= endsAt) break;
      row = rows.next();
    }
    if (writes.length > 0) database.commit(writes);
    await database.durable();
    if (row.done) return;
    await turn();
  }
}

function requireFit({ namespace, name: table }: TableInfo, document: JsonObject, inspect: Inspect): void {
  const { _id, _creationTime, ...value } = document;
  const problem = inspect(value);
  if (problem === null) return;
  throw new SchemaMismatchError(
    namespace,
    table,
    `Document with ID "${_id as string}" in table "${table}" does not match the schema: ${problem}`,
  );
}

function sameFields(index: WantedIndex, fields: readonly string[]): boolean {
  return index.fields.length === fields.length && index.fields.every((field, i) => field === fields[i]);
}

function indexIds(tables: Iterable<TableInfo>): Set<number> {
  const ids = new Set<number>();
  for (const table of tables) for (const index of table.indexes.values()) ids.add(index.id);
  return ids;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
