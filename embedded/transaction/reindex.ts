import type { JsonObject } from "../values/json";
import type { IndexInfo } from "./catalog";
import type { Database } from "./database";
import { indexEntryEnd, indexPrefix, internalIdOfKey, rangeOfPrefix, tablePrefix } from "./keys";
import { entryOf } from "./transaction";

/** `fields` does not name the implicit last fields `_creationTime` and `_id`. */
export type WantedIndex = { readonly name: string; readonly fields: readonly string[] };

/** Writes of one step. A crash between two steps is harmless: the catalog names an index only when it is complete. */
const WRITES_PER_STEP = 10_000;

/**
 * Gives every table exactly the wanted indexes: creates tables, fills new indexes, then makes the new catalog the one in
 * force, and last removes the entries of indexes that are gone. Must not run beside mutations.
 */
export async function reindex(
  database: Database,
  wanted: ReadonlyMap<string, readonly WantedIndex[]>,
): Promise<void> {
  const before = database.catalog;
  let after = before;
  for (const [tableName, indexes] of wanted)
    after = after.withTable(tableName).withIndexes(tableName, indexes);
  for (const { name } of before.allTables()) if (!wanted.has(name)) after = after.withIndexes(name, []);
  const oldIds = indexIds(before.allTables());
  const newIds = indexIds(after.allTables());
  const steps = new Steps(database);
  for (const table of after.allTables()) {
    const added = [...table.indexes.values()].filter((index) => !oldIds.has(index.id));
    // An earlier attempt may have ended half-way.
    for (const index of added) await clear(database, index.id, steps);
    if (added.length > 0) await fill(database, table.number, added, steps);
  }
  await steps.finish();
  if (after.stringify() !== before.stringify()) database.commit([], after);
  await database.durable();
  for (const id of oldIds) if (!newIds.has(id)) await clear(database, id, steps);
  await steps.finish();
}

async function fill(
  database: Database,
  tableNumber: number,
  indexes: readonly IndexInfo[],
  steps: Steps,
): Promise<void> {
  for (const [key, text] of drain(database, tablePrefix(tableNumber))) {
    const document = JSON.parse(text) as JsonObject;
    const end = indexEntryEnd(document["_creationTime"] as number, internalIdOfKey(key));
    for (const index of indexes) await steps.write(entryOf(index, document, end), "");
  }
}

async function clear(database: Database, indexId: number, steps: Steps): Promise<void> {
  for (const [key] of drain(database, indexPrefix(indexId))) await steps.write(key, null);
}

function* drain(database: Database, prefix: string): Generator<[string, string], void, undefined> {
  const { start, end } = rangeOfPrefix(prefix);
  const rows = database.scan(start, end, "asc");
  for (let row = rows.next(); !row.done; row = rows.next()) yield row.value;
}

function indexIds(tables: Iterable<{ indexes: ReadonlyMap<string, IndexInfo> }>): Set<number> {
  const ids = new Set<number>();
  for (const table of tables) for (const index of table.indexes.values()) ids.add(index.id);
  return ids;
}

/** Commits many writes in steps, and waits for each step to be on disk. */
class Steps {
  #writes: [string, string | null][] = [];
  constructor(private readonly database: Database) {}

  async write(key: string, value: string | null): Promise<void> {
    this.#writes.push([key, value]);
    if (this.#writes.length >= WRITES_PER_STEP) await this.finish();
  }

  async finish(): Promise<void> {
    if (this.#writes.length === 0) return;
    this.database.commit(this.#writes);
    this.#writes = [];
    await this.database.durable();
  }
}
