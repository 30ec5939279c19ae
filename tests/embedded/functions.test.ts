import { createHmac } from "node:crypto";
import path from "node:path";
import { getDocumentSize } from "convex/values";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ANONYMOUS } from "../../embedded/functions/caller";
import type { LiveCall } from "../../embedded/functions/calls";
import { once } from "../../embedded/functions/enclosure";
import { FunctionLog, type LogEntry } from "../../embedded/functions/functionLog";
import { Log } from "../../embedded/storage/log";
import { LogStore } from "../../embedded/storage/logStore";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import { InDoubtError } from "../../embedded/storage/store";
import { temporaryFolder } from "../temporaryServer";
import { startRuntime, type TestRuntime } from "./harness";

let app: TestRuntime;

beforeEach(async () => {
  app = await startRuntime();
});

afterEach(() => {
  expect(app.faults).toEqual([]);
});

type Note = { _id: string; _creationTime: number; author: string; text: string; rank?: number | bigint };

describe("documents", () => {
  test("a document is read as it was written, with its id and creation time", async () => {
    const before = Date.now();
    const id = await app.mutation<string>("notes:add", { author: "ann", text: "hello", rank: 2 });
    const note = await app.query<Note>("notes:get", { id });
    expect(note).toEqual({
      _id: id,
      _creationTime: expect.any(Number),
      author: "ann",
      text: "hello",
      rank: 2,
    });
    expect(note._creationTime).toBeGreaterThanOrEqual(before);
  });

  test("patching sets fields and removes those that are undefined", async () => {
    const id = await app.mutation<string>("notes:add", { author: "ann", text: "hello", rank: 2 });
    await app.mutation("notes:edit", { id, text: "bye" });
    await app.mutation("notes:dropRank", { id });
    const { rank, text } = await app.query<Note>("notes:get", { id });
    expect({ rank, text }).toEqual({ rank: undefined, text: "bye" });
  });

  test.each(["notes", "anything"])(
    "what is changed in the table %s to what it is already is not written",
    async (table) => {
      const value = { author: "ann", text: "hello", tags: ["a"] };
      await app.mutation("misbehave:insertWrong", { table, value });
      expect(await app.mutation("notes:changeNothing", { table })).toBe(0);
      let commits = 0;
      app.database.onCommit(() => commits++);
      await app.mutation("notes:changeNothing", { table });
      expect(commits).toBe(0);
    },
  );

  test("replacing keeps the id and the creation time, and refuses another's", async () => {
    const id = await app.mutation<string>("notes:add", { author: "ann", text: "hello" });
    const note = await app.query<Note>("notes:get", { id });
    await app.mutation("notes:overwrite", { id, value: { ...note, text: "new" } });
    expect(await app.query("notes:get", { id })).toEqual({ ...note, text: "new" });
    const other = await app.mutation<string>("notes:add", { author: "ann", text: "other" });
    const message = await app.failure("mutation", "notes:overwrite", { id, value: { ...note, _id: other } });
    expect(message).toContain(`The document has id ${id}, but its '_id' field is "${other}"`);
  });

  test("a deleted document is gone from every index", async () => {
    const id = await app.mutation<string>("notes:add", { author: "ann", text: "hello" });
    await app.mutation("notes:remove", { id });
    expect(await app.query("notes:get", { id })).toBeNull();
    expect(await app.query("notes:all")).toEqual([]);
    expect(await app.query("notes:byAuthor", { author: "ann" })).toEqual([]);
    expect(await app.failure("mutation", "notes:remove", { id })).toContain(
      `Delete on nonexistent document ID ${id}`,
    );
  });

  test("documents are in the order in which they were inserted, however fast", async () => {
    const texts = Array.from({ length: 50 }, (_, i) => `${i}`);
    await Promise.all(texts.map((text) => app.mutation("notes:add", { author: "ann", text })));
    const notes = await app.query<Note[]>("notes:all");
    expect(notes.map(({ text }) => text)).toEqual(texts);
    expect(new Set(notes.map((row) => row._creationTime)).size).toBe(texts.length);
  });

  test("a document that does not match the schema is refused in Convex's words and not stored", async () => {
    const message = await app.failure("mutation", "misbehave:insertWrong", {
      table: "notes",
      value: { author: 1, text: "x" },
    });
    expect(message).toContain(
      'Failed to insert or update a document in table "notes" because it does not match the schema',
    );
    expect(await app.query("notes:all")).toEqual([]);
  });

  test("an id of another table is refused where the schema wants one of this table", async () => {
    const table = await app.mutation<string>("misbehave:insertWrong", { table: "anything", value: { a: 1 } });
    const message = await app.failure("mutation", "misbehave:insertWrong", {
      table: "links",
      value: { note: table },
    });
    expect(message).toContain('which does not match the table name in validator `v.id("notes")`');
  });

  test.each([
    ["a system field", { _mine: 1 }, "Field '_mine' starts with an underscore"],
    ["a system table", null, "System tables (prefixed with `_`) are read-only."],
  ])("%s can't be written", async (_what, value, message) => {
    const args = value === null ? { table: "_storage", value: {} } : { table: "anything", value };
    expect(await app.failure("mutation", "misbehave:insertWrong", args)).toContain(message);
  });

  test.each([
    ["not an id", undefined, "Invalid argument `id` for `db.get`: Unable to decode ID: Invalid ID length 9"],
    ["an id of another table", "links", 'expected to be an Id<"links">, got Id<"notes"> instead.'],
  ])("getting %s says what is wrong", async (what, table, message) => {
    const id =
      table === undefined ? "not an id" : await app.mutation<string>("notes:add", { author: "a", text: "b" });
    expect(what).toBeDefined();
    expect(
      await app.failure("query", "misbehave:getWrong", table === undefined ? { id } : { id, table }),
    ).toContain(message);
  });
});

