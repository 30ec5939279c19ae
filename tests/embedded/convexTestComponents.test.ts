import { RateLimiter, SECOND } from "@convex-dev/rate-limiter";
import type { ComponentApi } from "@convex-dev/rate-limiter/_generated/component.js";
import rateLimiterTest from "@convex-dev/rate-limiter/test";
import {
  componentsGeneric,
  makeFunctionReference,
  mutationGeneric,
  type FunctionReference,
} from "convex/server";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { convexTest } from "../../embedded/convexTest";
import schema from "./componentApp/schema";
import ledgerSchema from "./componentApp/ledger/schema";
import stampsSchema from "./componentApp/ledger/stamps/schema";

const generated = (folder: string) => ({ [`${folder}/_generated/api.js`]: () => Promise.resolve({}) });
const app = { ...generated("./componentApp"), ...import.meta.glob("./componentApp/*.ts") };
const ledger = { ...generated("./componentApp/ledger"), ...import.meta.glob("./componentApp/ledger/*.ts") };
const stamps = {
  ...generated("./componentApp/ledger/stamps"),
  ...import.meta.glob("./componentApp/ledger/stamps/*.ts"),
};

function newBackend() {
  const t = convexTest(schema, app);
  // The nested one first: the order is the test's affair.
  t.registerComponent("ledger/stamps", stampsSchema, stamps);
  t.registerComponent("ledger", ledgerSchema, ledger);
  return t;
}
type Backend = ReturnType<typeof newBackend>;

const call = (t: Backend, name: string, args: object = {}): Promise<unknown> =>
  t.mutation(makeFunctionReference<"mutation">("functions:change"), { name, args });
const ask = (t: Pick<Backend, "query">, name: string, args: object = {}): Promise<unknown> =>
  t.query(makeFunctionReference<"query">("functions:ask"), { name, args });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a component has its own tables, and nested ones theirs", async () => {
  const t = newBackend();
  await call(t, "ledger.entries.add", { text: "in the ledger" });
  await call(t, "ledger.entries.stamp", { text: "in the stamps" });
  expect(await ask(t, "ledger.entries.texts")).toEqual(["in the ledger"]);
  expect(await ask(t, "ledger.entries.stamped")).toMatchObject([{ text: "in the stamps" }]);
  expect(await t.run((ctx) => ctx.db.query("entries").collect())).toEqual([]);
});

test("what a component's function does is undone with the function that called it", async () => {
  const t = newBackend();
  const survive = makeFunctionReference<"mutation">("functions:survive");
  const message: unknown = await t.mutation(survive, {
    name: "ledger.entries.addAndFail",
    args: { text: "never" },
  });
  expect(message).toBe("Uncaught Error: never can't be kept");
  expect(await ask(t, "ledger.entries.texts")).toEqual([]);
  expect(await ask(t, "functions:texts")).toEqual(["before", "after"]);
});

test("functions of components can be scheduled, and called by handles", async () => {
  const t = newBackend();
  const schedule = makeFunctionReference<"mutation">("functions:schedule");
  await t.mutation(schedule, { name: "ledger.entries.add", args: { text: "later" }, delayMs: 1_000 });
  await t.finishAllScheduledFunctions(vi.runAllTimers);
  const handle = (await t.query(makeFunctionReference<"query">("functions:handle"), {
    name: "ledger.entries.add",
  })) as string;
  await call(t, handle, { text: "by its handle" });
  expect(await ask(t, "ledger.entries.texts")).toEqual(["later", "by its handle"]);
});

test("who is signed in is signed in to the app, not to its components", async () => {
  const ada = newBackend().withIdentity({ subject: "ada" });
  expect(await ask(ada, "functions:whoAmI")).toBe("ada");
  expect(await ask(ada, "ledger.entries.whoAmI")).toBeNull();
});

test("a test may call a component's public functions, and nothing else of it", async () => {
  const t = newBackend();
  const { ledger: child } = componentsGeneric() as unknown as {
    ledger: {
      entries: Record<"add" | "hidden", FunctionReference<"mutation">> & {
        texts: FunctionReference<"query">;
      };
    };
  };
  await t.mutation(child.entries.add, { text: "direct" });
  expect(await t.query(child.entries.texts, {})).toEqual(["direct"]);
  await expect(t.mutation(child.entries.hidden, {})).rejects.toThrow("does not export");
  await expect(ask(t, "nobody.entries.texts")).rejects.toThrow('Child component "nobody" not found');
});

test("a component from a package registers itself with its nested one", async () => {
  const { rateLimiter } = componentsGeneric() as unknown as { rateLimiter: ComponentApi<"rateLimiter"> };
  const limiter = new RateLimiter(rateLimiter, { calls: { kind: "fixed window", rate: 2, period: SECOND } });
  const limited = mutationGeneric({ args: {}, handler: (ctx) => limiter.limit(ctx, "calls") });
  const t = convexTest(undefined, {
    ...generated("."),
    "./limits.ts": () => Promise.resolve({ limited }),
  });
  rateLimiterTest.register(t as never);
  const use = async () =>
    ((await t.mutation(makeFunctionReference<"mutation">("limits:limited"), {})) as { ok: boolean }).ok;
  expect([await use(), await use(), await use()]).toEqual([true, true, false]);
  vi.advanceTimersByTime(SECOND);
  expect(await use()).toBe(true);
});
