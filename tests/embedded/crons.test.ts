import { cronJobs, makeFunctionReference } from "convex/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exportCrons, readCrons, type CronSpec } from "../../embedded/functions/cronSpecs";
import { Crons } from "../../embedded/scheduler/crons";
import { Runner } from "../../embedded/scheduler/runner";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import { closeGate, startRuntime, TestClock, type TestRuntime } from "./harness";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

let store: MemoryStore;
let app: TestRuntime;
let clock: TestClock;
const started: Crons[] = [];

beforeEach(async () => {
  store = new MemoryStore();
  clock = new TestClock();
  app = await startRuntime(store);
});

afterEach(async () => {
  for (const crons of started.splice(0)) await crons.close();
  expect(app.faults).toEqual([]);
});

async function startCrons(specs: ReadonlyMap<string, CronSpec>): Promise<Crons> {
  const { runtime, database } = app;
  const common = {
    runtime,
    database,
    clock,
    onLog: app.onLog,
    onFault: (error: unknown) => app.faults.push(error),
  };
  const crons = new Crons({ ...common, runner: new Runner(common) });
  started.push(crons);
  await crons.use(new Map([["", specs]]));
  return crons;
}

const ticks = () => app.query<string[]>("notes:byAuthor", { author: "cron" });
const ticked = (times: number) => app.until(ticks, (texts) => texts.length >= times);
const every = (minutes: number, path = "ticks:tick", text = "tick"): CronSpec => ({
  path,
  args: path === "ticks:tick" ? { text } : {},
  schedule: { kind: "interval", everyMs: minutes * MINUTE_MS },
});
const only = (spec: CronSpec) => new Map([["only", spec]]);

describe("crons", () => {
  test("an interval begins when it is declared; its runs follow each other by it", async () => {
    await startCrons(only(every(10)));
    await ticked(1);
    for (let times = 2; times <= 4; times++) {
      clock.advance(9 * MINUTE_MS);
      expect(await ticks()).toHaveLength(times - 1);
      clock.advance(MINUTE_MS);
      await ticked(times);
    }
    expect(app.log).toEqual([]);
  });

  test("the crons of the app's crons.ts run at their times of the day", async () => {
    const daily = app.runtime.app.root.crons.get("at four");
    expect(daily).toEqual({
      path: "ticks:act",
      args: { text: "daily" },
      schedule: { kind: "calendar", expression: "30 4 * * *" },
    });
    await startCrons(new Map(daily ? [["at four", daily]] : []));
    expect(new Date(clock.nextAtMs).toISOString()).toMatch(/T04:30:00.000Z$/);
    clock.advance(clock.nextInMs);
    expect(await ticked(2)).toEqual(["daily begins", "daily ends"]);
  });

  test("of the runs that were missed, one is made up for and the others are skipped and logged", async () => {
    const before = await startCrons(only(every(10)));
    await ticked(1);
    await before.close();
    clock.advance(55 * MINUTE_MS);
    await startCrons(only(every(10)));
    await ticked(2);
    await started.at(-1)?.close();
    expect(await ticks()).toHaveLength(2);
    expect(app.log).toEqual([
      expect.stringMatching(/^\[only\] \[WARN\] Skipping the runs from .* on; the next one is at /),
    ]);
    expect(clock.nextInMs).toBe(Infinity);
    await startCrons(only(every(10)));
    expect(clock.nextInMs).toBeLessThanOrEqual(5 * MINUTE_MS);
    expect(await ticks()).toHaveLength(2);
  });

  test("a cron never overlaps itself", async () => {
    const open = closeGate();
    await startCrons(only(every(10, "ticks:actSlowly")));
    await ticked(1);
    clock.advance(25 * MINUTE_MS);
    expect(await ticks()).toHaveLength(1);
    open();
    await app.until(
      async () => app.log.length,
      (lines) => lines > 0,
    );
    expect(app.log).toEqual([expect.stringContaining("Skipping the runs from")]);
    expect(await ticks()).toHaveLength(1);
  });

  test("a run that fails is logged, and the next one comes at its time", async () => {
    await startCrons(only(every(10, "ticks:fail")));
    const failures = () =>
      app.log.filter((line) => line.startsWith("[ticks:fail] [ERROR] Uncaught Error: ticked badly"));
    await app.until(
      async () => failures(),
      (lines) => lines.length === 1,
    );
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(10 * MINUTE_MS);
    await app.until(
      async () => failures(),
      (lines) => lines.length === 2,
    );
    expect(failures()).toHaveLength(2);
  });

  test("a cron whose action was cut off goes on with its next run", async () => {
    const open = closeGate();
    await startCrons(only(every(10, "ticks:actSlowly")));
    await ticked(1);
    app = await startRuntime(store);
    await startCrons(only(every(10, "ticks:actSlowly")));
    expect(app.log).toEqual(["[only] [ERROR] Transient error while executing action"]);
    expect(await ticks()).toHaveLength(1);
    open();
    clock.advance(10 * MINUTE_MS);
    await ticked(2);
  });

  test("changed arguments keep the time of the next run, a changed schedule starts anew, a removed cron is gone", async () => {
    const crons = await startCrons(only(every(10)));
    await ticked(1);
    await crons.use(new Map([["", only(every(10, "ticks:tick", "changed"))]]));
    clock.advance(9 * MINUTE_MS);
    expect(await ticks()).toEqual(["tick"]);
    clock.advance(MINUTE_MS);
    expect(await ticked(2)).toEqual(["tick", "changed"]);
    await crons.use(new Map([["", only(every(60, "ticks:tick", "hourly"))]]));
    expect(await ticked(3)).toEqual(["tick", "changed", "hourly"]);
    await crons.use(new Map());
    clock.advance(DAY_MS);
    expect(clock.nextInMs).toBe(Infinity);
    expect(await ticks()).toHaveLength(3);
  });
});

