// oxlint-disable vitest/no-standalone-expect -- each step of a random history is checked where it is performed
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareValues, convexToJson, getDocumentSize, type Value } from "convex/values";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi, type MockInstance } from "vitest";
import { Log } from "../../embedded/storage/log";
import { LogStore } from "../../embedded/storage/logStore";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import type { Order, Store } from "../../embedded/storage/store";
import { Database } from "../../embedded/transaction/database";
import { DeveloperError } from "../../embedded/transaction/errors";
import type { RangeExpression } from "../../embedded/transaction/indexRange";
import { LIMITS } from "../../embedded/transaction/limits";
import { QueryStream, readPage, readRows, type SerializedQuery } from "../../embedded/transaction/query";
import { IndexBuild } from "../../embedded/transaction/indexBuild";
import { Transaction, type IdUse } from "../../embedded/transaction/transaction";
import type { Json, JsonObject } from "../../embedded/values/json";
import { convexValue } from "./arbitraryValues";
import { SMALL_LOG } from "./storageSizes";

type Document = JsonObject & { _id: string; _creationTime: number };

/** What a database should hold: documents by id, in the order in which they were inserted. */
type Model = ReadonlyMap<string, { table: Table; document: Document }>;

/** `items` is declared, with an index; `others` comes into being with its first document. */
type Table = "items" | "others";
const INDEX = ["a", "b"];
const SECRET = Buffer.alloc(32, 7);

describe("a transaction", () => {
  test("reads and writes as a plain map of documents does, however few are kept in memory", async () => {
    const histories = fc.array(fc.tuple(operations, fc.boolean()), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(histories, cacheChars, async (history, chars) => {
        const database = await openDatabase(new MemoryStore(), chars);
        let committed: Model = new Map();
        for (const [steps, commits] of history) {
          const session = new Session(database, committed);
          for (const step of steps) session.perform(step);
          if (commits) committed = session.commit();
          expect(contents(database)).toEqual(expected(committed));
        }
        await database.durable();
        expect(contents(database)).toEqual(expected(committed));
      }),
      { numRuns: 300 },
    );
  });

  test("reads as many bytes as Convex counts, and no more of them than it may", async () => {
    const value = fc.oneof(
      convexValue,
      fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 100 }),
      fc.nat({ max: 100 }).map((length) => "の".repeat(length)),
    );
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { maxLength: 8 }),
        fc.nat({ max: 1500 }),
        async (values, bytesRead) => {
          const database = await openDatabase(new MemoryStore());
          const writing = new Transaction(database, null);
          const ids = values.map((one) => writing.insert("others", { value: convexToJson(one) as Json }));
          writing.commit();
          const transaction = new Transaction(database, null);
          transaction.usage.limits = { ...LIMITS, bytesRead };
          let total = 0;
          const totals = values.map((one) => (total += getDocumentSize({ value: one })));
          const fitting = totals.filter((bytes) => bytes <= bytesRead).length;
          const read: string[] = [];
          let problem = "";
          try {
            for (const id of ids) if (transaction.get(id, use("db.get"))) read.push(id);
          } catch (error) {
            problem = (error as Error).message.slice(0, "Too many bytes read".length);
            refused++;
          }
          expect(problem).toBe(total > bytesRead ? "Too many bytes read" : "");
          expect(read).toEqual(ids.slice(0, fitting));
          expect(transaction.usage.report().bytesRead.used).toBe(totals[fitting] ?? total);
        },
      ),
    );
    expect(refused).toBeGreaterThan(5);
  });
});

describe("a range of strings", () => {
  test.each<[string, RangeExpression[], string[]]>([
    ["equal", [{ type: "Eq", fieldPath: "a", value: "x" }], ["x"]],
    ["greater", [{ type: "Gt", fieldPath: "a", value: "x" }], ["x\0", "x\0y", "xy"]],
    ["less or equal", [{ type: "Lte", fieldPath: "a", value: "x" }], ["", "x"]],
    ["less", [{ type: "Lt", fieldPath: "a", value: "x\0y" }], ["", "x", "x\0"]],
  ])("tells what is %s from what goes on with a zero character", async (_name, range, wanted) => {
    const transaction = Transaction.notingReads(await openDatabase(new MemoryStore()));
    for (const value of ["xy", "x\0y", "x\0", "x", ""]) transaction.insert("items", { a: value });
    const found = read(transaction, { table: "items", range, order: "asc" });
    expect(found.map((document) => document["a"])).toEqual(wanted);
  });
});

