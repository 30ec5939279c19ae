/** Puts the runtime together for functions of the process's own realm: nothing is kept, nothing listens. */
import { randomBytes } from "node:crypto";
import { ConvexError, jsonToConvex, type Value } from "convex/values";
import { Actions } from "./functions/actions";
import { locate, type FunctionAddress } from "./functions/addresses";
import type { FunctionKind } from "./functions/loadedApp";
import type { Caller } from "./functions/caller";
import type { Call, Outcome } from "./functions/calls";
import type { Failure } from "./functions/failure";
import { FileUrls } from "./functions/fileUrls";
import { HostApp } from "./functions/hostApp";
import type { HostCode, HostComponent } from "./functions/hostComponent";
import { HostExecutor } from "./functions/hostExecutor";
import { RUN_FUNCTION } from "./functions/nestedCalls";
import type { Clock } from "./scheduler/clock";
import { SchedulerLoop } from "./scheduler/loop";
import { Runner } from "./scheduler/runner";
import { MemoryBlobs } from "./storage/memoryBlobs";
import { MemoryStore } from "./storage/memoryStore";
import { Database } from "./transaction/database";
import { IndexBuild } from "./transaction/indexBuild";
import type { Limits } from "./transaction/limits";
import type { Json } from "./values/json";

export type TestBackendOptions = HostCode & { readonly limits: Limits };

const CLOUD_ORIGIN = "https://some-deployment.convex.cloud";
const SITE_ORIGIN = "https://some-deployment.convex.site";

/** The longest time that a timer can have. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clock of the globals, which a test may set. It may wake too early, but then the scheduler asks it once more. */
const globalClock: Clock = {
  now: () => Date.now(),
  wakeAt(atMs, wake) {
    const delayMs = Math.max(0, Math.ceil(atMs - Date.now()));
    const timer = setTimeout(wake, Math.min(delayMs, LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

export class TestBackend {
  #inlineFunctions = 0;

  private constructor(
    private readonly database: Database,
    private readonly app: HostApp,
    private readonly executor: HostExecutor,
    private readonly actions: Actions,
    readonly scheduler: SchedulerLoop,
  ) {}

  /** Rejects when the schema can't be used. */
  static async start({ modules, schema, limits }: TestBackendOptions): Promise<TestBackend> {
    const database = await Database.open(new MemoryStore());
    const fileUrls = new FileUrls(randomBytes(32));
    fileUrls.serveFrom(CLOUD_ORIGIN);
    const blobs = new MemoryBlobs();
    const syscalls = { app: () => app, cursorSecret: randomBytes(32), fileUrls, blobs };
    const executor = new HostExecutor({ database, app: () => app, syscalls, limits });
    const actions = new Actions(
      executor,
      () => app,
      blobs,
      fileUrls,
      (_type, { logs }) => warn(logs),
    );
    const app = new HostApp({ modules, schema }, database, actions);
    await buildIndexes(database, app.root);
    const run = (kind: FunctionKind, call: Call) =>
      kind === "action" ? actions.run(call) : executor.run(kind, call);
    const transact = executor.transact.bind(executor);
    const onFault = (error: unknown) => console.error(error);
    const runner = new Runner({
      runtime: { app, call: run, transact },
      clock: globalClock,
      onLog: (path, lines) => console.error(`Scheduled function ${path} has failed`, ...lines),
      onFault,
    });
    // As many as are due: those that wait for their turn would not have it before the test looks.
    const scheduler = new SchedulerLoop({
      database,
      runner,
      clock: globalClock,
      parallelism: Infinity,
      onFault,
    });
    await scheduler.start();
    return new TestBackend(database, app, executor, actions, scheduler);
  }

  /** Adds a component. Rejects when its schema can't be used. */
  async addComponent(path: string, code: HostCode): Promise<void> {
    await buildIndexes(this.database, this.app.addComponent(path, code));
  }

  /** Calls a function. Rejects with what it throws. */
  async call(kind: FunctionKind, address: FunctionAddress, args: Json, caller: Caller): Promise<Value> {
    const { root } = this.app;
    await this.app.loadFor(root, address);
    const inside = this.executor.current();
    if (inside && kind !== "action") {
      const request = JSON.stringify({ ...address, udfType: kind, args });
      return jsonToConvex(JSON.parse(await inside.asyncSyscall(RUN_FUNCTION, request)) as Json);
    }
    const { component, path } = locate(this.app, root, address);
    const call: Call = { component: component.path, path, args, caller, internalAllowed: true };
    const outcome = await (kind === "action" ? this.actions.run(call) : this.executor.run(kind, call));
    return valueOf(outcome);
  }

  /** Calls a function that no module holds. `registered`: what `query({...})` and its like give. */
  async callInline(kind: FunctionKind, registered: unknown, caller: Caller): Promise<Value> {
    const info = this.app.root.add("inline.js", `f${++this.#inlineFunctions}`, registered);
    if (!info) throw new Error("Not a Convex function");
    try {
      return await this.call(kind, { name: info.path }, {}, caller);
    } finally {
      this.app.root.remove(info);
    }
  }

  /** Runs the HTTP action for a path with its query. Rejects with what it throws. */
  async fetch(path: string, init: RequestInit | undefined, caller: Caller): Promise<Response> {
    if (!path.startsWith("/"))
      throw new Error(`A path starts with a "/", not as ${JSON.stringify(path)} does`);
    await this.app.root.loadRouter();
    const outcome = await this.actions.http(new Request(SITE_ORIGIN + path, init), caller);
    if (outcome === undefined) throw new Error("The app has no http.ts");
    if (outcome === null) return new Response("No matching routes found", { status: 404 });
    if (!outcome.ok) throw errorOf(outcome.failure);
    return outcome.response;
  }
}

async function buildIndexes(database: Database, { path, schema }: HostComponent): Promise<void> {
  const build = new IndexBuild(database, new Map([[path, schema.indexes]]), new Map());
  await build.done;
  await build.finish([]);
}

function valueOf(outcome: Outcome): Value {
  warn(outcome.logs);
  if (!outcome.ok) throw errorOf(outcome.failure);
  return jsonToConvex(JSON.parse(outcome.value) as Json);
}

/** What the functions log themselves, the test's console has shown already: this is what the runtime has to say. */
function warn(logs: readonly string[]): void {
  for (const line of logs) console.warn(line);
}

/** What was thrown itself, wherever there is something: its stack leads to the place. */
function errorOf({ message, data, cause }: Failure): unknown {
  if (cause instanceof ConvexError) {
    // The convex package has made text of it on the way.
    cause.data = jsonToConvex(data ?? null);
    return cause;
  }
  return cause ?? new Error(message);
}
