import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate } from "node:timers/promises";
import { createContext, runInContext } from "node:vm";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { Watchdog } from "../../embedded/functions/watchdog";

const watchdog = new Watchdog();
const TIMEOUT_MS = 60;

/** Runs work and tells whether it has ended by itself. */
const run = (work: () => void, timeoutMs = TIMEOUT_MS) =>
  new Promise<boolean>((resolve) => watchdog.run(work, timeoutMs, resolve));

const realm = createContext({}, { microtaskMode: "afterEvaluate" });

const ENDLESS: Record<string, () => void> = {
  "a loop": () => {
    for (;;) continue;
  },
  "a loop that catches all": () => {
    for (;;) {
      try {
        for (;;) continue;
      } catch {
        continue;
      }
    }
  },
  "a loop in a finally": () => {
    try {
      throw new Error("on the way");
    } finally {
      for (;;) continue;
    }
  },
  "an async function of a realm": () =>
    void runInContext("(async () => { try { await null; } finally { for (;;); } })()", realm),
  "microtasks of a realm that never run dry": () =>
    void runInContext("(async () => { for (;;) await null; })()", realm),
  "a regular expression": () => void /^(a+)+$/.test(`${"a".repeat(40)}b`),
};

/** Waits until work is watched in the way in which it is in the long run. */
beforeAll(async () => {
  for (let i = 0; i < 50; i++) await setImmediate();
});

test.each(Object.keys(ENDLESS))(
  "%s is cut off again and again, and everything else goes on",
  async (name) => {
    const storage = new AsyncLocalStorage<string>();
    await storage.run("kept", async () => {
      for (let round = 0; round < 3; round++) {
        const happened: string[] = [];
        const others = [
          new Promise<void>((resolve) => process.nextTick(() => resolve())).then(() => happened.push("tick")),
          setImmediate().then(() => happened.push("immediate")),
          run(() => happened.push("work before")),
        ];
        expect(await run(ENDLESS[name] as () => void)).toBe(false);
        expect(await run(() => happened.push("work behind"))).toBe(true);
        await Promise.all(others);
        expect(happened.toSorted()).toEqual(["immediate", "tick", "work before", "work behind"]);
        expect(storage.getStore()).toBe("kept");
      }
    });
  },
);

test("of work whose time is over when it ends, one thing is told: that it has ended, or that it was cut off", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2.5 * TIMEOUT_MS }), async (lengthMs) => {
      let hasEnded = false;
      const endedByItself = await run(() => {
        const endAt = performance.now() + lengthMs;
        while (performance.now() < endAt) continue;
        hasEnded = true;
      });
      expect([hasEnded, !endedByItself]).toContain(true);
      // It is the next piece of work's turn, whatever has become of the one before.
      expect(await run(() => undefined)).toBe(true);
    }),
    { numRuns: 40, endOnFailure: true },
  );
});

test("the event loop turns between two pieces of work, whether they were asked for at once or each asks for the next", async () => {
  let turn = 0;
  let isOver = false;
  const counting = (async () => {
    for (; !isOver; turn++) await setImmediate();
  })();
  const turns: number[] = [];
  const work = () => void turns.push(turn);
  await Promise.all([run(work), run(work), run(work)]);
  await new Promise<void>((resolve) => {
    const ask = (left: number) =>
      watchdog.run(work, TIMEOUT_MS, () => (left === 0 ? resolve() : ask(left - 1)));
    ask(9);
  });
  isOver = true;
  await counting;
  expect(turns).toHaveLength(13);
  expect(new Set(turns).size).toBe(13);
});

test.each([0, 3, 20])(
  "work waits %d turns of the event loop for what goes on coming in each of them, and no longer",
  async (turnsToWait) => {
    await run(() => undefined);
    let turns = 0;
    let hasRun = false;
    const work = run(() => (hasRun = true));
    while (!hasRun) {
      Watchdog.letIn(turnsToWait);
      await setImmediate();
      turns++;
    }
    await work;
    expect(turns).toBeGreaterThanOrEqual(turnsToWait);
    // A turn or two more, as the event loop has it.
    expect(turns).toBeLessThanOrEqual(2 * turnsToWait + 4);
  },
);