test("documents are found by fields of any length", async () => {
  const folder = await mkdtemp(join(tmpdir(), "transaction-test-"));
  const path = join(folder, "data.mdb");
  const database = await openDatabase(await LogStore.open(path, SMALL_LOG));
  const lengths = [...Array.from({ length: 20 }, (_, i) => 245 + i), 1_000, 70_000];
  const transaction = new Transaction(database, null);
  for (const length of lengths) transaction.insert("items", { a: "x".repeat(length), b: length });
  transaction.commit();
  const lengthsFound = (reading: Database) =>
    lengths.map((length) => {
      const range: RangeExpression[] = [{ type: "Eq", fieldPath: "a", value: "x".repeat(length) }];
      const found = read(Transaction.notingReads(reading), { table: "items", range, order: "asc" });
      return found.map((document) => document["b"]);
    });
  const expectedLengths = lengths.map((length) => [length]);
  expect(lengthsFound(database)).toEqual(expectedLengths);
  await database.close();
  const reopened = await Database.open(await LogStore.open(path, SMALL_LOG));
  expect(lengthsFound(reopened)).toEqual(expectedLengths);
  await reopened.close();
  await rm(folder, { recursive: true });
});

describe("a query of many rows", () => {
  test.each<Order>(["asc", "desc"])(
    "gives as many as it is asked for (%s), at once as one by one",
    async (order) => {
      const database = await openDatabase(new MemoryStore());
      const transaction = new Transaction(database, null);
      for (let i = 0; i < 300; i++) transaction.insert("items", { a: i % 2, b: i });
      transaction.commit();
      const writing = Transaction.notingReads(database);
      const byA: Query = { table: "items", range: [{ type: "Eq", fieldPath: "a", value: 1 }], order };
      const all: Query = { table: "items", range: null, order };
      expect(readRows(writing, serialize(all))).toHaveLength(300);
      const [first] = readRows(writing, serialize(all, 1));
      writing.remove((JSON.parse(first?.text ?? "") as Document)._id, use("db.delete"));
      for (const limit of [undefined, 127, 128, 129, 149, 150, 151, 256, 257, 299, 300]) {
        expectSame(writing, serialize(all, limit));
        expectSame(writing, serialize(byA, limit));
      }
    },
  );
});

describe("a database whose disk is slow and sometimes refuses", () => {
  /** Many generations, and nothing waits for the database behind the log. */
  const sizes = { ...SMALL_LOG, mostBytes: Infinity, freeBytes: Infinity };
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "transaction-test-"));
  });
  afterAll(() => rm(root, { recursive: true }));

  test("shows what was committed, and loses exactly what was pending when the disk refused", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(diskStep, { maxLength: 30 }), cacheChars, async (history, chars) => {
        const path = join(await mkdtemp(join(root, "data-")), "data.mdb");
        const database = await openDatabase(await LogStore.open(path, sizes), chars);
        const states = new States();
        const log = new HeldLog(() => states.startWriting());

        const step = async (action: DiskStep) => {
          if (typeof action === "string") {
            const ended = log.settle(action);
            if (ended) states.endWriting(action);
            await ended;
          } else {
            const session = new Session(database, states.committed);
            for (const operation of action) session.perform(operation);
            states.commit(session.commit(), session.hasWritten, database.durable());
          }
          await eventLoopTurn();
          expect(contents(database)).toEqual(expected(states.committed));
        };

        for (const action of history) await step(action);
        // One group may be on its way to the disk and another one behind it.
        await step("accept");
        await step("accept");
        expect(database.durable()).toBeUndefined();
        expect(contents(database)).toEqual(expected(states.written));
        await states.checkAnswers();
        log.release();
        await database.close();
        const reopened = await Database.open(await LogStore.open(path, sizes));
        expect(contents(reopened)).toEqual(expected(states.written));
        await reopened.close();
      }),
      { numRuns: 100 },
    );
  });
});

