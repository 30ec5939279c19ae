import { randomBytes } from "node:crypto";
import { cpSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { FreshGroups } from "../../embedded/storage/freshGroups";
import { KnownStems } from "../../embedded/storage/knownStems";
import { LogStore } from "../../embedded/storage/logStore";
import { PART_CHARS } from "../../embedded/storage/memtable";
import { SheafLayout, type Sheaf } from "../../embedded/storage/sheaf";
import type { Store } from "../../embedded/storage/store";
import { Database } from "../../embedded/transaction/database";
import { IndexBuild } from "../../embedded/transaction/indexBuild";
import { readRows } from "../../embedded/transaction/query";
import { Transaction } from "../../embedded/transaction/transaction";
import { int64Json, type Json } from "../../embedded/values/json";
import { WritesWithSheaves } from "./sheaves";
import { SMALL_LOG, SMALL_LOG_WITH_THREAD } from "./storageSizes";

let root: string;
let folders = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "known-stems-test-"));
});
afterAll(() => rm(root, { recursive: true }));

const newFile = async () => join(await mkdtemp(join(root, `folder${folders++}`)), "data.mdb");

const TAIL = 25;

/** The index, 32 characters with a tag, and the end of these. */
const GROUP_CHARS = 39;

/** What may follow 32 characters: the end of the text or, in a longer one, a NUL; or the begin of a number behind a shorter one. */
const SEPARATORS = ["\0", "\0\xff", "\xff", "\xff\xff"];

/** As entries of an index stand in the store that begins with an id. */
const stemOf = (meeting: number, user: number) =>
  `\x03\0\0\0\x07\x0c${String(meeting).padStart(32, "m")}${SEPARATORS[user % SEPARATORS.length]}user${user}\0`;
const keyOf = (meeting: number, user: number, version = 0) =>
  stemOf(meeting, user) + String(version).padStart(TAIL, "t");

/** How many entries with a stem somebody finds who asks for so many. */
const countIn = (store: Store, stem: string, limit: number) =>
  store.take(stem, `${stem}\xff`, "asc", limit, TAIL).length;

const meeting = fc.nat({ max: 2 });
const user = fc.nat({ max: 11 });

/** The entries of index 7 are made of a first part, which tells the meeting or only the beginning of it, and the rest. */
const layoutOf = (firstChars: number, lastChars: number) => {
  const prefix = stemOf(0, 0).slice(0, PART_CHARS);
  const layout = new SheafLayout(3, [{ prefix, parts: [0, 1, 2] }]);
  return (key: string): Sheaf => {
    const split = PART_CHARS + firstChars;
    return {
      layout,
      parts: [key.slice(PART_CHARS, split), key.slice(split, -lastChars), key.slice(-lastChars)],
    };
  };
};
/** As those of documents are; with too little in the first part; and with some of the tail in the second. */
const sheaves = {
  sheaf: layoutOf(34, TAIL),
  "short sheaf": layoutOf(20, TAIL),
  "split sheaf": layoutOf(34, TAIL - 5),
};

