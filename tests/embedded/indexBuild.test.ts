import fc from "fast-check";
import { setImmediate } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import { listOf, type Store } from "../../embedded/storage/store";
import { CATALOG_KEY, Database } from "../../embedded/transaction/database";
import { DocumentFields } from "../../embedded/transaction/documentText";
import {
  clearPrefix,
  IndexBuild,
  OvertakenError,
  removeOrphans,
  type Inspect,
} from "../../embedded/transaction/indexBuild";
import {
  indexEntryEnd,
  indexPrefix,
  internalIdOf,
  rangeOfPrefix,
  tablePrefix,
} from "../../embedded/transaction/keys";
import { entryOf } from "../../embedded/transaction/indexEntries";
import { Transaction, type DocumentRules } from "../../embedded/transaction/transaction";
import type { JsonObject } from "../../embedded/values/json";
import { sizeOf } from "../../embedded/values/size";

const BY_A = new Map([["", new Map([["items", [{ name: "by_a", fields: ["a"] }]]])]]);
/** Documents with a field `a` of any kind, which are written without being looked at closely. */
const ANY_A: DocumentRules = {
  check: () => null,
  fields: () => DocumentFields.of([{ name: "a", optional: false, measure: sizeOf }]),
};
const NO_CHECKS = new Map<string, Map<string, Inspect>>();
/** So many that a build takes several slices. */
const DOCUMENTS = 12_000;
/** So many that not all are done while the first slice is on its way to the disk, however fast the machine: two slices of 10,000 are made. */
const DOCUMENTS_OF_SLICES = 25_000;

afterEach(() => vi.restoreAllMocks());

async function databaseOf(
  documents: number,
): Promise<{ store: MemoryStore; database: Database; ids: string[] }> {
  const store = new MemoryStore();
  const database = await Database.open(store);
  const ids: string[] = [];
  for (let i = 0; i < documents; i += 10_000) {
    const transaction = new Transaction(database, null);
    for (let n = i; n < Math.min(documents, i + 10_000); n++)
      ids.push(transaction.insert("items", { a: n % 100 }));
    transaction.commit();
  }
  await database.durable();
  return { store, database, ids };
}

function keys(database: Database, prefix: string): string[] {
  const { start, end } = rangeOfPrefix(prefix);
  const rows = database.scan(start, end, "asc");
  const found: string[] = [];
  for (let row = rows.next(); !row.done; row = rows.next()) found.push(row.value[0]);
  return found;
}

/** The entries that the index must have, in their order, by the documents that are there. */
function expectedEntries(database: Database): string[] {
  const table = database.catalog.table("", "items");
  const index = table?.indexes.get("by_a");
  if (!table || !index) throw new Error("There is no index by_a");
  return keys(database, tablePrefix(table.tablet))
    .map((key) => {
      const document = JSON.parse(database.get(key) ?? "") as JsonObject;
      const { _id, _creationTime } = document as { _id: string; _creationTime: number };
      return entryOf(index, document, indexEntryEnd(_creationTime, internalIdOf(_id)));
    })
    .toSorted((a, b) => (a < b ? -1 : 1));
}

function indexId(database: Database): number {
  return database.catalog.table("", "items")?.indexes.get("by_a")?.id ?? -1;
}

/** Keys in the space of indexes that are of no index of the catalog. */
function orphans(database: Database): string[] {
  const known = [...database.catalog.allTables()].flatMap(({ byCreationTime, indexes }) =>
    [byCreationTime, ...indexes.values()].map(({ id }) => indexPrefix(id)),
  );
  return keys(database, "\x03").filter((key) => !known.some((prefix) => key.startsWith(prefix)));
}

const write = fc.record({
  kind: fc.constantFrom("insert", "patch", "remove"),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  a: fc.integer({ min: -5, max: 105 }),
});

test("an index that is built while transactions write has an entry for each document that they leave", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(write, { minLength: 1 }), { minLength: 1 }), async (transactions) => {
      const { database, ids } = await databaseOf(DOCUMENTS);
      const build = new IndexBuild(database, BY_A, NO_CHECKS);
      let isDone = false;
      void build.done.then(() => (isDone = true));
      for (let i = 0; !isDone; i++) {
        const transaction = new Transaction(database, null);
        for (const { kind, at, a } of transactions[i % transactions.length] ?? []) {
          const place = Math.floor(at * ids.length);
          const id = ids[place] as string;
          if (kind === "insert") ids.push(transaction.insert("items", { a }));
          else if (kind === "patch") transaction.patch(id, { a }, { operation: "db.patch", system: false });
          else {
            transaction.remove(id, { operation: "db.delete", system: false });
            ids.splice(place, 1);
          }
        }
        transaction.commit();
        await setImmediate();
      }
      await build.finish([]);
      expect(keys(database, indexPrefix(indexId(database)))).toEqual(expectedEntries(database));
      expect(orphans(database)).toEqual([]);
    }),
    { numRuns: 8 },
  );
});