test("a document that the disk has refused to change is read as it was, though it was read meanwhile", async () => {
  const folder = await mkdtemp(join(tmpdir(), "transaction-test-"));
  const database = await openDatabase(await LogStore.open(join(folder, "data.mdb"), SMALL_LOG));
  const inserting = new Transaction(database, null);
  const id = inserting.insert("items", { a: LONG[0] as string });
  inserting.commit();
  await database.durable();

  const log = new HeldLog(() => undefined);
  const patching = new Transaction(database, null);
  patching.patch(id, { a: LONG[1] as string }, use("db.patch"));
  patching.commit();
  const texts = () => {
    const reading = new Transaction(database, null);
    const ofRange = LONG.slice(0, 2).map((value) => {
      const range: RangeExpression[] = [{ type: "Eq", fieldPath: "a", value }];
      return readRows(reading, serialize({ table: "items", range, order: "asc" })).map(({ text }) => text);
    });
    return { document: reading.get(id, use("db.get"))?.text, ofRange };
  };
  const changed = texts();
  expect(changed.document).toContain(LONG[1]);
  expect(changed.ofRange).toEqual([[], [changed.document]]);
  const durable = database.durable();
  await eventLoopTurn();
  void log.settle("refuse");
  await expect(durable).rejects.toThrow("No space left");
  const restored = texts();
  expect(restored.document).toContain(LONG[0]);
  expect(restored.ofRange).toEqual([[restored.document], []]);

  log.release();
  await database.close();
  await rm(folder, { recursive: true });
});

/** A transaction and, beside it, the model of what it should see. */
class Session {
  readonly #transaction: Transaction;
  #model: Map<string, { table: Table; document: Document }>;
  /** Every id that there has ever been here, also those of documents that are gone. */
  readonly #ids: string[];

  constructor(database: Database, model: Model) {
    this.#transaction = Transaction.notingReads(database);
    this.#model = new Map(model);
    this.#ids = [...model.keys()];
  }

  get hasWritten(): boolean {
    return this.#transaction.writes > 0;
  }

  commit(): Model {
    this.#transaction.commit();
    return this.#model;
  }