test("what is known of a stem is true, whatever was written, deleted, undone, asked for and forgotten", () => {
  const row = fc.record({
    meeting,
    user,
    as: fc.constantFrom("key", "sheaf", "short sheaf", "split sheaf", "deleted"),
  });
  const step = fc.oneof(
    fc.record({ kind: fc.constant("write" as const), rows: fc.array(row, { maxLength: 8 }) }),
    fc.record({ kind: fc.constant("undo" as const) }),
    fc.record({ kind: fc.constant("read" as const), meeting }),
    fc.record({ kind: fc.constant("ask" as const), meeting, times: fc.integer({ min: 1, max: 12 }) }),
  );
  const known = { absent: 0, present: 0 };
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 30 }),
      fc.integer({ min: 128, max: 2048 }),
      fc.integer({ min: 1, max: 8 }),
      (steps, mostBytes, mostGroups) => {
        let entries = new Map<string, string>();
        let before = entries;
        const read = (start: string, end: string, limit: number) =>
          [...entries].filter(([key]) => key >= start && key < end).slice(0, limit);
        const stems = new KnownStems(read, new FreshGroups(), mostBytes, mostGroups, 1);
        const check = (m: number, u: number) => {
          const stem = stemOf(m, u);
          const there = [...entries].filter(([key]) => key.startsWith(stem));
          const said = stems.get(stem, TAIL);
          const claimed = said === undefined ? there : said === null ? [] : [said];
          expect([m, u, claimed]).toEqual([m, u, there]);
          if (said === undefined) stems.lookedFor(stem, TAIL, there);
          else if (said === null) known.absent++;
          else known.present++;
        };
        for (const [version, one] of steps.entries()) {
          if (one.kind === "write") {
            before = new Map(entries);
            for (const { meeting: m, user: u, as } of one.rows) {
              const stem = stemOf(m, u);
              const old = [...entries.keys()].find((key) => key.startsWith(stem));
              if (old !== undefined) stems.written(old);
              if (old !== undefined) entries.delete(old);
              if (as === "deleted") continue;
              const key = keyOf(m, u, version);
              if (as === "key") stems.written(key);
              else stems.writtenSheaf(sheaves[as](key));
              entries.set(key, "");
            }
          } else if (one.kind === "undo") {
            entries = before;
            before = new Map(entries);
            stems.undone();
          } else if (one.kind === "read") {
            const start = stemOf(one.meeting, 0).slice(0, GROUP_CHARS);
            stems.rangeRead(start, `${start}\xff`, read(start, `${start}\xff`, Infinity));
          } else {
            for (let i = 0; i < one.times; i++) check(one.meeting, one.times % 2 === 0 ? 96 : 98);
          }
          for (let m = 0; m <= 2; m++) for (let u = 0; u <= 11; u++) check(m, u);
        }
      },
    ),
  );
  expect(known.absent).toBeGreaterThan(300);
  expect(known.present).toBeGreaterThan(50);
});

test("what is there again, as its delete was undone, is not taken to be missing by who has read the group meanwhile", () => {
  const stems = new KnownStems(() => [], new FreshGroups());
  for (let i = 0; i < 7; i++) stems.lookedFor(stemOf(1, 0), TAIL, []);
  stems.written(keyOf(1, 4));
  stems.lookedFor(stemOf(1, 0), TAIL, []);
  expect(stems.get(stemOf(1, 4), TAIL)).toBeNull();
  stems.undone();
  expect(stems.get(stemOf(1, 4), TAIL)).toBeUndefined();
});

test("who has read all of a group knows what is not there", () => {
  const rows = Array.from({ length: 100 }, (_, u) => keyOf(1, 4 * u));
  const stems = new KnownStems(() => [], new FreshGroups());
  const start = stemOf(1, 0).slice(0, GROUP_CHARS);
  stems.lookedFor(stemOf(2, 0), TAIL, []);
  expect(stems.get(stemOf(1, 1000), TAIL)).toBeUndefined();
  stems.rangeRead(
    start,
    `${start}\xff`,
    rows.map((key) => [key, ""]),
  );
  expect(stems.get(stemOf(1, 1000), TAIL)).toBeNull();
  // These go on with what was not in the range.
  expect(stems.get(stemOf(1, 1001), TAIL)).toBeUndefined();
  for (let u = 0; u < 100; u++) expect([u, stems.get(stemOf(1, 4 * u), TAIL)]).toEqual([u, undefined]);
});

