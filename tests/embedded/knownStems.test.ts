import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { KnownStems } from "../../embedded/storage/knownStems";
import { LogStore } from "../../embedded/storage/logStore";
import { Memtable, PART_CHARS } from "../../embedded/storage/memtable";
import { SheafLayout } from "../../embedded/storage/sheaf";
import { Database } from "../../embedded/transaction/database";
import { IndexBuild } from "../../embedded/transaction/indexBuild";
import { readRows } from "../../embedded/transaction/query";
import { Transaction } from "../../embedded/transaction/transaction";
import { int64Json, type Json } from "../../embedded/values/json";
import { WritesWithSheaves } from "./sheaves";
import { SMALL_LOG } from "./storageSizes";

let root: string;
let folders = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "known-stems-test-"));
});
afterAll(() => rm(root, { recursive: true }));

const newFile = async () => join(await mkdtemp(join(root, `folder${folders++}`)), "data.mdb");

const TAIL = 25;

/** What may follow 32 characters: the end of the text or, in a longer one, a NUL; or the begin of a number behind a shorter one. */
const SEPARATORS = ["\0", "\0\xff", "\xff", "\xff\xff"];

/** As entries of an index stand in the store that begins with an id. */
const stemOf = (meeting: number, user: number) =>
  `\x03\0\0\0\x07\x0c${String(meeting).padStart(32, "m")}${SEPARATORS[user % SEPARATORS.length]}user${user}\0`;
const keyOf = (meeting: number, user: number, version = 0) =>
  stemOf(meeting, user) + String(version).padStart(TAIL, "t");

const meeting = fc.nat({ max: 2 });
const user = fc.nat({ max: 11 });

test("what is said not to be in the database is not there, whatever was brought there, asked for and forgotten", () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("bring" as const),
      rows: fc.array(fc.tuple(meeting, user), { maxLength: 8 }),
    }),
    fc.record({ kind: fc.constant("ask" as const), meeting, times: fc.integer({ min: 1, max: 12 }) }),
  );
  let found = 0;
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 30 }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 4 }),
      (steps, mostStems, mostGroups) => {
        const database = new Map<string, string>();
        const read = (start: string, end: string, limit: number) =>
          [...database].filter(([key]) => key >= start && key < end).slice(0, limit);
        const known = new KnownStems(read, mostStems, mostGroups);
        for (const one of steps) {
          if (one.kind === "bring") {
            const generation = new Memtable();
            const rows = one.rows.map(([m, u]) => [keyOf(m, u), ""] as const);
            generation.add(new Map(rows));
            for (const [key] of rows) database.set(key, "");
            known.absorb(generation);
          } else {
            for (let i = 0; i < one.times; i++) known.missed(stemOf(one.meeting, 99), TAIL);
          }
          for (let m = 0; m <= 2; m++) {
            for (let u = 0; u <= 11; u++) {
              if (!known.lacks(stemOf(m, u), TAIL)) continue;
              found++;
              expect([m, u, database.has(keyOf(m, u))]).toEqual([m, u, false]);
            }
          }
        }
      },
    ),
  );
  expect(found).toBeGreaterThan(1000);
});

test("a store finds by their beginnings the entries that are there and no others, however often it is asked", async () => {
  const step = fc.record({ meeting, user, isThere: fc.boolean(), isSheaf: fc.boolean() });
  const layout = new SheafLayout(2, [{ prefix: stemOf(0, 0).slice(0, PART_CHARS), parts: [0, 1] }]);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      const path = await newFile();
      let store = await LogStore.open(path, SMALL_LOG);
      const model = new Map<string, string>();
      const check = () => {
        for (let m = 0; m <= 2; m++) {
          for (let u = 0; u <= 11; u++) {
            const stem = stemOf(m, u);
            const key = model.get(stem);
            const entries = store.take(stem, `${stem}\xff`, "asc", 2, TAIL);
            expect([m, u, entries]).toEqual([m, u, key === undefined ? [] : [[key, ""]]]);
          }
        }
      };
      for (const [version, { meeting: m, user: u, isThere, isSheaf }] of steps.entries()) {
        const stem = stemOf(m, u);
        // Long enough that every few commits are brought into the database.
        const writes = new Map<string, string | null>([["other", "o".repeat(700)]]);
        const before = model.get(stem);
        if (before !== undefined) writes.set(before, null);
        model.delete(stem);
        const key = keyOf(m, u, version);
        const parts = [stem.slice(PART_CHARS), key.slice(stem.length)];
        const isInSheaf = isThere && isSheaf;
        if (isThere && !isSheaf) writes.set(key, "");
        if (isThere) model.set(stem, key);
        await store.commit(new WritesWithSheaves(isInSheaf ? [{ layout, parts }] : [], [...writes]));
        check();
      }
      await store.close();
      store = await LogStore.open(path, SMALL_LOG);
      check();
      await store.close();
    }),
    { numRuns: 20 },
  );
});