describe("queries", () => {
  beforeEach(async () => {
    await app.mutation("notes:addMany", { author: "ann", texts: ["a0", "a1", "a2", "a3"] });
    await app.mutation("notes:addMany", { author: "bob", texts: ["b0", "b1"] });
  });

  test.each([
    [{ author: "ann" }, ["a0", "a1", "a2", "a3"]],
    [{ author: "ann", order: "desc" }, ["a3", "a2", "a1", "a0"]],
    [{ author: "ann", from: 1, to: 3 }, ["a1", "a2"]],
    [{ author: "ann", from: 1 }, ["a2", "a3"]],
    [{ author: "ann", to: 1 }, ["a0", "a1"]],
    [{ author: "ann", to: 1, order: "desc" }, ["a1", "a0"]],
    [{ author: "cid" }, []],
  ])("the index range %j gives %j", async (args, expected) => {
    expect(await app.query("notes:byAuthor", args)).toEqual(expected);
  });

  test("a missing field comes first in an index and has no lower bound", async () => {
    await app.mutation("notes:add", { author: "ann", text: "no rank" });
    expect(await app.query("notes:byAuthor", { author: "ann", to: 0 })).toEqual(["no rank", "a0"]);
  });

  test.each([
    ["order", "didn't use the index fields in order"],
    ["field", "doesn't index this field"],
    ["twice", "Already defined lower bound in index range"],
    ["two fields", "can only be applied to a single index field"],
    ["unknown", "Index notes.no_such_index not found."],
  ])("a wrong index range (%s) is refused in Convex's words", async (what, message) => {
    expect(await app.failure("query", "misbehave:queryWrongIndex", { what })).toContain(message);
  });

  test("a mutation that iterates sees what it deletes on the way", async () => {
    expect(await app.mutation("notes:removeWhileIterating", { author: "ann" })).toEqual(["a0", "a2"]);
    expect(await app.query("notes:byAuthor", { author: "ann" })).toEqual(["a0", "a2"]);
  });
});