test.each(["sheaf", "short sheaf", "split sheaf"] as const)(
  "of a %s whose group has become known since the last one what is there is not taken to be missing",
  (as) => {
    const entries: [string, string][] = [];
    const stems = new KnownStems(() => entries, new FreshGroups());
    const write = (u: number) => {
      stems.writtenSheaf(sheaves[as](keyOf(1, u)));
      entries.push([keyOf(1, u), ""]);
    };
    stems.lookedFor(stemOf(1, 100), TAIL, []);
    write(0);
    for (let i = 0; i < 8; i++) stems.lookedFor(stemOf(1, 100), TAIL, []);
    write(4);
    expect(stems.get(stemOf(1, 100), TAIL)).toBeNull();
    expect([0, 4].map((u) => stems.get(stemOf(1, u), TAIL))).toEqual([undefined, undefined]);
  },
);

test("of a group that has become a hundred times as large since it was read nearly all that is not there is known not to be", () => {
  const entries = new Map<string, string>();
  const stems = new KnownStems(() => [...entries], new FreshGroups());
  for (let u = 0; u < 16; u++) stems.lookedFor(stemOf(1, 2 * u), TAIL, []);
  for (let u = 0; u < 10_000; u++) {
    const key = keyOf(1, u);
    if (u % 2 === 0) stems.written(key);
    else stems.writtenSheaf(sheaves.sheaf(key));
    entries.set(key, "");
  }
  const answers = (first: number) =>
    Array.from({ length: 10_000 }, (_, i) => stems.get(stemOf(1, first + i), TAIL));
  expect(answers(0).filter((answer) => answer !== undefined)).toEqual([]);
  // Half of them go on as no key of the group does.
  expect(answers(10_000).filter((answer) => answer !== null).length).toBeLessThan(5300);
});

test("of a large group of random ids nobody is looked for who is not there", () => {
  const stems = new KnownStems(() => [], new FreshGroups());
  for (let u = 0; u < 16; u++) stems.lookedFor(stemOf(1, 2 * u), TAIL, []);
  const stemOfOne = (id: string) => `${stemOf(1, 0).slice(0, GROUP_CHARS)}\x0c${id}\0`;
  const randomIds = (count: number) => Array.from({ length: count }, () => randomBytes(16).toString("hex"));
  const there = randomIds(60_000);
  for (const id of there) stems.written(stemOfOne(id) + "t".repeat(TAIL));
  expect(there.filter((id) => stems.get(stemOfOne(id), TAIL) !== undefined)).toEqual([]);
  // Of so many pairs five or six have a hash of 32 bits in common.
  expect(randomIds(400_000).filter((id) => stems.get(stemOfOne(id), TAIL) !== null)).toEqual([]);
});