test("a store that was asked for many that are not in a large group finds all that are", async () => {
  const path = await newFile();
  const rows = Array.from({ length: 600 }, (_, u) => u);
  const filling = await LogStore.open(path, SMALL_LOG);
  await filling.commit(new Map(rows.map((u) => [keyOf(1, u), ""])));
  await filling.close();

  const store = await LogStore.open(path, SMALL_LOG);
  const countOf = (u: number) => store.take(stemOf(1, u), `${stemOf(1, u)}\xff`, "asc", 2, TAIL).length;
  for (let u = 1000; u < 2200; u++) expect([u, countOf(u)]).toEqual([u, 0]);
  for (const u of rows) expect([u, countOf(u)]).toEqual([u, 1]);
  await store.commit(
    new Map([
      [keyOf(1, 1000), ""],
      [keyOf(1, 0), null],
    ]),
  );
  // What is committed next brings that into the database.
  for (let i = 0; i < 20; i++) await store.commit(new Map([[`other${i}`, "o".repeat(500)]]));
  expect([0, 1, 1000, 1001].map(countOf)).toEqual([0, 1, 1, 0]);
  await store.close();
});

const INFINITE = { $float: "AAAAAAAA8H8=" };

test.each<[what: string, first: string, second: Json]>([
  ["an id", "org_01HZY3K6WJ8Q9V5T2M4N7R0ABCDE", 1],
  ["a text whose 32nd character is NUL", `${"x".repeat(31)}\0y`, 1],
  ["a text of 26 characters before a negative number", "01HZY3K6WJ8Q9V5T2M4N7R0ABC", -1],
  ["a text of 30 characters before a negative integer", "org_01HZY3K6WJ8Q9V5T2M4N7R0ABC", int64Json(-1n)],
  ["a text of 30 characters before a positive number", "org_01HZY3K6WJ8Q9V5T2M4N7R0ABC", 1],
  ["a text of 30 characters before infinity", "org_01HZY3K6WJ8Q9V5T2M4N7R0ABC", INFINITE],
])("a document is found behind %s, however often others were looked for", async (_, first, second) => {
  const path = await newFile();
  const filling = await Database.open(await LogStore.open(path));
  const index = { name: "by_all", fields: ["first", "second", "name"] };
  const build = new IndexBuild(filling, new Map([["", new Map([["items", [index]]])]]), new Map());
  await build.done;
  await build.finish([]);
  const transaction = new Transaction(filling, null);
  transaction.insert("items", { first, second, name: "there" });
  transaction.commit();
  await filling.close();

  const database = await Database.open(await LogStore.open(path));
  const countOf = (name: string) => {
    const equal = Object.entries({ first, second, name });
    const range = equal.map(([fieldPath, value]) => ({ type: "Eq", fieldPath, value }) as const);
    const source = { type: "IndexRange" as const, indexName: "items.by_all", range, order: null };
    return readRows(new Transaction(database, null), { source, operators: [{ limit: 2 }] }).length;
  };
  for (let i = 0; i < 8; i++) expect(countOf(`absent ${i}`)).toBe(0);
  expect(countOf("there")).toBe(1);
  await database.close();
});