describe("pages", () => {
  type Page = { page: Note[]; isDone: boolean; continueCursor: string; pageStatus: string | null };
  const within = async (numItems: number, limits: Record<string, number>) => {
    const paginationOpts = { cursor: null, numItems, ...limits };
    const { page, pageStatus } = await app.query<Page>("notes:page", { author: "ann", paginationOpts });
    return [page.length, pageStatus];
  };
  const readPage = (cursor: string | null, numItems: number, more: Record<string, string> = {}) =>
    app.query<Page>("notes:page", { author: "ann", paginationOpts: { cursor, numItems }, ...more });

  test.each(["asc", "desc"])("pages in order %s give every document once", async (order) => {
    const texts = Array.from({ length: 25 }, (_, i) => `${i}`);
    await app.mutation("notes:addMany", { author: "ann", texts });
    const seen: string[] = [];
    let cursor: string | null = null;
    for (let isDone = false; !isDone;) {
      const page: Page = await readPage(cursor, 10, { order });
      seen.push(...page.page.map(({ text }) => text));
      ({ isDone, continueCursor: cursor } = page);
    }
    expect(seen).toEqual(order === "asc" ? texts : texts.toReversed());
  });

  test("a cursor stays good when the document that it stands on is deleted", async () => {
    await app.mutation("notes:addMany", { author: "ann", texts: ["0", "1", "2", "3"] });
    const first = await readPage(null, 2);
    await app.mutation("notes:remove", { id: first.page[1]?._id ?? "" });
    const second = await readPage(first.continueCursor, 2);
    expect(second.page.map(({ text }) => text)).toEqual(["2", "3"]);
  });

  test("documents that a filter holds back do not shorten a page", async () => {
    await app.mutation("notes:addMany", { author: "ann", texts: ["hidden", "1", "hidden", "3", "4"] });
    const { page, isDone } = await readPage(null, 2);
    expect(page.map(({ text }) => text)).toEqual(["1", "3"]);
    expect(isDone).toBe(false);
  });

  test("a page that has read as many rows as it may is to be split if it wants more, and may be otherwise", async () => {
    await app.mutation("notes:addMany", { author: "ann", texts: ["0", "1", "hidden", "3", "4", "5"] });
    expect(await within(3, { maximumRowsRead: 3 })).toEqual([2, "SplitRequired"]);
    expect(await within(2, { maximumRowsRead: 2 })).toEqual([2, "SplitRecommended"]);
    expect(await within(3, { maximumRowsRead: 5 })).toEqual([3, "SplitRecommended"]);
    expect(await within(2, { maximumRowsRead: 3 })).toEqual([2, null]);
    expect(await within(9, { maximumRowsRead: 7 })).toEqual([5, "SplitRecommended"]);
  });

  test("the bytes that a page may read are those of rows that a filter holds back too, as Convex counts them", async () => {
    const texts = Array.from({ length: 4 }, () => "hidden");
    await app.mutation("notes:addMany", { author: "ann", texts: [...texts, "ö".repeat(100)] });
    const hidden = getDocumentSize({ author: "ann", rank: 0, text: "hidden" });
    const shown = getDocumentSize({ author: "ann", rank: 4, text: "ö".repeat(100) });
    expect(await within(1, { maximumBytesRead: 3 * hidden })).toEqual([0, "SplitRequired"]);
    expect(await within(1, { maximumBytesRead: 4 * hidden + 1 })).toEqual([1, "SplitRecommended"]);
    const soft = Math.ceil((4 * hidden + shown) / 0.75);
    expect(await within(1, { maximumBytesRead: soft })).toEqual([1, null]);
    expect(await within(1, { maximumBytesRead: soft - 2 })).toEqual([1, "SplitRecommended"]);
  });

  test("a cursor of another query, or one that is made up, is an InvalidCursor that clients recognise", async () => {
    await app.mutation("notes:addMany", { author: "ann", texts: ["0", "1"] });
    const { continueCursor } = await readPage(null, 1);
    for (const cursor of ["made up", `${continueCursor.slice(0, -4)}AAAA`]) {
      const outcome = await app.outcome("query", "notes:page", {
        author: "ann",
        paginationOpts: { cursor, numItems: 1 },
      });
      expect(outcome).toMatchObject({
        ok: false,
        failure: { data: { isConvexSystemError: true, paginationError: "InvalidCursor" } },
      });
    }
    const other = await app.outcome("query", "notes:page", {
      author: "bob",
      paginationOpts: { cursor: continueCursor, numItems: 1 },
    });
    expect(other).toMatchObject({ ok: false, failure: { data: { paginationError: "InvalidCursor" } } });
  });

  test("a cursor shows nothing of the fields that it stands on", async () => {
    await app.mutation("notes:addMany", { author: "ann", texts: ["0", "1"] });
    const { continueCursor } = await readPage(null, 1);
    expect(Buffer.from(continueCursor, "base64url").toString("latin1")).not.toContain("ann");
  });

  test("a page must want something, and only one page can be read in a function", async () => {
    expect(
      await app.failure("query", "notes:page", {
        author: "a",
        paginationOpts: { cursor: null, numItems: 0 },
      }),
    ).toContain("Must request at least 1 document while paginating");
    expect(await app.failure("query", "notes:pageTwice")).toContain("ran multiple paginated queries");
  });
});

