import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ANONYMOUS } from "../../embedded/functions/caller";
import { once } from "../../embedded/functions/enclosure";
import type { ScheduledJob } from "../../embedded/functions/scheduledJobs";
import type { Scheduler } from "../../embedded/scheduler/scheduler";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import type { Store } from "../../embedded/storage/store";
import { replayKey } from "../../embedded/transaction/keys";
import { closeGate, startRuntime, TestClock, type TestRuntime } from "./harness";

const DAY_MS = 24 * 3600 * 1000;

let app: TestRuntime;
let clock: TestClock;
let scheduler: Scheduler;

async function start(store?: Store): Promise<void> {
  app = await startRuntime(store);
  clock = new TestClock();
  scheduler = await app.startScheduler(clock);
}

beforeEach(() => start());

afterEach(async () => {
  await scheduler.close();
  expect(app.faults.splice(0)).toEqual([]);
});

const job = (id: string) => app.query<ScheduledJob | null>("jobs:get", { id });
const jobs = () => app.query<ScheduledJob[]>("jobs:all");
const notes = () => app.query<string[]>("notes:byAuthor", { author: "job" });
const note = { path: "notes:add", args: { author: "job", text: "hello" } };

async function later(args: Record<string, never> | object): Promise<string> {
  return app.mutation<string>("jobs:later", args as Record<string, string>);
}

async function ended(id: string): Promise<ScheduledJob> {
  const found = await app.until(
    () => job(id),
    (row) => row?.completedTime !== undefined,
  );
  return found as ScheduledJob;
}

describe("scheduling", () => {
  test("a scheduled function is a document in Convex's shape, before it runs and after", async () => {
    const before = Date.now();
    const id = await later({ ...note, delayMs: 60_000 });
    const waiting = await job(id);
    expect(waiting).toEqual({
      _id: id,
      _creationTime: expect.any(Number),
      name: "notes.js:add",
      args: [note.args],
      scheduledTime: expect.any(Number),
      state: { kind: "pending" },
    });
    expect(waiting?.scheduledTime).toBeGreaterThanOrEqual(before + 60_000);
    expect(await notes()).toEqual([]);
    clock.advance(60_000);
    expect(await ended(id)).toEqual({
      ...waiting,
      state: { kind: "success" },
      completedTime: expect.any(Number),
    });
    expect(await notes()).toEqual(["hello"]);
  });

  test("functions that are due at the same time are run in the order in which they were scheduled", async () => {
    const texts = Array.from({ length: 40 }, (_, index) => `note ${index}`);
    const atMs = clock.now() + 1000;
    await app.mutation("jobs:laterInOrder", { path: "notes:add", author: "job", texts, atMs });
    clock.advance(1000);
    expect(await app.until(notes, ({ length }) => length === texts.length)).toEqual(texts);
  });

  test("a function is run when it is due and not before, whatever is scheduled meanwhile", async () => {
    const late = await later({ ...note, delayMs: 100 * DAY_MS });
    const soon = await later({ ...note, delayMs: 1000 });
    const at = await later(note);
    await ended(at);
    clock.advance(1000);
    await ended(soon);
    expect((await job(late))?.state.kind).toBe("pending");
    clock.advance(99 * DAY_MS);
    clock.advance(DAY_MS);
    await ended(late);
    expect(await notes()).toHaveLength(3);
  });

  test("what is scheduled rolls back with the mutation, and a nested mutation's alone with that", async () => {
    expect(await app.failure("mutation", "jobs:laterAndFail", { text: "never" })).toContain("rolls back");
    expect(await jobs()).toEqual([]);
    expect(await app.mutation("jobs:nested")).toBe("caught");
    const [only, ...others] = await jobs();
    expect(others).toEqual([]);
    await ended(only?._id ?? "");
    expect(await notes()).toEqual(["outer"]);
  });

  test("arguments are nested as deeply as those of any call may be, and no deeper", async () => {
    await app.mutation("jobs:laterNested", { levels: 64 });
    expect(await app.until(notes, ({ length }) => length > 0)).toEqual(["64 levels"]);
    expect(await app.failure("mutation", "jobs:laterNested", { levels: 65 })).toContain(
      "Value is too nested (nested 65 levels deep > maximum nesting 64)",
    );
  });

  test("an action schedules and cancels at once", async () => {
    const [kept = "", dropped = ""] = await app.call<string[]>("action", "jobs:laterFromAction");
    expect((await ended(kept)).state.kind).toBe("success");
    expect((await job(dropped))?.state.kind).toBe("canceled");
    expect(await notes()).toEqual(["kept"]);
  });

  test.each([
    [
      "a module that is not there",
      { path: "nothing:here" },
      "Attempted to schedule function at nonexistent path: nothing.js",
    ],
    [
      "a function that is not there",
      { path: "notes:nothing" },
      "Attempted to schedule function, but no exported function nothing found in the file: notes.js. Did you forget to export it?",
    ],
    ["a far future", { ...note, delayMs: 1900 * DAY_MS }, "is more than 5 years in the future"],
  ])("%s is refused in Convex's words", async (_what, args, message) => {
    expect(await app.failure("mutation", "jobs:later", args)).toContain(message);
    expect(await jobs()).toEqual([]);
  });

  test("one mutation schedules 1,000 functions, each runs once, and no mutation schedules more", async () => {
    const many = { ...note, times: 1000 };
    await app.mutation("jobs:laterMany", many);
    await app.until(
      () => app.query<number>("jobs:countPending"),
      (pending) => pending === 0,
    );
    expect(await notes()).toHaveLength(1000);
    expect(await app.failure("mutation", "jobs:laterMany", { ...many, times: 1001 })).toContain(
      "Too many functions scheduled by this mutation (limit: 1000)",
    );
    const text = "x".repeat(6 * 1024 * 1024);
    const large = { path: "notes:add", args: { author: "job", text }, times: 3 };
    expect(await app.failure("mutation", "jobs:laterMany", large)).toContain(
      "Too large total size of the arguments of scheduled functions from this mutation (limit: 16777216 bytes)",
    );
  });

  test("a mutation sees how much it has scheduled", async () => {
    expect(await app.mutation("jobs:metrics")).toEqual({
      functionsScheduled: { used: 1, remaining: 999 },
      scheduledFunctionArgsBytes: { used: 24, remaining: 16 * 1024 * 1024 - 24 },
    });
  });
});

