/** Components that others have published run as they are. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Scheduler } from "../../embedded/scheduler/scheduler";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import { startRuntime, type TestRuntime } from "./harness";

const PACKAGES_APP = fileURLToPath(new URL("./packagesApp", import.meta.url));

let app: TestRuntime;
let scheduler: Scheduler;

beforeAll(async () => {
  app = await startRuntime(new MemoryStore(), { appFolder: PACKAGES_APP });
  scheduler = await app.startScheduler();
});
afterAll(() => scheduler.close());

test("@convex-dev/rate-limiter limits at once, in the transaction of the caller", async () => {
  expect(await app.mutation("work:take", { name: "atOnce", count: 2 })).toBe(true);
  expect(await app.mutation("work:take", { name: "atOnce", count: 2 })).toBe(false);
  expect(await app.mutation("work:take", { name: "atOnce", count: 1 })).toBe(true);
  expect(await app.query("work:left", { name: "atOnce" })).toBeLessThan(1);
});

test("@convex-dev/rate-limiter limits later, by its own nested worker, where it is told to", async () => {
  expect(await app.mutation("work:take", { name: "later", count: 2 })).toBe(true);
  const left = await app.until(
    () => app.query<number>("work:left", { name: "later" }),
    (value) => value < 3,
  );
  expect(left).toBeLessThan(1.1);
  expect(await app.mutation("work:take", { name: "later", count: 2 })).toBe(false);
});

test("@convex-dev/sharded-counter counts over all of its shards", async () => {
  for (const by of [5, -2, 10, 0.5]) await app.mutation("work:count", { by });
  expect(await app.query("work:counted")).toBe(13.5);
});

test("@convex-dev/workpool runs work and calls back with how it has ended", async () => {
  await app.mutation("work:enqueue", { texts: ["a", "b", "c"], fails: false });
  await app.mutation("work:enqueue", { texts: ["d"], fails: true });
  const done = await app.until(
    () => app.query<string[]>("work:done"),
    (rows) => rows.length === 4,
  );
  expect(done.toSorted()).toEqual(["a: A", "b: B", "c: C", "d: failed"]);
  expect(app.faults).toEqual([]);
});
