import fc from "fast-check";
import {
  makeFunctionReference,
  type DataModelFromSchemaDefinition,
  type GenericMutationCtx,
} from "convex/server";
import { ConvexError, v } from "convex/values";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { convexTest } from "../../embedded/convexTest";
import { mutation, query } from "./fixture/functions";
import schema from "./fixture/schema";

const fixture = import.meta.glob("./fixture/*.ts");
/** Functions that only these tests need. */
const extra = {
  env: query({ args: {}, handler: () => process.env["FROM_TEST"] ?? null }),
  twice: mutation({
    args: {},
    handler: async (ctx) => {
      const before = (await ctx.db.query("notes").collect()).length;
      await crypto.subtle.digest("SHA-256", new Uint8Array(1));
      await ctx.db.insert("notes", { author: "twice", text: String(before) });
    },
  }),
};
const modules = {
  "./fixture/_generated/api.js": () => Promise.resolve({}),
  "./fixture/extra.ts": () => Promise.resolve(extra),
  ...fixture,
};

const newBackend = () => convexTest(schema, modules);
type Backend = ReturnType<typeof newBackend>;
type MutationCtx = GenericMutationCtx<DataModelFromSchemaDefinition<typeof schema>>;

const add = makeFunctionReference<"mutation", { author: string; text: string }, string>("notes:add");
const all = makeFunctionReference<"query", Record<string, never>, { text: string }[]>("notes:all");
const mutationAt = (path: string) => makeFunctionReference<"mutation">(path);
const actionAt = (path: string) => makeFunctionReference<"action">(path);
const queryAt = (path: string) => makeFunctionReference<"query">(path);

const texts = async (t: Pick<Backend, "query">) => (await t.query(all, {})).map(({ text }) => text);
const note = (text: string) => ({ author: "ada", text });

describe("functions", () => {
  test("of modules are called by their references, internal ones too", async () => {
    const t = newBackend();
    const id = await t.mutation(add, note("hello"));
    expect(await t.query(queryAt("notes:get"), { id })).toMatchObject(note("hello"));
    await expect(t.mutation(mutationAt("notes:addAndFail"), { author: "ada" })).rejects.toThrow(ConvexError);
  });

  test("may be written in the test itself", async () => {
    const t = newBackend();
    const id = await t.mutation((ctx) => ctx.db.insert("notes", note("inline")));
    expect(await t.query(async (ctx) => (await ctx.db.get("notes", id))?.text)).toBe("inline");
    const seen = await t.action(async (ctx) => {
      await ctx.runMutation(add, note("from an action"));
      return ctx.runQuery(all, {});
    });
    expect(seen).toHaveLength(2);
    expect(await t.run(async (ctx) => (await ctx.db.query("notes").collect()).length)).toBe(2);
  });

  test("fail with what they throw, the data of a ConvexError included", async () => {
    const t = newBackend();
    const thrown = new TypeError("of the test's own");
    await expect(t.query(() => Promise.reject(thrown))).rejects.toBe(thrown);
    const data = { code: "NO", big: 7n };
    const fail = () => Promise.reject(new ConvexError(data));
    for (const call of [t.mutation(fail), t.query(fail), t.action(fail)]) {
      await expect(call).rejects.toMatchObject({ data });
    }
  });

  test("are checked as the engine checks them: arguments, results, documents", async () => {
    const t = newBackend();
    await expect(t.mutation(add, { author: "ada" } as never)).rejects.toThrow(
      "ArgumentValidationError: Object is missing the required field `text`",
    );
    await expect(t.mutation(mutationAt("notes:all"), {})).rejects.toThrow(
      "Trying to execute notes.js:all as Mutation, but it is defined as Query.",
    );
    await expect(t.run((ctx) => ctx.db.insert("notes", { text: "x" } as never))).rejects.toThrow(
      'Failed to insert or update a document in table "notes"',
    );
    await expect(t.query(queryAt("notes:nowhere"), {})).rejects.toThrow("Could not find");
  });

  test("see the test's own process.env", async () => {
    vi.stubEnv("FROM_TEST", "stubbed");
    expect(await newBackend().query(queryAt("extra:env"), {})).toBe("stubbed");
    vi.unstubAllEnvs();
    expect(await newBackend().query(queryAt("extra:env"), {})).toBeNull();
  });

  test("have fetch and timers in actions, the test's own ones, and not in queries and mutations", async () => {
    const t = newBackend();
    const stub = vi.fn<typeof fetch>(() => Promise.resolve(new Response("stubbed")));
    vi.stubGlobal("fetch", stub);
    const wait = () => new Promise<void>((resolve) => setTimeout(resolve, 1));
    const get = async () => (await fetch("https://example.com")).text();
    expect(await t.action(get)).toBe("stubbed");
    await t.action(wait);
    for (const call of [t.query(get), t.mutation(get), t.run(get)]) {
      await expect(call).rejects.toThrow("Can't use fetch in queries and mutations");
    }
    await expect(t.mutation(wait)).rejects.toThrow("Can't use setTimeout");
    expect(await t.action((ctx) => ctx.runQuery(queryAt("extra:env"), {}).then(get))).toBe("stubbed");
    expect(stub).toHaveBeenCalledTimes(2);
    vi.unstubAllGlobals();
    expect(fetch).not.toBe(stub);
  });

  test("can be called inside of run, and then see what it has written", async () => {
    const t = newBackend();
    const failing = t.run(async (ctx) => {
      await ctx.db.insert("notes", note("not committed"));
      await t.mutation(add, note("nested"));
      expect(await texts(t)).toEqual(["not committed", "nested"]);
      throw new Error("undo");
    });
    await expect(failing).rejects.toThrow("undo");
    expect(await texts(t)).toEqual([]);
  });
});