describe("cancelling", () => {
  test("a cancelled function does not run, and cancelling it again changes nothing", async () => {
    const id = await later({ ...note, delayMs: 1000 });
    await app.mutation("jobs:cancel", { id });
    const canceled = await job(id);
    expect(canceled).toMatchObject({ state: { kind: "canceled" }, completedTime: expect.any(Number) });
    await app.mutation("jobs:cancel", { id });
    expect(await job(id)).toEqual(canceled);
    clock.advance(2000);
    await ended(await later(note));
    expect(await notes()).toEqual(["hello"]);
  });

  test("a function can be scheduled and cancelled in one mutation", async () => {
    const id = await app.mutation<string>("jobs:laterAndCancel");
    expect((await job(id))?.state.kind).toBe("canceled");
  });

  test("a function that has run stays as it ended", async () => {
    const id = await later(note);
    const done = await ended(id);
    await app.mutation("jobs:cancel", { id });
    expect(await job(id)).toEqual(done);
  });

  test("an id of anything else is refused in Convex's words", async () => {
    expect(await app.failure("mutation", "jobs:cancel", { id: "no id" })).toContain(
      "Invalid argument `id` for `db.cancel_job`: Unable to decode ID",
    );
    const id = await app.mutation<string>("notes:add", note.args);
    expect(await app.failure("mutation", "jobs:cancel", { id })).toContain(
      "Invalid scheduled function ID. The ID must be an ID on the '_scheduled_functions' table.",
    );
  });

  test("a mutation that cancels itself goes on, with a warning", async () => {
    const id = await later({ path: "jobs:cancelSelf" });
    expect((await ended(id)).state.kind).toBe("success");
    expect(await notes()).toEqual(["after cancelling"]);
    expect(app.log.join("\n")).toContain("A scheduled mutation canceling itself is deprecated");
  });

  test("what a cancelled action schedules is cancelled from the start", async () => {
    const parent = await later({ path: "jobs:cancelSelfAndSchedule" });
    const [first, child] = await app.until(jobs, (rows) => rows.length === 2);
    expect([first?._id, first?.state.kind, child?.state.kind]).toEqual([parent, "canceled", "canceled"]);
    await scheduler.close();
    expect(await notes()).toEqual([]);
    expect((await job(parent))?.state.kind).toBe("canceled");
  });
});