test("a store finds by their beginnings the entries that are there and no others, however often it is asked", async () => {
  const step = fc.record({ meeting, user, isThere: fc.boolean(), isSheaf: fc.boolean() });
  const first = stemOf(0, 0).slice(0, GROUP_CHARS);
  const behind = `${stemOf(2, 0).slice(0, GROUP_CHARS)}\xff`;
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
        const inRange = [...model.values()].filter((key) => key >= first && key < behind).toSorted();
        expect(store.take(first, behind, "asc", 100)).toEqual(inRange.map((key) => [key, ""]));
      };
      for (const [version, { meeting: m, user: u, isThere, isSheaf }] of steps.entries()) {
        const stem = stemOf(m, u);
        // Long enough that every few commits are brought into the database.
        const writes = new Map<string, string | null>([["other", "o".repeat(700)]]);
        const before = model.get(stem);
        if (before !== undefined) writes.set(before, null);
        model.delete(stem);
        const key = keyOf(m, u, version);
        const isInSheaf = isThere && isSheaf;
        if (isThere && !isSheaf) writes.set(key, "");
        if (isThere) model.set(stem, key);
        await store.commit(new WritesWithSheaves(isInSheaf ? [sheaves.sheaf(key)] : [], [...writes]));
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

test("what a killed store has in its log alone is found while it is brought into the database", async () => {
  const path = await newFile();
  const rows = Array.from({ length: 200 }, (_, u) => 4 * u);
  // Nothing is brought into the database.
  const killed = await LogStore.open(path, { ...SMALL_LOG, generationBytes: Infinity, mostBytes: Infinity });
  for (const u of rows) await killed.commit(new Map([[keyOf(1, u), ""]]));
  const copy = join(root, `folder${folders++}`);
  cpSync(dirname(path), copy, { recursive: true });
  await killed.close();

  const store = await LogStore.open(join(copy, basename(path)), SMALL_LOG_WITH_THREAD);
  const countOf = (u: number) => countIn(store, stemOf(1, u), 2);
  for (const u of rows) expect([u, countOf(u), countOf(u + 4000)]).toEqual([u, 1, 0]);
  for (let i = 0; i < 20; i++) await store.commit(new Map([[`other${i}`, "o".repeat(500)]]));
  for (const u of rows) expect([u, countOf(u), countOf(u + 4000)]).toEqual([u, 1, 0]);
  await store.close();
});

test("a store that was asked for many that are not in a large group finds all that are", async () => {
  const path = await newFile();
  const rows = Array.from({ length: 600 }, (_, u) => 4 * u);
  const filling = await LogStore.open(path, SMALL_LOG);
  await filling.commit(new Map(rows.map((u) => [keyOf(1, u), ""])));
  await filling.close();

  const store = await LogStore.open(path, SMALL_LOG);
  const countOf = (u: number) => countIn(store, stemOf(1, u), 2);
  for (let u = 4000; u < 8800; u += 4) expect([u, countOf(u)]).toEqual([u, 0]);
  for (const u of rows) expect([u, countOf(u)]).toEqual([u, 1]);
  await store.commit(
    new Map([
      [keyOf(1, 4000), ""],
      [keyOf(1, 0), null],
    ]),
  );
  // What is committed next brings that into the database.
  for (let i = 0; i < 20; i++) await store.commit(new Map([[`other${i}`, "o".repeat(500)]]));
  expect([0, 4, 4000, 4004].map(countOf)).toEqual([0, 1, 1, 0]);
  await store.close();
});

test("what the disk has refused is found no more", async () => {
  const path = await newFile();
  const store = await LogStore.open(path, { ...SMALL_LOG, atOnceBytes: 0 });
  const countOf = (u: number) => countIn(store, stemOf(1, u), 2);
  await store.commit(new Map([["other", ""]]));
  const file = await open(path, "r");
  const files = Object.getPrototypeOf(file) as typeof file;
  await file.close();
  vi.spyOn(files, "writev").mockRejectedValueOnce(new Error("no room"));
  const refused = store.commit(new Map([[keyOf(1, 0), ""]]));
  expect(countOf(0)).toBe(1);
  await expect(refused).rejects.toThrow("no room");
  expect(countOf(0)).toBe(0);
  await store.close();
});

test("a range of which only a part was read is not taken for all of it", async () => {
  const store = await LogStore.open(await newFile(), SMALL_LOG);
  const start = stemOf(1, 0).slice(0, GROUP_CHARS);
  const countOf = (stem: string, limit: number) => countIn(store, stem, limit);
  expect(countOf(stemOf(1, 4000), 2)).toBe(0);
  await store.commit(new Map(Array.from({ length: 200 }, (_, u) => [keyOf(1, 4 * u), ""])));
  expect(store.take(start, `${start}\xff`, "asc", 100)).toHaveLength(100);
  expect(store.take(start, `${start}u`, "asc", 1000)).toHaveLength(0);
  expect(store.take(start, `${start}user5`, "asc", 1000).length).toBeGreaterThan(100);
  for (let u = 0; u < 200; u++) expect([u, countOf(stemOf(1, 4 * u), 2)]).toEqual([u, 1]);

  await store.commit(new Map([[keyOf(1, 0, 1), ""]]));
  expect([1, 2, 1, 3].map((limit) => countOf(stemOf(1, 0), limit))).toEqual([1, 2, 1, 2]);
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
