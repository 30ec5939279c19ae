import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { convexToJson, jsonToConvex, type Value } from "convex/values";
import { ANONYMOUS, type Caller } from "../../embedded/functions/caller";
import type { FunctionKind } from "../../embedded/functions/app";
import type { Outcome } from "../../embedded/functions/executor";
import { FileUrls } from "../../embedded/functions/fileUrls";
import { Runtime } from "../../embedded/functions/runtime";
import { bundleApp } from "../../embedded/loader/bundle";
import { BlobStore } from "../../embedded/storage/blobStore";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import type { Store } from "../../embedded/storage/store";
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

let bundle: ReturnType<typeof bundleApp> | undefined;

/** A runtime with the fixture app, without sockets and, unless a store is given, without a disk. */
export async function startRuntime(store: Store = new MemoryStore()): Promise<TestRuntime> {
  const faults: unknown[] = [];
  const database = await Database.open(store);
  const runtime = new Runtime({
    database,
    blobs: await temporaryBlobs(),
    fileUrls: new FileUrls(randomBytes(32)),
    cursorSecret: randomBytes(32),
    onLog: () => undefined,
    onFault: (error) => faults.push(error),
  });
  await runtime.use(runtime.prepare(await (bundle ??= bundleApp(FIXTURE_APP)), { FROM_DEPLOYMENT: "yes" }));
  return new TestRuntime(runtime, database, faults);
}

export class TestRuntime {
  constructor(
    readonly runtime: Runtime,
    readonly database: Database,
    /** Errors of the runtime itself; a test expects none. */
    readonly faults: unknown[],
  ) {}

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