describe("mutations", () => {
  test("a mutation that throws leaves nothing behind", async () => {
    const message = await app.failure("mutation", "misbehave:throwError");
    expect(message).toBe("Uncaught Error: on purpose");
    expect(await app.query("notes:all")).toEqual([]);
  });

  test("a mutation whose result does not match its validator leaves nothing behind", async () => {
    expect(await app.failure("mutation", "misbehave:returnWrong")).toContain("ReturnsValidationError: ");
    expect(await app.query("notes:all")).toEqual([]);
  });

  test("a nested mutation that fails takes back its own writes alone, and its data can be caught", async () => {
    expect(await app.mutation("notes:survive", { author: "ann" })).toEqual({
      caught: { code: "NESTED", author: "ann" },
      seen: 2,
    });
    expect(await app.query("notes:byAuthor", { author: "ann" })).toEqual(["before", "after"]);
  });

  test("nested mutations that are started together run one after another", async () => {
    expect(await app.mutation("notes:parallelNested", { author: "ann" })).toEqual(["a", "b", "c"]);
  });

  test("a mutation that never ends is cut off, and the others go on", async () => {
    const endless = app.outcome("mutation", "misbehave:loopForever");
    const others = [1, 2, 3].map((n) => app.mutation("notes:add", { author: "ann", text: `${n}` }));
    expect(await endless).toMatchObject({
      ok: false,
      failure: { message: "Function execution timed out (maximum duration: 1s)" },
    });
    await Promise.all(others);
    expect(await app.query("notes:byAuthor", { author: "ann" })).toEqual(["1", "2", "3"]);
    expect(await app.query("notes:byAuthor", { author: "x" })).toEqual([]);
  });

  test("a mutation that is cut off does not end a process in which actions run", async () => {
    await app.call("action", "outside:addTwo", { author: "ann" });
    const outcome = await app.outcome("mutation", "misbehave:loopForever");
    expect(outcome).toMatchObject({ ok: false, failure: { message: expect.stringContaining("timed out") } });
    expect(await app.call("action", "outside:addTwo", { author: "ann" })).toHaveLength(2);
  });

  test("a function that waits for what never comes is told so", async () => {
    expect(await app.failure("query", "misbehave:waitForever")).toBe("Returned promise will never resolve");
  });

  test.each([
    [
      "query",
      "misbehave:readTooMuch",
      { ranges: 4_097 },
      "Too many reads in a single function execution (limit: 4096)",
    ],
    [
      "mutation",
      "misbehave:writeTooMuch",
      { rows: 16_001 },
      "Too many writes in a single function execution (limit: 16000)",
    ],
  ] as const)("a %s that does too much (%s) is refused", async (kind, path, args, message) => {
    expect(await app.failure(kind, path, args)).toContain(message);
    expect(await app.query("misbehave:readTooMuch", { ranges: 1 })).toBe(1);
  });
});

describe("limits of a nested call", () => {
  const doWithin = (...limits: Record<string, number>[]) =>
    app.mutation<string[]>("misbehave:doWithin", { limits, ranges: 3, rows: 2 });

  test("hold for it beside what the transaction has used, and no longer", async () => {
    expect(await doWithin({ databaseQueries: 3, documentsWritten: 2 })).toEqual(["3", "2", "3", "2"]);
    const [reads, writes, ...rest] = await doWithin({ databaseQueries: 2, documentsWritten: 1 });
    expect(reads).toContain("Too many reads in a single function execution (limit: 2).");
    expect(writes).toContain("Too many writes in a single function execution (limit: 1)");
    expect(rest).toEqual(["3", "2"]);
  });

  test("raise none of those that hold already", async () => {
    const [inner = ""] = await doWithin({ databaseQueries: 2 }, { databaseQueries: 1000 });
    const [reads] = JSON.parse(inner) as string[];
    expect(reads).toContain("Too many reads in a single function execution (limit: 2).");
  });

  test.each([-1, 0.5, "many", null])("are whole numbers, not %j", async (amount) => {
    const message = "Invalid argument `transactionLimits` for `runUdf`: expected whole numbers";
    expect((await doWithin({ documentsRead: amount as number }))[0]).toContain(message);
  });
});