describe("transactions", () => {
  test("that fail leave nothing", async () => {
    const t = newBackend();
    const failing = t.run(async (ctx) => {
      await ctx.db.insert("notes", note("never"));
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await texts(t)).toEqual([]);
  });

  test("take back what a nested one has done that failed, and nothing else", async () => {
    const t = newBackend();
    const result = await t.mutation(mutationAt("notes:survive"), { author: "ada" });
    expect(result).toEqual({ caught: { code: "NESTED", author: "ada" }, seen: 2 });
    expect(await texts(t)).toEqual(["before", "after"]);
  });

  test("take back what failed, whatever runs beside it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("write", "nested", "fails"), { maxLength: 12 }),
        async (steps) => {
          const t = newBackend();
          await t.mutation(async (ctx) => {
            await Promise.allSettled(steps.map((step, index) => take(ctx, step, String(index))));
          });
          const kept = steps.flatMap((step, index) => (step === "fails" ? [] : String(index)));
          expect(await texts(t)).toEqual(kept);
        },
      ),
      { numRuns: 25 },
    );
  });

  const take = (ctx: MutationCtx, step: string, text: string): Promise<unknown> => {
    if (step === "write") return ctx.db.insert("notes", note(text));
    return step === "nested"
      ? ctx.runMutation(add, note(text))
      : ctx.runMutation(mutationAt("notes:addAndFail"), { author: text });
  };

  test("run one after another, even if they wait in between", async () => {
    const t = newBackend();
    await Promise.all(Array.from({ length: 10 }, () => t.mutation(mutationAt("extra:twice"), {})));
    expect(await texts(t)).toEqual(Array.from({ length: 10 }, (_, index) => String(index)));
  });

  test("include what a function has not waited for, and nothing that comes after its end", async () => {
    const t = newBackend();
    let late: (() => Promise<unknown>) | undefined;
    await t.mutation((ctx) => {
      void ctx.runMutation(add, note("not awaited"));
      late = () => ctx.db.insert("notes", note("late"));
      return Promise.resolve();
    });
    expect(await texts(t)).toEqual(["not awaited"]);
    await expect(late?.()).rejects.toThrow("only be used while the function runs");
    expect(await texts(t)).toEqual(["not awaited"]);
  });

  test("have Convex's limits, or those that the test sets", async () => {
    const writes = (count: number) => async (ctx: MutationCtx) => {
      for (let i = 0; i < count; i++) await ctx.db.insert("anything", {});
    };
    const t = convexTest({ schema, modules, transactionLimits: { documentsWritten: 3 } });
    await t.run(writes(3));
    await expect(t.run(writes(4))).rejects.toThrow("Too many writes");
    await newBackend().run(writes(4));
  });
});