  perform(operation: Operation): void {
    switch (operation.kind) {
      case "insert": {
        const id = this.#transaction.insert(operation.table, operation.value);
        this.#ids.push(id);
        const text = this.#transaction.get(id, use("db.get"))?.text;
        const { _creationTime } = JSON.parse(text ?? "null") as Document;
        this.#put(id, operation.table, operation.value, _creationTime);
        expect(text).toBe(JSON.stringify(this.#model.get(id)?.document));
        return;
      }
      case "patch":
      case "replace":
      case "remove":
        return this.#change(operation);
      case "nested": {
        const before = new Map(this.#model);
        const savepoint = this.#transaction.savepoint();
        for (const inner of operation.operations) this.perform(inner);
        if (operation.fails) {
          this.#transaction.rollback(savepoint);
          this.#model = before;
        }
        return;
      }
      case "get": {
        if (this.#ids.length === 0) return;
        const id = this.#ids[operation.which % this.#ids.length] as string;
        const known = this.#model.get(id);
        const text = known && JSON.stringify(known.document);
        expect(this.#transaction.get(id, use("db.get"))?.text).toBe(text);
        return;
      }
      case "scan":
        expect(read(this.#transaction, operation.query)).toEqual(select(this.#model, operation.query));
        return;
      case "pages":
        expect(readPages(this.#transaction, operation.query, operation.size)).toEqual(
          select(this.#model, operation.query),
        );
        return;
      case "removeWhileScanning": {
        const wanted = select(this.#model, operation.query);
        const stream = new QueryStream(this.#transaction, serialize(operation.query));
        for (let next = wanted.shift(); next; next = wanted.shift()) {
          expect(JSON.parse(stream.next() ?? "null")).toEqual(next);
          // The scan notices that the last one of those ahead is gone.
          for (const document of [next, wanted.pop()]) {
            if (!document) continue;
            this.#transaction.remove(document._id, use("db.delete"));
            this.#model.delete(document._id);
          }
        }
        expect(stream.next()).toBeNull();
        return;
      }
    }
  }

  #change(operation: Change): void {
    if (this.#ids.length === 0) return;
    const id = this.#ids[operation.which % this.#ids.length] as string;
    const known = this.#model.get(id);
    const run = () => {
      switch (operation.kind) {
        case "patch":
          return this.#transaction.patch(id, encodePatch(operation.value), use("db.patch"));
        case "replace":
          return this.#transaction.replace(id, operation.value, use("db.replace"));
        case "remove":
          return this.#transaction.remove(id, use("db.delete"));
      }
    };
    if (!known) {
      expect(run).toThrow(DeveloperError);
      expect(this.#transaction.get(id, use("db.get"))).toBeUndefined();
      return;
    }
    const answer = run();
    if (operation.kind === "remove") {
      this.#model.delete(id);
      expect(answer).toBe(JSON.stringify(known.document));
      return;
    }
    const { _id, _creationTime, ...old } = known.document;
    const value = operation.kind === "patch" ? patched(old, operation.value) : operation.value;
    this.#put(id, known.table, value, _creationTime);
    expect(answer).toBe(JSON.stringify(this.#model.get(id)?.document));
  }

  #put(id: string, table: Table, value: JsonObject, creationTime: number): void {
    const fields = { ...value, _id: id, _creationTime: creationTime };
    const sorted = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
    this.#model.set(id, { table, document: Object.fromEntries(sorted) as Document });
  }
}

type Held = { readonly settle: (outcome: "accept" | "refuse") => void; readonly ended: Promise<unknown> };

/** Keeps each record of the log waiting until the test settles it. */
class HeldLog {
  readonly #spy: MockInstance<Log["append"]>;
  #held: Held | null = null;

  /** `onRecord` is told of each as it arrives. */
  constructor(onRecord: () => void) {
    // oxlint-disable-next-line typescript/unbound-method -- it is called with the log that it is called on
    const { append } = Log.prototype;
    const hold = (held: Held) => {
      if (this.#held !== null) throw new Error("A second record must not be written beside the first");
      this.#held = held;
      onRecord();
    };
    this.#spy = vi.spyOn(Log.prototype, "append").mockImplementation(function (this: Log, record) {
      let settle: Held["settle"] = () => undefined;
      const outcome = new Promise<"accept" | "refuse">((resolve) => (settle = resolve));
      const appended = outcome.then((settled) => {
        if (settled === "refuse") throw new Error("No space left on device");
        return append.call(this, record);
      });
      hold({ settle, ended: appended.catch(() => undefined) });
      return appended;
    });
  }

  /** Resolves when that has been done; null if there is no record that waits. */
  settle(outcome: "accept" | "refuse"): Promise<unknown> | null {
    const held = this.#held;
    this.#held = null;
    held?.settle(outcome);
    return held && held.ended;
  }

  release(): void {
    this.#spy.mockRestore();
  }
}

/** The states that a database should be in: what is visible, and what of it is on disk. */
class States {
  committed: Model = new Map();
  written: Model = new Map();
  #writing: Model = new Map();
  readonly #answers: { state: "pending" | "writing" | "accept" | "refuse"; promise: Promise<void> }[] = [];

  /** What has only been read must be on disk too before it is answered. */
  commit(model: Model, hasWritten: boolean, durable: Promise<void> | undefined): void {
    this.committed = model;
    const waits = hasWritten || this.#answers.some(({ state }) => state === "pending");
    if (durable) this.#answers.push({ state: waits ? "pending" : "writing", promise: durable });
  }

  startWriting(): void {
    this.#writing = this.committed;
    for (const answer of this.#answers) if (answer.state === "pending") answer.state = "writing";
  }

  endWriting(outcome: "accept" | "refuse"): void {
    if (outcome === "accept") this.written = this.#writing;
    else this.committed = this.written;
    for (const answer of this.#answers) {
      if (answer.state === "writing" || (answer.state === "pending" && outcome === "refuse")) {
        answer.state = outcome;
      }
    }
  }

  /** Every commit was answered as it ended. */
  async checkAnswers(): Promise<void> {
    const answered = await Promise.allSettled(this.#answers.map(({ promise }) => promise));
    expect(answered.map(({ status }) => status)).toEqual(
      this.#answers.map(({ state }) => (state === "accept" ? "fulfilled" : "rejected")),
    );
  }
}

async function openDatabase(store: Store, documentCacheChars?: number): Promise<Database> {
  const database = await Database.open(store, documentCacheChars);
  await build(database, INDEX);
  return database;
}

/** Gives the table "items" one index over these fields. */
async function build(database: Database, fields: readonly string[]): Promise<void> {
  const wanted = new Map([["", new Map([["items", [{ name: "by_a_and_b", fields }]]])]]);
  const indexes = new IndexBuild(database, wanted, new Map());
  await indexes.done;
  await indexes.finish([]);
}

function use(operation: IdUse["operation"]): IdUse {
  return { operation, system: false };
}

/** All that a new transaction sees. */
function contents(database: Database): Document[] {
  const transaction = Transaction.notingReads(database);
  const documents = (["items", "others"] as const).flatMap((table) =>
    read(transaction, { table, range: null, order: "asc" }),
  );
  for (const document of documents) {
    expect(transaction.get(document._id, use("db.get"))?.text).toBe(JSON.stringify(document));
  }
  for (const value of LONG) {
    const range: RangeExpression[] = [{ type: "Eq", fieldPath: "a", value }];
    expectSame(transaction, serialize({ table: "items", range, order: "asc" }));
  }
  return documents;
}

function expected(model: Model): Document[] {
  return (["items", "others"] as const).flatMap((table) =>
    select(model, { table, range: null, order: "asc" }),
  );
}

/** A query of a whole table, or of a range of the index of `items`: equal in `a`, or also bounded in `b`. */
type Query = { table: Table; range: RangeExpression[] | null; order: Order };

function serialize({ table, range, order }: Query, limit?: number): SerializedQuery {
  const source =
    range === null
      ? ({ type: "FullTableScan", tableName: table, order } as const)
      : ({ type: "IndexRange", indexName: "items.by_a_and_b", range, order } as const);
  return { source, operators: limit === undefined ? [] : [{ limit }] };
}

function read(transaction: Transaction, query: Query): Document[] {
  const documents = readOneByOne(transaction, serialize(query)).map((text) => JSON.parse(text) as Document);
  for (const limit of [undefined, 0, 1, 2, documents.length, documents.length + 1]) {
    expectSame(transaction, serialize(query, limit));
  }
  return documents;
}

/** Rows that are read at once, and what they depend on, are those that are read one by one. */
function expectSame(transaction: Transaction, query: SerializedQuery): void {
  const before = transaction.readCount;
  const oneByOne = readOneByOne(transaction, query);
  const between = transaction.readCount;
  expect(readRows(transaction, query).map(({ text }) => text)).toEqual(oneByOne);
  // A stream that has nothing to read has no range, and neither has one that is not begun.
  expect(transaction.readRanges(between)).toEqual(transaction.readRanges(before, between));
}

function readOneByOne(transaction: Transaction, query: SerializedQuery): string[] {
  const stream = new QueryStream(transaction, query);
  const rows: string[] = [];
  for (let text = stream.next(); text !== null; text = stream.next()) rows.push(text);
  return rows;
}

function readPages(transaction: Transaction, query: Query, pageSize: number): Document[] {
  const documents: Document[] = [];
  let cursor: string | null = null;
  for (;;) {
    const page = readPage(transaction, { query: serialize(query), cursor, pageSize }, SECRET);
    expect(page.page.length).toBeLessThanOrEqual(pageSize);
    documents.push(...page.page.map((text) => JSON.parse(text) as Document));
    if (page.isDone) return documents;
    cursor = page.continueCursor;
  }
}

/** What a query should give. */
function select(model: Model, { table, range, order }: Query): Document[] {
  const documents = [...model.values()]
    .filter((entry) => entry.table === table)
    .map(({ document }) => document)
    .filter((document) => range === null || range.every((bound) => matches(document, bound)))
    .sort((a, b) => {
      const fields = range === null ? ["_creationTime"] : [...INDEX, "_creationTime"];
      return fields.map((field) => compare(a[field], b[field])).find((result) => result !== 0) ?? 0;
    });
  return order === "asc" ? documents : documents.reverse();
}

function matches(document: Document, { type, fieldPath, value }: RangeExpression): boolean {
  const result = compare(document[fieldPath], isUndefined(value) ? undefined : value);
  switch (type) {
    case "Eq":
      return result === 0;
    case "Gt":
      return result > 0;
    case "Gte":
      return result >= 0;
    case "Lt":
      return result < 0;
    case "Lte":
      return result <= 0;
  }
}

function compare(a: Json | undefined, b: Json | undefined): number {
  return compareValues(a as Value | undefined, b as Value | undefined);
}

function isUndefined(value: Json): boolean {
  return typeof value === "object" && value !== null && "$undefined" in value;
}

/** A patch as the convex package writes it: a field that is to be removed is there. */
type Patch = { a?: Json | undefined; b?: Json | undefined };

function encodePatch(patch: Patch): JsonObject {
  return Object.fromEntries(
    Object.entries(patch).map(([name, value]) => [name, value === undefined ? { $undefined: null } : value]),
  );
}

function patched(old: JsonObject, patch: Patch): JsonObject {
  const entries = Object.entries({ ...old, ...patch }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as JsonObject;
}

function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}

type Change = { which: number } & (
  { kind: "patch"; value: Patch } | { kind: "replace"; value: JsonObject } | { kind: "remove" }
);
type Operation =
  | Change
  | { kind: "insert"; table: Table; value: JsonObject }
  | { kind: "get"; which: number }
  | { kind: "nested"; operations: Operation[]; fails: boolean }
  | { kind: "scan"; query: Query }
  | { kind: "pages"; query: Query; size: number }
  | { kind: "removeWhileScanning"; query: Query };

/** As long as ids are, whose ranges are remembered: of two groups, and two of one group. */
const LONG = ["0", "1", "1"].map((group, i) => `${"id".padEnd(16, group)}${"of one".padEnd(16, "0")}${i}`);
const a = fc.oneof(fc.constantFrom<Json>(null, 0, -1.5, true, "x", "x\0y"), fc.constantFrom<Json>(...LONG));
const b = fc.constantFrom<Json>("", "p", "q", 7);
const fields = fc.record({ a, b }, { requiredKeys: [] }) as fc.Arbitrary<JsonObject>;
const patch: fc.Arbitrary<Patch> = fc.record(
  { a: fc.option(a, { nil: undefined }), b: fc.option(b, { nil: undefined }) },
  { requiredKeys: [] },
);
const which = fc.nat({ max: 50 });
/** How much of the documents is kept in memory: none, two or three, and all. */
const cacheChars = fc.constantFrom(0, 1000, undefined);
const order = fc.constantFrom<Order>("asc", "desc");

const bound = (fieldPath: string, value: fc.Arbitrary<Json>) =>
  fc.oneof(
    fc.constant<RangeExpression[]>([]),
    fc
      .tuple(fc.constantFrom("Gt" as const, "Gte" as const), value)
      .map(([type, low]): RangeExpression[] => [{ type, fieldPath, value: low }]),
    fc
      .tuple(fc.constantFrom("Lt" as const, "Lte" as const), value)
      .map(([type, high]): RangeExpression[] => [{ type, fieldPath, value: high }]),
    fc.tuple(value, value).map(([low, high]): RangeExpression[] => [
      { type: "Gte", fieldPath, value: low },
      { type: "Lt", fieldPath, value: high },
    ]),
  );
const orMissing = (value: fc.Arbitrary<Json>) => fc.oneof(value, fc.constant<Json>({ $undefined: null }));
const range = fc.oneof(
  bound("a", orMissing(a)),
  fc
    .tuple(orMissing(a), bound("b", b))
    .map(([value, rest]): RangeExpression[] => [{ type: "Eq", fieldPath: "a", value }, ...rest]),
  // Equalities may come in any order.
  fc.tuple(orMissing(a), orMissing(b)).map(([first, second]): RangeExpression[] => [
    { type: "Eq", fieldPath: "b", value: second },
    { type: "Eq", fieldPath: "a", value: first },
  ]),
);
const query: fc.Arbitrary<Query> = fc.oneof(
  fc.record({ table: fc.constantFrom<Table>("items", "others"), range: fc.constant(null), order }),
  fc.record({ table: fc.constant<Table>("items"), range, order }),
);

const table = fc.constantFrom<Table>("items", "items", "items", "others");
const { operation } = fc.letrec<{ operation: Operation }>((tie) => ({
  operation: fc.oneof(
    { depthSize: "small" },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("insert" as const), table, value: fields }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("patch" as const), which, value: patch }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("replace" as const), which, value: fields }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), which }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("get" as const), which }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("scan" as const), query }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("pages" as const),
        query,
        size: fc.integer({ min: 1, max: 4 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("removeWhileScanning" as const), query }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("nested" as const),
        operations: fc.array(tie("operation"), { maxLength: 6 }),
        fails: fc.boolean(),
      }),
    },
  ),
}));
const operations = fc.array(operation, { maxLength: 15 });

/** A transaction that commits, or what becomes of the commit that the disk is busy with. */
type DiskStep = Operation[] | "accept" | "refuse";
const diskStep: fc.Arbitrary<DiskStep> = fc.oneof(
  { weight: 6, arbitrary: fc.array(operation, { maxLength: 6 }) },
  { weight: 4, arbitrary: fc.constant("accept" as const) },
  { weight: 1, arbitrary: fc.constant("refuse" as const) },
);