describe("results", () => {
  const tooLarge: Record<string, string> = {
    tooLongList: "invalid: Array length is too long (8193 > maximum length 8192)",
    tooManyFields: "invalid: Object has too many fields (1025 > maximum number 1024)",
    tooNested: "invalid: Value is too nested (nested 65 levels deep > maximum nesting 64)",
    tooLargeText: "is too large (actual: 16.00 MiB, limit: 16 MiB)",
  };
  const kindOf = (name: string) => {
    if (name === "giveInMutation") return "mutation";
    return name === "giveInAction" ? "action" : "query";
  };

  describe.each([
    ["its folder", false],
    ["a push", true],
  ])("of an app from %s", (_, byText) => {
    test.each(["giveInQuery", "giveInMutation", "giveInAction", "giveAny", "giveKnown"])(
      "that %s gives are within the limits of values",
      async (name) => {
        const giving = await startRuntime(new MemoryStore(), { byText });
        const path = `misbehave:${name}`;
        for (const what of ["longList", "manyFields", "nested", "largeText"]) {
          expect(await giving.outcome(kindOf(name), path, { name: what })).toMatchObject({ ok: true });
        }
        for (const [what, problem] of Object.entries(tooLarge)) {
          expect(await giving.failure(kindOf(name), path, { name: what })).toBe(
            `Function misbehave.js:${name} return value ${problem}`,
          );
        }
        expect(giving.faults).toEqual([]);
      },
    );
  });

  test("whose validator bounds all but the number of elements have no more of them than they may", async () => {
    const giveNumbers = (name: string) => app.outcome("query", "misbehave:giveNumbers", { name });
    expect(await giveNumbers("longList")).toMatchObject({ ok: true });
    for (const name of ["tooLongList", "tooLargeText"]) {
      const message = `Function misbehave.js:giveNumbers return value ${tooLarge[name]}`;
      expect(await giveNumbers(name)).toMatchObject({ ok: false, failure: { message } });
    }
  });

  test("of nested calls have the same limits", async () => {
    expect(await app.query("misbehave:giveInside", { name: "longList" })).toBe("");
    expect(await app.query("misbehave:giveInside", { name: "tooLongList" })).toContain(
      `Function misbehave.js:giveInQuery return value ${tooLarge["tooLongList"]}`,
    );
  });
});

describe("errors", () => {
  test("an error names the source line where it was thrown", async () => {
    const outcome = await app.outcome("mutation", "misbehave:throwError");
    expect(outcome.ok ? "" : outcome.failure.trace).toMatch(
      /^ {4}at .*handler \(.*fixture\/misbehave\.ts:\d+:\d+\)/m,
    );
  });

  test("a ConvexError's data reaches the caller whole", async () => {
    const outcome = await app.outcome("query", "misbehave:throwConvexError");
    expect(outcome).toMatchObject({
      ok: false,
      failure: { data: { code: "MINE", big: { $integer: "BwAAAAAAAAA=" } } },
    });
  });

  test("what is thrown need not be an error", async () => {
    expect(await app.failure("query", "misbehave:throwString")).toBe("Uncaught just text");
  });

  test.each([
    [
      "a function that is not there",
      "notes:nothing",
      {},
      "Could not find public function for 'notes:nothing'.",
    ],
    [
      "an internal function",
      "notes:addAndFail",
      { author: "a" },
      "Could not find public function for 'notes:addAndFail'.",
    ],
    [
      "a function of another kind",
      "notes:all",
      {},
      "Trying to execute notes.js:all as Mutation, but it is defined as Query.",
    ],
    [
      "a missing argument",
      "notes:add",
      { author: "a" },
      "ArgumentValidationError: Object is missing the required field `text`.",
    ],
    ["an argument too many", "notes:edit", { id: "x", text: "", more: 1 }, "ArgumentValidationError: "],
  ])("calling %s is refused", async (_what, path, args, message) => {
    expect(await app.failure("mutation", path, args)).toContain(message);
  });

  test("the admin may call internal functions", async () => {
    const outcome = await app.outcome("mutation", "notes:addAndFail", { author: "a" }, { kind: "admin" });
    expect(outcome).toMatchObject({ ok: false, failure: { data: { code: "NESTED" } } });
  });
});