test("two backends know nothing of each other, even while both are at work", async () => {
  const [one, two] = [newBackend(), newBackend()];
  await one.run(async (ctx) => {
    await ctx.db.insert("notes", note("one"));
    await two.run((inner) => inner.db.insert("notes", note("two")));
    expect(await ctx.db.query("notes").collect()).toMatchObject([note("one")]);
  });
  expect(await texts(one)).toEqual(["one"]);
  expect(await texts(two)).toEqual(["two"]);
});

describe("identities", () => {
  const whoAmI = (t: Pick<Backend, "query">) => t.query((ctx) => ctx.auth.getUserIdentity());

  test("belong to one accessor, and to the calls that its actions make", async () => {
    const t = newBackend();
    const ada = t.withIdentity({ subject: "ada", email: "ada@example.com" });
    const identity = {
      subject: "ada",
      email: "ada@example.com",
      issuer: "https://convex.test",
      tokenIdentifier: "https://convex.test|ada",
    };
    expect(await whoAmI(ada)).toEqual(identity);
    expect(await whoAmI(t)).toBeNull();
    expect(await (await ada.fetch("/identity")).json()).toEqual(identity);
    expect(await ada.action((ctx) => ctx.auth.getUserIdentity())).toEqual(identity);
  });

  test("are completed: the same person has the same token identifier, another one another", async () => {
    const t = newBackend();
    const [ada, adaAgain, bob] = await Promise.all(
      ["Ada", "Ada", "Bob"].map((name) => whoAmI(t.withIdentity({ name }))),
    );
    expect(ada).toEqual(adaAgain);
    expect(bob?.tokenIdentifier).not.toBe(ada?.tokenIdentifier);
  });
});

describe("scheduled functions", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const later = (t: Backend, delayMs: number, path = "notes:add", args: object = note("scheduled")) =>
    t.mutation(mutationAt("jobs:later"), { path, args, delayMs });
  const states = async (t: Backend) =>
    ((await t.query(queryAt("jobs:all"), {})) as { state: { kind: string } }[]).map(
      ({ state }) => state.kind,
    );

  test("run when the test's clock says so, and not before", async () => {
    const t = newBackend();
    await later(t, 0);
    await later(t, 10_000, "notes:add", note("much later"));
    await t.finishInProgressScheduledFunctions();
    expect(await states(t)).toEqual(["pending", "pending"]);
    vi.advanceTimersByTime(9_999);
    await t.finishInProgressScheduledFunctions();
    expect(await states(t)).toEqual(["success", "pending"]);
    vi.advanceTimersByTime(1);
    await t.finishInProgressScheduledFunctions();
    expect(await texts(t)).toEqual(["scheduled", "much later"]);
  });

  test("all fire together when all timers do, however many they are", async () => {
    const t = newBackend();
    for (let i = 0; i < 20; i++) await later(t, i * 60_000);
    vi.runAllTimers();
    await t.finishInProgressScheduledFunctions();
    expect(await texts(t)).toHaveLength(20);
  });

  test("are all finished, with those that they schedule and the timers that actions wait for", async () => {
    const t = newBackend();
    await t.mutation((ctx) =>
      ctx.scheduler.runAfter(5 * 365 * 24 * 3_600_000, mutationAt("jobs:later"), {
        path: "notes:add",
        args: note("scheduled"),
      }),
    );
    await t.action(async (ctx) => {
      await ctx.scheduler.runAfter(1_000, actionAt("jobs:act"), { text: "acted" });
    });
    await t.finishAllScheduledFunctions(vi.runAllTimers);
    expect(await texts(t)).toEqual([expect.stringMatching("^acted: "), "scheduled"]);
  });

  test("that were scheduled before the clock was stopped are finished too", async () => {
    vi.useRealTimers();
    const t = newBackend();
    await later(t, 0);
    vi.useFakeTimers();
    await t.finishAllScheduledFunctions(vi.runAllTimers);
    expect(await texts(t)).toEqual(["scheduled"]);
  });

  test("that schedule each other for ever are found out", async () => {
    const again = mutation({
      args: { path: v.string() },
      handler: (ctx, { path }) => ctx.scheduler.runAfter(0, mutationAt(path), { path }),
    });
    const t = convexTest(schema, { ...modules, "./fixture/again.ts": () => Promise.resolve({ again }) });
    await t.mutation(mutationAt("again:again"), { path: "again:again" });
    await expect(t.finishAllScheduledFunctions(vi.runAllTimers, 5)).rejects.toThrow("infinitely recursive");
  });

  test("run in nobody's name, and note how they end", async () => {
    const t = newBackend();
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const ada = t.withIdentity({ subject: "ada" });
    await ada.mutation(mutationAt("jobs:later"), { path: "jobs:noteSelf", args: { text: "self" } });
    await later(t, 0, "jobs:fail", {});
    await later(t, 0, "jobs:failToAct", {});
    await t.finishAllScheduledFunctions(vi.runAllTimers);
    expect(await states(t)).toEqual(["success", "failed", "failed"]);
    expect((await texts(t))[0]).toMatch(/^self: .* true$/);
    vi.restoreAllMocks();
  });

  test("go with the mutation that fails, and can be cancelled", async () => {
    const t = newBackend();
    await expect(t.mutation(mutationAt("jobs:laterAndFail"), { text: "never" })).rejects.toThrow(
      "rolls back",
    );
    const id = await later(t, 1_000);
    await t.mutation(mutationAt("jobs:cancel"), { id });
    await t.finishAllScheduledFunctions(vi.runAllTimers);
    expect(await states(t)).toEqual(["canceled"]);
    expect(await texts(t)).toEqual([]);
  });
});

