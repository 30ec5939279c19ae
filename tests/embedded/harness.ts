import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { convexToJson, jsonToConvex, type Value } from "convex/values";
import { ANONYMOUS, type Caller } from "../../embedded/functions/caller";
import type { FunctionKind } from "../../embedded/functions/loadedApp";
import type { Outcome } from "../../embedded/functions/calls";
import { FileUrls } from "../../embedded/functions/fileUrls";
import { Runtime } from "../../embedded/functions/runtime";
import { bundleApp } from "../../embedded/loader/bundle";
import { BlobStore } from "../../embedded/storage/blobStore";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import type { Store } from "../../embedded/storage/store";
import { systemClock, type Clock } from "../../embedded/scheduler/clock";
import { Scheduler } from "../../embedded/scheduler/scheduler";
import { Database } from "../../embedded/transaction/database";
import type { Json } from "../../embedded/values/json";

/** The app that the tests of the runtime run: it is not the product. */
export const FIXTURE_APP = fileURLToPath(new URL("./fixture", import.meta.url));

const folders: string[] = [];

afterAll(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function temporaryBlobs(): Promise<BlobStore> {
  const folder = await mkdtemp(path.join(tmpdir(), "files-"));
  folders.push(folder);
  return BlobStore.open(folder);
}

const bundles = new Map<string, ReturnType<typeof bundleApp>>();

/**
 * A runtime with the fixture app, without sockets and, unless a store is given, without a disk. `byText`: the app's convex package
 * hands nothing over, so that functions are called as those of an app that was pushed.
 */
export async function startRuntime(
  store: Store = new MemoryStore(),
  { appFolder = FIXTURE_APP, environment = {}, cursorSecret = randomBytes(32), byText = false } = {},
): Promise<TestRuntime> {
  const faults: unknown[] = [];
  const log: string[] = [];
  const onLog = (path: string, lines: readonly string[]) => {
    for (const line of lines) log.push(`[${path}] ${line}`);
  };
  const database = await Database.open(store);
  const blobs = await temporaryBlobs();
  const runtime = new Runtime({
    database,
    blobs,
    fileUrls: new FileUrls(randomBytes(32)),
    cursorSecret,
    onLog,
    onFault: (error) => faults.push(error),
  });
  const bundle = bundles.get(appFolder) ?? bundleApp(appFolder);
  bundles.set(appFolder, bundle);
  const { code, ...rest } = await bundle;
  const loaded = { ...rest, code: byText ? code.replace("Convex.adopt(", "Object(") : code };
  const app = runtime.prepare(loaded, { FROM_DEPLOYMENT: "yes", ...environment });
  const build = runtime.begin(app);
  await build.done;
  await runtime.adopt(app, build);
  return new TestRuntime(runtime, database, blobs, faults, log, onLog);
}

/** Makes actions of the fixture app that come to the gate wait there, until the result is called. */
export function closeGate(): () => void {
  let open = () => undefined as void;
  (globalThis as { gate?: Promise<void> }).gate = new Promise((resolve) => (open = resolve));
  return open;
}

/** A clock that stands before the real one by as much as a test says, and lets no time pass by itself. */
export class TestClock implements Clock {
  #aheadMs = 0;
  readonly #waiting = new Set<{ atMs: number; wake: () => void }>();

  now(): number {
    return Date.now() + this.#aheadMs;
  }

  wakeAt(atMs: number, wake: () => void): () => void {
    if (atMs <= this.now()) {
      const immediate = setImmediate(wake);
      return () => clearImmediate(immediate);
    }
    const waiting = { atMs, wake };
    this.#waiting.add(waiting);
    return () => this.#waiting.delete(waiting);
  }

  /** When the next one is to be woken, in ms since the epoch; `Infinity` when nobody is. */
  get nextAtMs(): number {
    return Math.min(...[...this.#waiting].map(({ atMs }) => atMs));
  }

  /** For how long that still is. */
  get nextInMs(): number {
    return this.nextAtMs - this.now();
  }

  advance(byMs: number): void {
    this.#aheadMs += byMs;
    for (const waiting of this.#waiting) {
      if (waiting.atMs > this.now()) continue;
      this.#waiting.delete(waiting);
      waiting.wake();
    }
  }
}

export class TestRuntime {
  readonly #waiting: (() => void)[] = [];

  constructor(
    readonly runtime: Runtime,
    readonly database: Database,
    readonly blobs: BlobStore,
    /** Errors of the runtime itself; a test expects none. */
    readonly faults: unknown[],
    /** What was logged, such as "[notes:add] [LOG] 'text'". */
    readonly log: string[],
    readonly onLog: (path: string, lines: readonly string[]) => void,
  ) {
    database.onCommit(() => {
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  /** Starts a scheduler, which the test has to close. */
  async startScheduler(clock: Clock = systemClock): Promise<Scheduler> {
    const { runtime, database, faults, onLog } = this;
    const scheduler = new Scheduler({
      runtime,
      database,
      clock,
      onLog,
      onFault: (error) => faults.push(error),
    });
    await scheduler.start();
    return scheduler;
  }

  /** Reads after each commit until what is read is what was waited for. */
  async until<T>(read: () => Promise<T>, isDone: (value: T) => boolean): Promise<T> {
    for (;;) {
      const committed = new Promise<void>((resolve) => this.#waiting.push(resolve));
      const value = await read();
      if (isDone(value)) return value;
      await committed;
    }
  }

  /** Calls a function and gives how it ended. */
  outcome(
    kind: FunctionKind,
    path: string,
    args: Record<string, Value> = {},
    caller: Caller = ANONYMOUS,
  ): Promise<Outcome> {
    return this.runtime.call(kind, {
      path,
      args: convexToJson(args) as Json,
      caller,
      internalAllowed: caller.kind === "admin",
    });
  }

  /** Calls a function that must succeed and gives its result. */
  async call<T = Value>(
    kind: FunctionKind,
    path: string,
    args: Record<string, Value> = {},
    caller?: Caller,
  ): Promise<T> {
    const outcome = await this.outcome(kind, path, args, caller);
    if (!outcome.ok) throw new Error(`${path} failed: ${outcome.failure.message}`);
    return jsonToConvex(JSON.parse(outcome.value)) as T;
  }

  query<T = Value>(path: string, args?: Record<string, Value>): Promise<T> {
    return this.call("query", path, args);
  }

  mutation<T = Value>(path: string, args?: Record<string, Value>): Promise<T> {
    return this.call("mutation", path, args);
  }

  /** Calls a function that must fail and gives its message. */
  async failure(kind: FunctionKind, path: string, args?: Record<string, Value>): Promise<string> {
    const outcome = await this.outcome(kind, path, args);
    if (outcome.ok) throw new Error(`${path} did not fail, it gave ${outcome.value}`);
    return outcome.failure.message;
  }
}