describe("what is not there yet", () => {
  test("text and vector indexes can be declared; a query on one says what is missing", async () => {
    await app.mutation("notes:add", { author: "ann", text: "hello" });
    expect(await app.failure("query", "misbehave:searchText")).toContain(
      "Text search is not available in this runtime yet, so index notes.search_text can't be queried with withSearchIndex.",
    );
    expect(await app.failure("action", "misbehave:searchVector")).toContain(
      "Vector search is not available in this runtime yet.",
    );
  });
});

describe("determinism", () => {
  test("the clock stands still while a function runs", async () => {
    const before = Date.now();
    const clock = await app.query<{ same: boolean; isDate: boolean; now: number }>("misbehave:readClock");
    expect(clock).toMatchObject({ same: true, isDate: true });
    expect(clock.now).toBeGreaterThanOrEqual(before);
  });

  test("code that an app compiles itself has the same globals and the same clock", async () => {
    expect(await app.query("misbehave:readClockInCompiledCode")).toEqual({
      isSame: true,
      isOwn: true,
      environment: "object",
      stands: true,
    });
  });

  test("each execution has random numbers of its own", async () => {
    const [first, second] = await Promise.all([
      app.query("misbehave:readRandom"),
      app.query("misbehave:readRandom"),
    ]);
    expect(first).not.toEqual(second);
  });

  test.each([
    ["useFetch", "fetch()"],
    ["useTimeout", "setTimeout"],
    ["useRandomBytes", "cryptographic randomness"],
  ])("%s can't reach outside", async (name, what) => {
    expect(await app.failure("query", `misbehave:${name}`)).toBe(
      `Uncaught Error: Can't use ${what} in queries and mutations. Please consider using an action. See https://docs.convex.dev/functions/actions for more details.`,
    );
  });

  test.each(["SHA-1", "SHA-256", "SHA-384", "SHA-512"])(
    "a query signs and verifies with HMAC and %s",
    async (hash) => {
      const name = hash.replace("-", "").toLowerCase();
      for (const secret of [Buffer.from("key"), Buffer.alloc(200, 9)]) {
        const args = {
          hash,
          secret: new Uint8Array(secret).buffer,
          text: "sïgned",
          usages: ["sign", "verify"],
        };
        const signature = createHmac(name, secret).update("sïgned").digest();
        expect(await app.query("misbehave:hmac", args)).toEqual({
          signature: new Uint8Array(signature).buffer,
          verified: [true, false, false],
          algorithm: { name: "HMAC", hash: { name: hash }, length: secret.length * 8 },
        });
      }
    },
  );

  test.each([
    [{ hash: "MD5" }, "Uncaught NotSupportedError: Unrecognized hash MD5"],
    [{ secret: new ArrayBuffer(0) }, "Uncaught DataError: A key has to have a length"],
    [{ usages: ["verify"] }, "Uncaught InvalidAccessError: The key can't be used to sign"],
    [{ usages: ["sign"] }, "Uncaught InvalidAccessError: The key can't be used to verify"],
  ])("a key is one for what it is used for (%#)", async (changes, message) => {
    const usages = ["sign", "verify"];
    const args = { hash: "SHA-256", secret: new ArrayBuffer(8), text: "", usages, ...changes };
    expect(await app.failure("query", "misbehave:hmac", args)).toBe(message);
  });

  test.each([
    ["encrypt", "encrypt()"],
    ["deriveBits", "deriveBits()"],
    ["exportKey", "exportKey()"],
    ["importKey", 'importKey() of "raw" for AES-GCM'],
    ["sign", "sign() with AES-GCM"],
  ])("what is not there of cryptography says so (%s)", async (method, what) => {
    expect(await app.failure("query", "misbehave:lackingCrypto", { method })).toBe(
      `Uncaught Error: crypto.subtle.${what} is not available in queries and mutations of this runtime. Please consider using an action.`,
    );
  });

  test.each([
    ["text", "the body of a Response"],
    ["json", "the body of a Response"],
    ["arrayBuffer", "the body of a Request"],
    ["blob", "the body of a Response"],
    ["body", "a ReadableStream"],
    ["tee", "a ReadableStream"],
    ["pipe", "a ReadableStream"],
    ["stream", "a ReadableStream"],
    ["loop", "a ReadableStream"],
  ])("what a query would wait for without end says so (%s)", async (name, what) => {
    expect(await app.failure("query", "misbehave:readLate", { name })).toBe(
      `Uncaught Error: Can't read ${what} in queries and mutations of this runtime. Please consider using an action.`,
    );
  });

  test("a query can ask of requests and responses all but their bodies", async () => {
    expect(await app.query("misbehave:askOfBodies")).toEqual({
      request: ["http://localhost/path", "b", true],
      response: [201, 201, true],
      stream: [true, false],
    });
  });

  test("a query reads blobs, whatever they are made of", async () => {
    const bytes = new TextEncoder().encode("ab").buffer;
    expect(await app.query("misbehave:readBlob", { bytes })).toBe("abab!ab");
  });

  test("a query has no way to write", async () => {
    expect(await app.query("misbehave:writeInQuery")).toBe("undefined");
  });

  test("functions see the deployment's environment and nothing of the process", async () => {
    expect(await app.query("outside:environment", { name: "FROM_DEPLOYMENT" })).toEqual({
      value: "yes",
      hasArgv: false,
    });
    expect(await app.query("outside:environment", { name: "PATH" })).toEqual({ value: null, hasArgv: false });
  });
});

