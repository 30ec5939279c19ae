/** Scheduled functions end alike on convex-test and on the embedded runtime. */
import { convexTest } from "convex-test";
import { makeFunctionReference } from "convex/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import schema from "../embedded/fixture/schema";
import { startRuntime } from "../embedded/harness";

const modules = {
  ...import.meta.glob("../embedded/fixture/**/*.ts"),
  // convex-test takes the folder of this one for the app's.
  "../embedded/fixture/_generated/api.js": () => Promise.resolve({}),
};

type Args = Record<string, string | number | boolean | object>;

/** A backend with the fixture app. */
interface Backend {
  mutation(path: string, args: Args): Promise<unknown>;
  query(path: string, args: Args): Promise<unknown>;
  action(path: string, args: Args): Promise<unknown>;
  /** Resolves when everything that is due has run, and whatever that has scheduled. */
  runDue(): Promise<void>;
}

type Job = { _id: string; name: string; args: unknown[]; state: { kind: string } };

/** How all scheduled functions stand, in the order in which they were scheduled, and what they have noted. */
async function outcome(backend: Backend): Promise<unknown> {
  const jobs = (await backend.query("jobs:all", {})) as Job[];
  return {
    jobs: jobs.map(({ name, args, state }) => [name.replace(".js", ""), args, state.kind]),
    notes: await backend.query("notes:byAuthor", { author: "job" }),
  };
}

const succeeds = (promise: Promise<unknown>) =>
  promise.then(
    () => true,
    () => false,
  );

const later = (backend: Backend, path: string, args: Args = {}, delayMs = 0) =>
  backend.mutation("jobs:later", { path, args, delayMs }) as Promise<string>;

const FAR_MS = 1e9;

const scenarios: Record<string, (backend: Backend) => Promise<unknown>> = {
  "mutations that succeed and that fail": async (backend) => {
    await later(backend, "notes:add", { author: "job", text: "one" });
    await later(backend, "jobs:fail");
    await backend.runDue();
    return outcome(backend);
  },

  "actions that succeed and that fail": async (backend) => {
    await later(backend, "jobs:failToAct");
    await backend.runDue();
    return outcome(backend);
  },

  "functions that are cancelled before they are due, and in the mutation that has scheduled them": async (
    backend,
  ) => {
    const id = await later(backend, "notes:add", { author: "job", text: "never" }, FAR_MS);
    const waiting = await outcome(backend);
    await backend.mutation("jobs:cancel", { id });
    await backend.mutation("jobs:laterAndCancel", {});
    await later(backend, "notes:add", { author: "job", text: "done" });
    await backend.runDue();
    return [waiting, await outcome(backend)];
  },

  "what a mutation schedules that fails, and what a nested one does": async (backend) => {
    const failed = await succeeds(backend.mutation("jobs:laterAndFail", { text: "rolled back" }));
    const nested = await backend.mutation("jobs:nested", {});
    await backend.runDue();
    return [failed, nested, await outcome(backend)];
  },

  "what an action schedules and cancels": async (backend) => {
    await backend.action("jobs:laterFromAction", {});
    await backend.runDue();
    return outcome(backend);
  },

  "many at once": async (backend) => {
    const args = { author: "job", text: "again" };
    await backend.mutation("jobs:laterMany", { path: "notes:add", args, times: 30 });
    await backend.runDue();
    return outcome(backend);
  },
};

function onConvexTest(): Backend {
  const app = convexTest(schema, modules);
  return {
    mutation: (path, args) => app.mutation(makeFunctionReference<"mutation">(path), args),
    query: (path, args) => app.query(makeFunctionReference<"query">(path), args),
    action: (path, args) => app.action(makeFunctionReference<"action">(path), args),
    runDue: async () => {
      vi.advanceTimersByTime(1_000);
      await app.finishInProgressScheduledFunctions();
    },
  };
}

describe.each(Object.entries(scenarios))("%s", (_name, scenario) => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    // convex-test prints what scheduled functions throw.
    vi.spyOn(console, "error").mockReturnValue(undefined);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  test("end alike", async () => {
    const expected = await scenario(onConvexTest());

    vi.useRealTimers();
    const runtime = await startRuntime();
    const scheduler = await runtime.startScheduler();
    const isOver = ({ state }: Job) => !["pending", "inProgress"].includes(state.kind);
    const onRuntime: Backend = {
      mutation: (path, args) => runtime.call("mutation", path, args as never),
      query: (path, args) => runtime.call("query", path, args as never),
      action: (path, args) => runtime.call("action", path, args as never),
      runDue: async () => {
        await runtime.until(
          () => runtime.query<Job[]>("jobs:all"),
          (jobs) => jobs.every(isOver),
        );
      },
    };
    expect(await scenario(onRuntime)).toEqual(expected);
    await scheduler.close();
    expect(runtime.faults).toEqual([]);
  });
});
