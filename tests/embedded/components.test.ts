/** Components have their own tables, functions, schedules and environment, and are reached only through those who use them. */
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, test } from "vitest";
import type { Value } from "convex/values";
import type { Caller } from "../../embedded/functions/caller";
import type { ScheduledJob } from "../../embedded/functions/scheduledJobs";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import { startRuntime, TestClock, type TestRuntime } from "./harness";

type Args = Record<string, Value>;

const COMPONENT_APP = fileURLToPath(new URL("./componentApp", import.meta.url));
const environment = { GREETING: "hello", SECRET: "of the deployment" };
const ADMIN: Caller = { kind: "admin" };

let app: TestRuntime;

beforeEach(async () => {
  app = await start();
});

function start(store = new MemoryStore(), cursorSecret = randomBytes(32)): Promise<TestRuntime> {
  return startRuntime(store, { appFolder: COMPONENT_APP, environment, cursorSecret });
}

const ask = <T = Value>(name: string, args: Args = {}) => app.query<T>("functions:ask", { name, args });
const change = <T = Value>(name: string, args: Args = {}) =>
  app.mutation<T>("functions:change", { name, args });
const act = <T = Value>(kind: "query" | "mutation" | "action", name: string, args: Args = {}) =>
  app.call<T>("action", "functions:act", { kind, name, args });
const refusal = (name: string, args: Args = {}) =>
  app.failure("mutation", "functions:change", { name, args });
const texts = (component: string) => ask<string[]>(`${component}.entries.texts`);
const ownTexts = () => app.query<string[]>("functions:texts");