describe("HTTP actions", () => {
  test("are found by the app's router", async () => {
    const t = newBackend();
    const response = await t.fetch("/notes", { method: "POST", body: JSON.stringify(note("posted")) });
    expect(response.status).toBe(201);
    expect(await texts(t)).toEqual(["posted"]);
    expect(await (await t.fetch("/echo/a?b=c")).text()).toBe("/echo/a");
    expect((await t.fetch("/nowhere")).status).toBe(404);
  });

  test("need a path that begins with a slash", async () => {
    await expect(newBackend().fetch("notes")).rejects.toThrow('A path starts with a "/"');
  });
});

describe("files", () => {
  test("are stored and read by actions and inside of run", async () => {
    const t = newBackend();
    const fromAction = await t.action(actionAt("files:storeText"), { text: "of an action" });
    expect(await t.action(actionAt("files:readText"), { id: fromAction })).toMatchObject({
      text: "of an action",
      type: "text/plain",
      sameUrl: true,
    });
    const inRun = await t.run(async (ctx) => {
      const id = await ctx.storage.store(new Blob(["of run"]));
      return { id, text: await (await ctx.storage.get(id))?.text() };
    });
    expect(inRun.text).toBe("of run");
    expect(await t.query(queryAt("files:list"), {})).toHaveLength(2);
    await t.mutation(mutationAt("files:remove"), { id: inRun.id });
    expect(await t.run((ctx) => ctx.storage.get(inRun.id))).toBeNull();
  });

  test("go with the transaction that stored them and failed", async () => {
    const t = newBackend();
    const failing = t.run(async (ctx) => {
      await ctx.storage.store(new Blob(["lost"]));
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await t.query(queryAt("files:list"), {})).toEqual([]);
  });
});

test("a backend without a schema takes any document", async () => {
  const t = convexTest(undefined, modules);
  await t.run((ctx) => ctx.db.insert("whatever" as never, { any: "thing" } as never));
  expect(await t.run((ctx) => ctx.db.query("whatever" as never).collect())).toMatchObject([{ any: "thing" }]);
});

test("modules that do not show where the app's folder is are refused", () => {
  expect(() => convexTest(schema, fixture)).toThrow("_generated");
});