describe("actions", () => {
  test("an action calls mutations, each a transaction of its own, and its logs are kept", async () => {
    const outcome = await app.outcome("action", "outside:addTwo", { author: "ann" });
    expect(outcome).toMatchObject({ ok: true, logs: ["[LOG] 'adding two for' { author: 'ann' }"] });
    expect(await app.query("notes:byAuthor", { author: "ann" })).toEqual(["one", "two"]);
  });

  test("an action catches a ConvexError of a mutation with its data", async () => {
    expect(await app.call("action", "outside:catchFailure")).toEqual({ code: "NESTED", author: "a" });
  });

  test("the identity of the caller goes on to the functions that an action calls", async () => {
    const identity = { tokenIdentifier: "i|s", issuer: "i", subject: "s" };
    const caller = { kind: "user", identity } as const;
    expect(await app.call("action", "outside:whoAmIFromAction", {}, caller)).toEqual(identity);
    expect(await app.call("action", "outside:whoAmIFromAction")).toBeNull();
  });

  test("log lines look as Convex's do", async () => {
    const outcome = await app.outcome("mutation", "outside:logLines");
    expect(outcome.logs).toEqual(["[LOG] 'text' 1 { a: [ 1 ] }", "[WARN] 'careful'"]);
  });
});

describe("the log of calls", () => {
  test("has no more than 8 KiB of a name, and of an error that repeats it", async () => {
    await app.outcome("query", "x".repeat(100_000));
    const [entry] = (await app.runtime.log.since(0, 0)).entries;
    const short = /^.{8192} \(truncated due to length\)$/;
    expect(entry).toMatchObject({
      identifier: expect.stringMatching(short) as string,
      error: expect.stringMatching(short) as string,
    });
  });

  test("has the last 16 MiB, and goes on counting", async () => {
    const log = new FunctionLog();
    const entry: LogEntry = {
      kind: "Completion",
      udfType: "Query",
      identifier: "",
      logLines: ["x".repeat(1024 * 1024)],
      timestamp: 0,
      executionTime: 0,
      success: null,
      error: null,
    };
    for (let i = 1; i <= 40; i++) log.add({ ...entry, timestamp: i });
    const { entries, newCursor } = await log.since(0, 0);
    expect(entries.map(({ timestamp }) => timestamp)).toEqual(Array.from({ length: 16 }, (_, i) => i + 25));
    log.add({ ...entry, timestamp: 41 });
    expect((await log.since(newCursor, 0)).entries).toMatchObject([{ timestamp: 41 }]);
  });

  test("has the last thousand entries, from whatever cursor", async () => {
    const log = new FunctionLog();
    const add = (timestamp: number) =>
      log.add({
        kind: "Completion",
        udfType: "Query",
        identifier: "",
        logLines: [],
        timestamp,
        executionTime: 0,
        success: null,
        error: null,
      });
    for (let i = 1; i <= 2_500; i++) {
      add(i);
      if (i % 499 !== 0) continue;
      const first = Math.max(1, i - 999);
      for (const cursor of [0, first - 1, first, first + 1, i - 1, i].filter((at) => at >= 0)) {
        const { entries, newCursor } = await log.since(cursor, 0);
        const from = Math.max(cursor, first);
        expect(newCursor).toBe(i + 1);
        expect(entries.map(({ timestamp }) => timestamp)).toEqual(
          Array.from({ length: i + 1 - from }, (_, n) => from + n),
        );
      }
    }
  });

  test("has nothing of the runtime's own queries, whoever calls or watches them", async () => {
    const path = "_system/cli/tables:default";
    const call: LiveCall = {
      path,
      args: {},
      caller: { kind: "admin" },
      internalAllowed: true,
      journal: null,
    };
    expect(await app.runtime.call("query", call)).toMatchObject({ ok: true });
    expect(await app.outcome("query", path)).toMatchObject({ ok: false });
    await new Promise<void>((resolve) =>
      app.runtime.evaluate({ call, isKnown: () => false, done: () => resolve() }),
    );
    await app.query("notes:all");
    const { entries } = await app.runtime.log.since(0, 0);
    expect(entries.map(({ identifier }) => identifier)).toEqual(["notes:all"]);
  });
});