describe("tables", () => {
  test("of one name are another one's in each component, also in two of the same definition", async () => {
    await app.mutation("functions:survive", { name: "functions:add", args: { text: "root" } });
    await change("ledger.entries.add", { text: "first" });
    await change("second.entries.add", { text: "second" });
    expect([await ownTexts(), await texts("ledger"), await texts("second")]).toEqual([
      ["before", "root", "after"],
      ["first"],
      ["second"],
    ]);
  });

  test("of others can't be read, changed or named by their ids", async () => {
    const foreign = await change<string>("functions:add", { text: "root" });
    const own = await change<string>("ledger.entries.add", { text: "own" });
    expect(await ask("ledger.entries.get", { id: own })).toMatchObject({ text: "own" });
    expect(await ask("ledger.entries.get", { id: foreign })).toBeNull();
    expect(await ask("second.entries.get", { id: own })).toBeNull();
    expect(await ask("ledger.entries.normalize", { table: "entries", id: foreign })).toBeNull();
    expect(await ask("ledger.entries.normalize", { table: "entries", id: own })).toBe(own);
    expect(await refusal("ledger.entries.remove", { id: foreign })).toContain(
      `Delete on nonexistent document ID ${foreign}`,
    );
    expect(await app.failure("mutation", "functions:remove", { id: own })).toContain("nonexistent");
    expect(
      await app.failure("query", "functions:ask", {
        name: "ledger.entries.needsOwnId",
        args: { id: foreign },
      }),
    ).toContain("Value does not match validator");
    expect(await texts("ledger")).toEqual(["own"]);
  });

  test("hold, each for itself, what was added to them, in whatever order that was", async () => {
    const targets = ["functions:add", "ledger.entries.add", "second.entries.add"] as const;
    const adding = fc.array(fc.record({ target: fc.constantFrom(...targets), fails: fc.boolean() }), {
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(adding, async (additions) => {
        app = await start();
        const expected = new Map<string, string[]>(targets.map((target) => [target, []]));
        for (const [i, { target, fails }] of additions.entries()) {
          if (fails && target !== "functions:add") {
            await refusal(target.replace(/add$/, "addAndFail"), { text: `${i}` });
          } else {
            await change(target, { text: `${i}` });
            expected.get(target)?.push(`${i}`);
          }
        }
        expect([await ownTexts(), await texts("ledger"), await texts("second")]).toEqual([
          ...expected.values(),
        ]);
      }),
      { numRuns: 10 },
    );
  });
});

describe("a call", () => {
  test("that fails takes back what it has done and no more, and what it has scheduled", async () => {
    const failed = await app.mutation("functions:survive", {
      name: "ledger.entries.addAndFail",
      args: { text: "x" },
    });
    expect(failed).toContain("x can't be kept");
    expect(await ownTexts()).toEqual(["before", "after"]);
    expect(await texts("ledger")).toEqual([]);
    expect(await ask("ledger.jobs.all")).toEqual([]);
  });

  test("has its arguments and its result checked", async () => {
    expect(await refusal("ledger.entries.add", { text: 1 })).toContain("ArgumentValidationError");
    expect(await refusal("ledger.entries.add", {})).toContain("missing the required field `text`");
  });

  test("reaches public functions alone, of components that are there", async () => {
    expect(await refusal("ledger.entries.hidden")).toContain(
      'Child component "ledger" does not export ["entries","hidden"]',
    );
    expect(await refusal("ledger.entries.nothing")).toContain("does not export");
    expect(await refusal("ledger.stamps.lib.stamp", { text: "x" })).toContain("does not export");
    expect(await refusal("third.entries.add", { text: "x" })).toContain('Child component "third" not found');
    expect(await refusal("ledger.entries.texts")).toContain(
      "Trying to execute entries.js:texts as Mutation, but it is defined as Query.",
    );
  });

  test("may be a few deep and not without end", async () => {
    expect(await refusal("ledger.entries.dig", { depth: 0 })).toContain(
      "Cross component call depth limit exceeded. Do you have an infinite loop in your app?",
    );
  });

  test("of a query that may be stale sees what is committed and nothing of its mutation", async () => {
    await change("ledger.entries.add", { text: "old" });
    expect(await app.mutation("functions:stale")).toEqual({ fresh: ["old", "new"], stale: ["old"] });
  });

  test("brings nobody's sign-in along", async () => {
    const user: Caller = { kind: "user", identity: { subject: "ada" } };
    const whoAmI = (name: string) => app.call("query", "functions:ask", { name, args: {} }, user);
    expect(await whoAmI("functions:whoAmI")).toBe("ada");
    expect(await whoAmI("ledger.entries.whoAmI")).toBeNull();
    const args = { kind: "query", name: "ledger.entries.whoAmI", args: {} };
    expect(await app.call("action", "functions:act", args, user)).toBeNull();
    const acting: Caller = { kind: "admin", actingAs: { subject: "ada" } };
    expect(
      await app.call("query", "functions:ask", { name: "ledger.entries.whoAmI", args: {} }, acting),
    ).toBeNull();
  });

  test("runs where its component is, with what is declared of its environment", async () => {
    expect(await ask("ledger.entries.metadata")).toMatchObject({
      name: "entries:metadata",
      componentPath: "ledger",
      type: "query",
    });
    const nothing = { SECRET: null };
    expect(await ask("ledger.entries.environment")).toEqual({
      CURRENCY: "EUR",
      GREETING: "hello",
      ...nothing,
    });
    expect(await ask("second.entries.environment")).toEqual({ CURRENCY: "USD", GREETING: null, ...nothing });
  });

  test("can't paginate", async () => {
    expect(await app.failure("query", "functions:ask", { name: "ledger.entries.page", args: {} })).toContain(
      "paginate() is only supported in the app.",
    );
  });

  test("from an action comes to the same", async () => {
    await act("mutation", "ledger.entries.add", { text: "by an action" });
    expect(await act("query", "ledger.entries.texts")).toEqual(["by an action"]);
    const failed = await app.failure("action", "functions:act", {
      kind: "mutation",
      name: "ledger.entries.hidden",
      args: {},
    });
    expect(failed).toContain("does not export");
  });
});

describe("from the outside", () => {
  test("nobody but the admin calls a component's functions", async () => {
    const call = { component: "ledger", path: "entries:texts", args: {} };
    const asUser = { ...call, caller: { kind: "anonymous" } as const, internalAllowed: false };
    expect(await app.runtime.call("query", asUser)).toMatchObject({
      ok: false,
      failure: { message: "Could not find public function for 'entries:texts'." },
    });
    expect(await app.runtime.callAny(asUser)).toMatchObject({ ok: false });
    expect(await app.runtime.callAny({ ...call, caller: ADMIN, internalAllowed: true })).toMatchObject({
      ok: true,
      value: "[]",
    });
    for (const path of ["ledger/entries:texts", "_reference/childComponent/ledger/entries/texts"]) {
      expect(await app.failure("query", path)).toContain("Could not find public function");
    }
  });

  test("the admin sees the tables of each", async () => {
    await change("ledger.entries.add", { text: "x" });
    const system = async (path: string, args: Args, component?: string) => {
      const outcome = await app.runtime.call("query", {
        path,
        args: args as never,
        caller: ADMIN,
        internalAllowed: true,
        ...(component === undefined ? {} : { component }),
      });
      return outcome.ok ? (JSON.parse(outcome.value) as { page: object[] }) : outcome.failure.message;
    };
    const tables = "_system/cli/tables:default";
    expect(await system(tables, {}, "ledger/stamps")).toMatchObject({ page: [{ name: "stamps" }] });
    const paginationOpts = { numItems: 5, cursor: null };
    const data = { table: "entries", order: "asc", paginationOpts };
    expect(await system("_system/cli/tableData:default", data, "ledger")).toMatchObject({
      page: [{ text: "x" }],
    });
    expect(await system("_system/cli/tableData:default", data)).toMatchObject({ page: [] });
    expect(await system(tables, {}, "third")).toContain("Could not find");
    expect(await system("_system/frontend/components:list", {})).toMatchObject([
      { path: "" },
      { path: "ledger", name: "ledger" },
      { path: "ledger/stamps", name: "stamps" },
      { path: "second", name: "second" },
      { path: "second/stamps" },
    ]);
  });
});

describe("commit timestamps", () => {
  type Stamped = { isNewest: boolean; at: unknown; snapshot: bigint };

  test("are those of the commits, behind all that were read, and the largest until then", async () => {
    const first = await change<Stamped>("ledger.entries.stamp", { text: "a" });
    const committed = app.database.timestamp;
    const second = await change<Stamped>("ledger.entries.stamp", { text: "b" });
    expect(await ask("ledger.entries.stamped")).toEqual([
      { text: "a", at: committed },
      { text: "b", at: app.database.timestamp },
    ]);
    expect(first).toMatchObject({ isNewest: true, at: committed });
    expect(second).toMatchObject({ isNewest: true, snapshot: committed });
    expect(first.snapshot).toBeLessThan(committed);
  });

  test("may be read by queries within the mutation, however much these give", async () => {
    for (const [before, text] of ["a", "b".repeat(200), "c"].entries()) {
      expect(await change("ledger.entries.stampAndCount", { text })).toBe(before + 1);
    }
  });

  test("are found by their index, and not under what stood there before", async () => {
    const { at } = await change<{ at: bigint }>("ledger.entries.stamp", { text: "a" });
    await change("ledger.entries.stamp", { text: "b" });
    const after = (from: bigint) =>
      app.runtime.callAny({
        component: "ledger/stamps",
        path: "lib:after",
        args: { at: { $integer: int64(from) } },
        caller: ADMIN,
        internalAllowed: true,
      });
    expect(await after(at - 1n)).toMatchObject({ value: '["a","b"]' });
    expect(await after(at)).toMatchObject({ value: '["b"]' });
    expect(await after(app.database.timestamp)).toMatchObject({ value: "[]" });
  });

  function int64(value: bigint): string {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes.toString("base64");
  }
});

describe("function handles", () => {
  const handleOf = (name: string) => app.query<string>("functions:handle", { name });

  test("let a component call what its user has and it can't name", async () => {
    const handle = await handleOf("functions:add");
    expect(handle).toMatch(/^function:\/\/\w+#functions:add$/);
    expect(await app.call("action", "functions:handleOfAction", { name: "functions:add" })).toBe(handle);
    await change("ledger.jobs.now", { handle, args: { text: "called back" } });
    expect(await ownTexts()).toEqual(["called back"]);
    expect(await handleOf(handle)).toBe(handle);
  });

  test("are of one component's function and no other's", async () => {
    const [ledger, second] = [await handleOf("ledger.entries.add"), await handleOf("second.entries.add")];
    expect(ledger).not.toBe(second);
    await change(second, { text: "x" });
    expect([await texts("ledger"), await texts("second")]).toEqual([[], ["x"]]);
    await act("mutation", ledger, { text: "y" });
    expect(await texts("ledger")).toEqual(["y"]);
  });

  test("that nobody has given lead nowhere, whatever name they bear", async () => {
    const handle = await handleOf("ledger.entries.add");
    const forged = handle.replace(/\/\/\w/, "//k");
    const nameless = `${forged.split("#")[0] ?? ""}#functions:add`;
    for (const wrong of [forged, nameless, "function://", "function://x#functions:add"]) {
      expect(await refusal(wrong, { text: "x" })).toContain("Function handle not found");
    }
    expect(await handleOf(forged)).toBe(forged);
    expect(await app.failure("query", "functions:handle", { name: "functions:none" })).toContain(
      "Could not find function for 'functions:none'",
    );
    expect(await app.failure("query", "functions:handle", { name: "ledger.entries.hidden" })).toContain(
      "does not export",
    );
  });

  test("and data and ids are the same after a restart", async () => {
    const [store, secret] = [new MemoryStore(), randomBytes(32)];
    app = await start(store, secret);
    const handle = await handleOf("ledger.entries.add");
    const id = await change<string>("ledger.entries.add", { text: "before" });
    await change("second.entries.stamp", { text: "stamped" });
    await app.database.durable();
    app = await start(store, secret);
    await change(handle, { text: "after" });
    expect(await texts("ledger")).toEqual(["before", "after"]);
    expect(await ask("ledger.entries.get", { id })).toMatchObject({ text: "before" });
    expect(await ask("second.entries.stamped")).toMatchObject([{ text: "stamped" }]);
  });
});

describe("scheduled functions", () => {
  const clock = new TestClock();

  async function untilDone(read: () => Promise<ScheduledJob[]>): Promise<ScheduledJob[]> {
    return app.until(read, (jobs) => jobs.length > 0 && jobs.every((job) => job.completedTime !== undefined));
  }
  const ownJobs = () => app.query<ScheduledJob[]>("functions:jobs");
  const jobsOf = (component: string) => ask<ScheduledJob[]>(`${component}.jobs.all`);
  /** What is there besides what the crons have added. */
  const added = async (component: string) => (await texts(component)).filter((text) => text !== "tick");

  test("are in the table of who has scheduled them, and run where they are", async () => {
    const scheduler = await app.startScheduler(clock);
    const id = await change<string>("ledger.jobs.later", { text: "later", delayMs: 0 });
    const [job] = await untilDone(() => jobsOf("ledger"));
    expect(job).toMatchObject({ _id: id, name: "entries.js:add", state: { kind: "success" } });
    expect(await added("ledger")).toEqual(["later"]);
    expect(await added("second")).toEqual([]);
    expect(await ownJobs()).toEqual([]);
    expect(await app.query("functions:job", { id })).toBeNull();
    expect(await ask("second.jobs.get", { id })).toBeNull();
    await scheduler.close();
  });

  test("may be a child's, or whatever a handle stands for", async () => {
    const scheduler = await app.startScheduler(clock);
    await app.mutation("functions:schedule", {
      name: "second.entries.add",
      args: { text: "down" },
      delayMs: 0,
    });
    const [down] = await untilDone(ownJobs);
    expect(down).toMatchObject({ name: "entries.js:add", state: { kind: "success" } });
    expect(await added("second")).toEqual(["down"]);

    const handle = await app.query<string>("functions:handle", { name: "functions:add" });
    await change("ledger.jobs.laterBy", { handle, args: { text: "up" } });
    const [up] = await untilDone(() => jobsOf("ledger"));
    expect(up).toMatchObject({ name: "functions.js:add", state: { kind: "success" } });
    expect(await ownTexts()).toEqual(["up"]);
    await scheduler.close();
  });

  test("can't be cancelled by another component", async () => {
    const id = await change<string>("ledger.jobs.later", { text: "x", delayMs: 60_000 });
    await change("second.jobs.cancel", { id });
    expect(await ask("ledger.jobs.get", { id })).toMatchObject({ state: { kind: "pending" } });
    await change("ledger.jobs.cancel", { id });
    expect(await ask("ledger.jobs.get", { id })).toMatchObject({ state: { kind: "canceled" } });
  });

  test("and crons run in every instance", async () => {
    const scheduler = await app.startScheduler(clock);
    await app.until(
      async () => [...(await texts("ledger")), ...(await texts("second"))],
      (ticks) => ticks.length === 2,
    );
    expect([await texts("ledger"), await texts("second"), await ownTexts()]).toEqual([
      ["tick"],
      ["tick"],
      [],
    ]);
    await scheduler.close();
    expect(app.faults).toEqual([]);
  });
});

test("files are those of the component that has stored them", async () => {
  const { id } = await act<{ id: string }>("action", "ledger.jobs.store", { text: "content" });
  expect(await texts("ledger")).toEqual(["content"]);
  expect(await ask("ledger.jobs.files")).toEqual([id]);
  expect(await ask("second.jobs.files")).toEqual([]);
  expect(await ask("ledger.jobs.urlOf", { id })).toContain("/api/storage/");
  expect(await ask("second.jobs.urlOf", { id })).toBeNull();
});