test("a build that is given up leaves no entries, and the next one begins with none", async () => {
  const { database } = await databaseOf(DOCUMENTS);
  const build = new IndexBuild(database, BY_A, NO_CHECKS);
  while (orphans(database).length === 0) await setImmediate();
  await build.abandon(new OvertakenError());
  await expect(build.done).rejects.toThrow("Schema was overwritten by another push.");
  expect(orphans(database)).toEqual([]);
  expect(() => build.finish([])).toThrow(OvertakenError);
  const next = new IndexBuild(database, BY_A, NO_CHECKS);
  await next.done;
  await next.finish([]);
  expect(keys(database, indexPrefix(indexId(database)))).toEqual(expectedEntries(database));
});

test("what a crash has left of a build is removed before transactions run again", async () => {
  const { store, database } = await databaseOf(DOCUMENTS);
  const build = new IndexBuild(database, BY_A, NO_CHECKS);
  await build.done;
  // The process ends here: the index is complete, and nothing says that it is there.
  const reopened = await Database.open(store);
  expect(orphans(reopened)).toHaveLength(DOCUMENTS);
  await removeOrphans(reopened);
  expect(orphans(reopened)).toEqual([]);
});

test.each([
  ["with a new index", BY_A],
  ["that has only documents to check", new Map()],
])("a document that does not fit ends a build %s, also when it is written meanwhile", async (_, wanted) => {
  const { database } = await databaseOf(DOCUMENTS);
  const inspect: Inspect = ({ a }) => (a === "wrong" ? "No." : null);
  const check = new Map([["", new Map([["items", inspect]])]]);
  const build = new IndexBuild(database, wanted, check);
  const transaction = new Transaction(database, ANY_A);
  const id = transaction.insert("items", { a: "wrong" });
  transaction.commit();
  // It is gone before anybody could have come across it.
  const later = new Transaction(database, null);
  later.remove(id, { operation: "db.delete", system: false });
  later.commit();
  await expect(build.done).rejects.toThrow(
    `Document with ID "${id}" in table "items" does not match the schema: No.`,
  );
  expect(orphans(database)).toEqual([]);
});

test("a table that comes while its index is built is in the index", async () => {
  const { database } = await databaseOf(0);
  const build = new IndexBuild(database, BY_A, NO_CHECKS);
  const transaction = new Transaction(database, null);
  transaction.insert("items", { a: 1 });
  transaction.commit();
  await build.done;
  await build.finish([]);
  expect(expectedEntries(database)).toHaveLength(1);
  expect(keys(database, indexPrefix(indexId(database)))).toEqual(expectedEntries(database));
});

test("a build that takes long tells how many documents there are and how many of them are done", async () => {
  const { store } = await databaseOf(DOCUMENTS_OF_SLICES);
  let open = () => undefined as void;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const slow: Store = {
    get: (key) => store.get(key),
    scan: (start, end, order) => store.scan(start, end, order),
    take: (start, end, order, limit) => store.take(start, end, order, limit),
    close: () => store.close(),
    snapshot: () => store.snapshot(),
    commit: async (writes) => {
      await store.commit(writes);
      // The ids of the new indexes are not held up.
      if (!new Map(listOf(writes)).has(CATALOG_KEY)) await gate;
    },
  };
  const database = await Database.open(slow);
  const build = new IndexBuild(database, BY_A, NO_CHECKS);
  expect(build.progress).toEqual({ indexes: 1, indexesDone: 0, documentsDone: 0, documentsTotal: null });
  while (build.progress.documentsTotal === null) await setImmediate();
  expect(build.progress.documentsTotal).toBe(DOCUMENTS_OF_SLICES);
  expect(build.progress.documentsDone).toBeLessThan(DOCUMENTS_OF_SLICES);
  open();
  await build.done;
  expect(build.progress).toMatchObject({ indexesDone: 1, documentsDone: DOCUMENTS_OF_SLICES });
});

test.each([
  ["takes long", 3],
  ["takes longer than a slice", 20],
])("what clears an index looks at each entry once, also where that %s", async (_, stepMs) => {
  const prefix = indexPrefix(77);
  const all = Array.from({ length: 20 }, (_, i) => `${prefix}entry${String(i).padStart(2, "0")}`);
  const store = new MemoryStore();
  await store.commit(new Map(all.map((key) => [key, ""])));
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const seen: string[] = [];
  /** As a store whose file still has what was removed: it steps over that. */
  const slow: Store = {
    get: (key) => store.get(key),
    *scan(start, end) {
      for (const key of all) {
        if (key < start || (end !== null && key >= end)) continue;
        now += stepMs;
        seen.push(key);
        if (seen.length > 10 * all.length) throw new Error("It never ends");
        const value = store.get(key);
        if (value !== undefined) yield [key, value];
      }
    },
    take: (start, end, order, limit) => store.take(start, end, order, limit),
    close: () => store.close(),
    snapshot: () => store.snapshot(),
    commit: (writes) => store.commit(writes),
  };
  const database = await Database.open(slow);
  await clearPrefix(database, prefix);
  expect(seen).toEqual(all);
  expect([...store.scan(prefix, null, "asc")]).toEqual([]);
});