test("a call says whether what it has written, and the disk has refused, may be there after a restart", async () => {
  const store = new MemoryStore();
  const refusing = await startRuntime(store);
  const refused = (error: Error) => {
    vi.spyOn(store, "commit").mockRejectedValueOnce(error);
    return refusing.failure("mutation", "notes:add", { author: "ann", text: "hello" });
  };
  expect(await refused(new Error("full"))).toBe(
    "The database could not write to disk. Nothing of this call was stored.",
  );
  expect(await refused(new InDoubtError("failed"))).toBe(
    "The database could not write to disk, nor take back what it had begun. Nothing of this call is there now, but all of it may be after a restart.",
  );
  expect(await refusing.query("notes:all")).toEqual([]);
  expect(refusing.faults).toEqual([new Error("full"), new InDoubtError("failed")]);
});

test("the content of a file goes with the call that has stored it, unless that may be there after a restart", async () => {
  const store = await LogStore.open(path.join(await temporaryFolder(), "data.mdb"));
  const refusing = await startRuntime(store);
  const { blobs } = refusing;
  const remove = vi.spyOn(blobs, "remove");
  const refuse = async (error: Error) => {
    vi.spyOn(Log.prototype, "append").mockRejectedValueOnce(error);
    await refusing.failure("mutation", "files:storeInMutation", { text: "kept" });
    await Promise.all(remove.mock.results.map(({ value }) => value));
  };
  await refuse(new InDoubtError("failed"));
  const [inDoubt = ""] = await blobs.keys();
  expect(blobs.readNow(inDoubt).toString()).toBe("kept!");
  await refuse(new Error("full"));
  expect(await blobs.keys()).toEqual([inDoubt]);
  await store.close();
});

test("what is kept of a mutation is not told before it is on disk, nor if the same one can't be run any more", async () => {
  const store = new MemoryStore();
  const refusing = await startRuntime(store);
  const call = (path: string) =>
    refusing.runtime.call("mutation", {
      path,
      args: { author: "ann", text: "hello" },
      caller: ANONYMOUS,
      internalAllowed: false,
      enclosure: once("session:1"),
    });
  let refuse: (error: Error) => void = () => undefined;
  const committed = new Promise<void>((resolve) => {
    const commit = store.commit.bind(store);
    vi.spyOn(store, "commit").mockImplementationOnce(async (writes) => {
      await commit(writes);
      resolve();
      return new Promise((_, reject) => (refuse = reject));
    });
  });
  const first = call("notes:add");
  await committed;
  const again = call("notes:gone");
  refuse(new Error("full"));
  const lost = {
    ok: false,
    fault: true,
    failure: { message: expect.stringContaining("could not write") as string },
  };
  expect(await first).toMatchObject(lost);
  expect(await again).toMatchObject(lost);
});
