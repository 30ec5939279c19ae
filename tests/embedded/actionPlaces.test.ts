import { expect, test } from "vitest";
import { closeGate, startRuntime } from "./harness";

const ADMIN = { kind: "admin" } as const;
const PLACES = 64;

test("64 actions run at a time; the others wait, and run when there is a place", async () => {
  const runtime = await startRuntime();
  const openGate = closeGate();
  const started = () => runtime.query<string[]>("notes:byAuthor", { author: "cron" });
  const calls = Array.from({ length: PLACES + 6 }, () =>
    runtime.call("action", "ticks:actSlowly", {}, ADMIN),
  );
  await runtime.until(started, ({ length }) => length === PLACES);
  await runtime.mutation("notes:add", { author: "other", text: "mutations go on" });
  expect(await started()).toHaveLength(PLACES);
  openGate();
  await Promise.all(calls);
  expect(await started()).toHaveLength(PLACES + 6);
});

test("actions that actions call wait for no place of their own", async () => {
  const runtime = await startRuntime();
  const calls = Array.from({ length: 2 * PLACES }, () =>
    runtime.call<string[]>("action", "outside:addTwoInside", { author: "a" }),
  );
  expect((await Promise.all(calls)).flat()).toHaveLength(4 * PLACES);
});