describe("declaring crons", () => {
  const declare = (schedule: (crons: ReturnType<typeof cronJobs>) => void) => {
    const crons = cronJobs();
    schedule(crons);
    return readCrons(exportCrons(crons), app.runtime.app.root.functions);
  };
  const tick = makeFunctionReference<"mutation", { text: string }>("ticks:tick");
  const args = { text: "x" };

  test.each<[string, (crons: ReturnType<typeof cronJobs>) => void, string]>([
    ["hourly", (crons) => crons.hourly("x", { minuteUTC: 5 }, tick, args), "5 * * * *"],
    ["daily", (crons) => crons.daily("x", { hourUTC: 3 }, tick, args), "0 3 * * *"],
    [
      "weekly",
      (crons) => crons.weekly("x", { dayOfWeek: "tuesday", hourUTC: 3, minuteUTC: 7 }, tick, args),
      "7 3 * * 2",
    ],
    [
      "monthly",
      (crons) => crons.monthly("x", { day: 31, hourUTC: 3, minuteUTC: 7 }, tick, args),
      "7 3 31 * *",
    ],
    ["cron", (crons) => crons.cron("x", "*/5 1-3 * * MON", tick, args), "*/5 1-3 * * MON"],
  ])("%s is a cron expression in UTC", (_kind, schedule, expression) => {
    expect(declare(schedule).get("x")?.schedule).toEqual({ kind: "calendar", expression });
  });

  test.each<[string, (crons: ReturnType<typeof cronJobs>) => void, string]>([
    [
      "a function that is not there",
      (crons) => crons.interval("x", { hours: 1 }, makeFunctionReference<"mutation">("ticks:tock"), {}),
      "The cron job 'x' schedules a function that does not exist: ticks.js:tock",
    ],
    [
      "a query",
      (crons) => crons.interval("x", { hours: 1 }, makeFunctionReference<"mutation">("notes:all"), {}),
      "The cron job 'x' schedules a query function, only actions and mutations can be scheduled: notes.js:all",
    ],
    ["nonsense", (crons) => crons.cron("x", "now and then", tick, args), "CronPattern"],
    [
      "a day that never comes",
      (crons) => crons.cron("x", "0 0 31 2 *", tick, args),
      "will never match any time",
    ],
  ])("%s is refused when the app is loaded", (_what, schedule, message) => {
    expect(() => declare(schedule)).toThrow(message);
  });

  test("what is no Crons object is refused", () => {
    expect(() => exportCrons(undefined)).toThrow("must have a default export of a Crons object");
    expect(() => exportCrons({})).toThrow("is not a Crons object");
  });
});
