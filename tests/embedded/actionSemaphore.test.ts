import { expect, test } from "vitest";
import { closeGate, startRuntime } from "./harness";

const ADMIN = { kind: "admin" } as const;
const MAX_ACTIONS = 64;

test("64 actions run at a time; the others wait, and run when one of them has ended", async () => {
  const runtime = await startRuntime();
  const openGate = closeGate();
  const started = () => runtime.query<string[]>("notes:byAuthor", { author: "cron" });
  const calls = Array.from({ length: MAX_ACTIONS + 6 }, () =>
    runtime.call("action", "ticks:actSlowly", {}, ADMIN),
  );
  await runtime.until(started, ({ length }) => length === MAX_ACTIONS);
  await runtime.mutation("notes:add", { author: "other", text: "mutations go on" });
  expect(await started()).toHaveLength(MAX_ACTIONS);
  openGate();
  await Promise.all(calls);
  expect(await started()).toHaveLength(MAX_ACTIONS + 6);
});

test("actions that actions call wait for nobody", async () => {
  const runtime = await startRuntime();
  const calls = Array.from({ length: 2 * MAX_ACTIONS }, () =>
    runtime.call<string[]>("action", "outside:addTwoInside", { author: "a" }),
  );
  expect((await Promise.all(calls)).flat()).toHaveLength(4 * MAX_ACTIONS);
});