describe("running", () => {
  test("a mutation sees itself in progress, has no identity, and nobody else sees it in progress", async () => {
    const id = await later({ path: "jobs:noteSelf", args: { text: "self" } });
    await ended(id);
    expect(await notes()).toEqual(["self: inProgress true"]);
  });

  test("an action is in progress for all to see, and its log is told", async () => {
    const id = await later({ path: "jobs:act", args: { text: "by action" } });
    expect((await ended(id)).state).toEqual({ kind: "success" });
    expect(await notes()).toEqual(["by action: inProgress true"]);
    expect(app.log).toContain("[jobs:act] [LOG] 'acting'");
  });

  test.each([
    ["a mutation that throws", "jobs:fail", {}, "Uncaught Error: scheduled to fail"],
    ["an action that throws", "jobs:failToAct", {}, "Uncaught Error: acted badly"],
    ["a mutation with wrong arguments", "notes:add", {}, "ArgumentValidationError"],
    [
      "a query",
      "notes:all",
      {},
      'Unsupported function type. "all" in module "notes.js" is defined as a Query.',
    ],
  ])("%s has failed for good, and says why", async (_what, path, args, error) => {
    const { state } = await ended(await later({ path, args }));
    expect(state).toEqual({ kind: "failed", error: expect.stringContaining(error) });
    expect(await notes()).toEqual([]);
  });

  test("a mutation that writes as much as it may is not cut short by the note of its end", async () => {
    expect((await ended(await later({ path: "jobs:writeToTheLimit" }))).state).toEqual({ kind: "success" });
  });
});

describe("after a restart", () => {
  test("an action that was cut off has failed, and is not run again", async () => {
    const store = new MemoryStore();
    await scheduler.close();
    await start(store);
    const open = closeGate();
    const id = await later({ path: "ticks:actSlowly" });
    await app.until(
      () => job(id),
      (row) => row?.state.kind === "inProgress",
    );
    const cutOff = scheduler;
    await start(store);
    expect((await ended(id)).state).toEqual({
      kind: "failed",
      error: "Transient error while executing action",
    });
    open();
    await cutOff.close();
  });

  test("what is scheduled is run, and what ran is not run again", async () => {
    const store = new MemoryStore();
    await scheduler.close();
    await start(store);
    await ended(await later(note));
    await scheduler.close();
    const id = await later({ path: "notes:add", args: { author: "job", text: "while nobody ran it" } });
    await start(store);
    await ended(id);
    expect(await notes()).toEqual(["hello", "while nobody ran it"]);
  });
});

describe("what is kept", () => {
  test("a completed function goes after seven days, and one that waits stays", async () => {
    const done = await later(note);
    await ended(done);
    const waiting = await later({ ...note, delayMs: 300 * DAY_MS });
    // It is looked at at every start.
    const restartAfter = async (days: number) => {
      await scheduler.close();
      clock.advance(days * DAY_MS);
      scheduler = await app.startScheduler(clock);
    };
    await restartAfter(6);
    await restartAfter(0.9);
    expect(await job(done)).not.toBeNull();
    await restartAfter(0.2);
    await app.until(
      () => job(done),
      (row) => row === null,
    );
    expect((await job(waiting))?.state.kind).toBe("pending");
  });

  test("the result of a mutation that may be sent again goes after fourteen days", async () => {
    const call = { path: "notes:add", args: note.args, caller: ANONYMOUS, internalAllowed: false };
    const send = () => app.runtime.call("mutation", { ...call, enclosure: once("session:1") });
    const first = await send();
    expect(await send()).toMatchObject({ ok: true, value: first.ok && first.value });
    expect(await notes()).toHaveLength(1);
    // Day by day, as the first look is taken at the start, and each other one a day after the one before has ended.
    let days = 0;
    for (; app.database.get(replayKey("session:1")) !== undefined; days++) {
      clock.advance(DAY_MS);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(days).toBeGreaterThanOrEqual(14);
  });
});

describe("when the disk fails", () => {
  test("a mutation is tried again until it is stored, and then has run once", async () => {
    const store = new MemoryStore();
    await scheduler.close();
    await start(store);
    await scheduler.close();
    const id = await later(note);
    const commit = store.commit.bind(store);
    let failures = 2;
    store.commit = (writes) => (failures-- > 0 ? Promise.reject(new Error("disk full")) : commit(writes));
    scheduler = await app.startScheduler(clock);
    for (let pause = 0; pause < 2; pause++) {
      // It rests for a moment; the other timers are crons and housekeeping.
      while (clock.nextInMs > 60_000) await new Promise((resolve) => setImmediate(resolve));
      clock.advance(clock.nextInMs + 1);
    }
    await ended(id);
    expect(await notes()).toEqual(["hello"]);
    expect(app.faults.splice(0).length).toBeGreaterThan(0);
  });
});
