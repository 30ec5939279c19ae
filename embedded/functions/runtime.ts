import { createHmac } from "node:crypto";
import type { Blobs } from "../storage/blobs";
import type { Database } from "../transaction/database";
import {
  IndexBuild,
  OvertakenError,
  type BuildProgress,
  type Inspect,
  type WantedTables,
} from "../transaction/indexBuild";
import { Transaction } from "../transaction/transaction";
import { Actions, type HttpOutcome } from "./actions";
import { App } from "./app";
import type { AppBundle } from "./bundle";
import type { Caller } from "./caller";
import { canonicalPath } from "./paths";
import type { Call, LiveRun, Outcome } from "./calls";
import { couldNotFind, lookUp } from "./checks";
import type { Enclosure } from "./enclosure";
import { Executor } from "./executor";
import { failure, failureText } from "./failure";
import { FunctionLog, type LogEntry, type RecordCall } from "./functionLog";
import { findFileByBlob, type StoredFile } from "./files";
import type { FileUrls } from "./fileUrls";
import { fittingTypes, fittingWrites, forgetFitting } from "./fittingSchemas";
import type { ComponentPath, FunctionKind } from "./loadedApp";
import { Semaphore } from "./semaphore";
import { SYSTEM_PREFIX } from "./systemFunctions";

/** How many actions run at a time, as in Convex. Those that an action calls are a part of it. */
const MAX_ACTIONS = 64;

export type RuntimeOptions = {
  readonly database: Database;
  /** 32 bytes with which pagination cursors are encrypted. */
  readonly cursorSecret: Buffer;
  readonly blobs: Blobs;
  readonly fileUrls: FileUrls;
  /** Told what functions log. `path`: the function, or the route of an HTTP action. */
  readonly onLog: (path: string, lines: readonly string[]) => void;
  readonly onFault: (error: unknown) => void;
  /** Told every second how far the build of indexes is that is under way. */
  readonly onBuild?: ((progress: BuildProgress) => void) | undefined;
};

const BUILD_REPORT_MS = 1_000;

/** Everything that runs functions: the loaded app, and the executors of its queries, mutations and actions. */
export class Runtime {
  #app: App | null = null;
  /** What is to come into force with the next app. */
  #build: IndexBuild | null = null;
  /** The calls that have ended last. */
  readonly log = new FunctionLog();
  readonly #executor: Executor;
  readonly #actions: Actions;
  readonly #actionSemaphore = new Semaphore(MAX_ACTIONS);

  constructor(private readonly options: RuntimeOptions) {
    const app = () => this.app;
    const { database, cursorSecret, blobs, fileUrls, onFault } = options;
    this.#executor = new Executor(database, app, cursorSecret, fileUrls, blobs, onFault);
    this.#actions = new Actions(this.#executor, app, blobs, fileUrls, (...call) => this.#record(...call));
  }

  get app(): App {
    if (this.#app === null) throw new Error("No app is loaded yet");
    return this.#app;
  }

  /** Loads an app, which changes nothing yet. Throws `AppLoadError`. */
  prepare(bundle: AppBundle, environment: Readonly<Record<string, string>>): App {
    const { database, cursorSecret } = this.options;
    const handleSecret = createHmac("sha256", cursorSecret).update("function handles").digest();
    return new App({ bundle, environment, database, actionHost: this.#actions, handleSecret });
  }

  /**
   * Begins to make the database fit an app's schemas, beside all calls: checks stored documents and builds indexes. Whatever was
   * begun before and is not in force yet is given up.
   */
  begin(app: App): IndexBuild {
    const { database, onBuild, onFault } = this.options;
    void this.#build?.abandon(new OvertakenError()).catch(onFault);
    const wanted = new Map<ComponentPath, WantedTables>();
    const checks = new Map<ComponentPath, ReadonlyMap<string, Inspect>>();
    for (const [path, { schema }] of app.components) {
      wanted.set(path, schema.indexes);
      const fitting = this.#app ? this.#app.components.get(path)?.schema.types : fittingTypes(database, path);
      checks.set(path, schema.checksAfter(fitting ?? {}));
    }
    const build = new IndexBuild(database, wanted, checks);
    this.#build = build;
    const reports = setInterval(() => onBuild?.(build.progress), BUILD_REPORT_MS).unref();
    const stop = () => clearInterval(reports);
    build.done.then(stop, stop);
    return build;
  }

  /**
   * Puts an app whose build is done into force, with `writes` in the same commit. Calls see it when this returns; the promise
   * resolves when all is on disk. Throws or rejects when that can't be: then what was in force before stays.
   */
  adopt(app: App, build: IndexBuild, writes: Iterable<readonly [string, string | null]> = []): Promise<void> {
    const before = this.#app;
    const finished = build.finish([...writes, ...fittingWrites(this.options.database, app.components)]);
    this.#app = app;
    this.#build = null;
    return finished.catch((error: unknown) => {
      // The disk has refused: the catalog is what it was.
      this.#app = before;
      throw error;
    });
  }

  /** Puts an app into force that has no schema: whatever is stored from now on, nothing checks it. */
  adoptWithoutSchema(app: App): void {
    forgetFitting(this.options.database);
    this.#app = app;
  }

  /** Puts an app into force whose schemas are those of the one before. */
  replace(app: App): void {
    this.#app = app;
  }

  /** Gives up what was begun and is not in force yet. */
  async giveUp(): Promise<void> {
    const build = this.#build;
    this.#build = null;
    await build?.abandon(new OvertakenError());
  }

  /** To be waited for before a large call is read; see {@link Executor.near}. */
  near(): Promise<void> | undefined {
    return this.#executor.near();
  }

  /** Calls a function of a known kind. Never rejects. */
  async call(kind: FunctionKind, call: Call): Promise<Outcome> {
    const startedAt = performance.now();
    const outcome = await (kind === "action"
      ? this.#actionSemaphore.run(() => this.#actions.run(call))
      : this.#executor.run(kind, call));
    this.#record(TYPE_NAMES[kind], outcome, startedAt);
    return outcome;
  }

  /** Calls a function of whatever kind it is. Never rejects. */
  callAny(call: Call): Promise<Outcome> {
    const found = lookUp(this.app, call);
    if (found) return this.call(found.kind, call);
    const problem = failure(couldNotFind(canonicalPath(call.path) ?? call.path));
    return Promise.resolve({ ok: false, path: call.path, failure: problem, logs: [] });
  }

  /** Does something of the runtime's own in a transaction; see {@link Executor.transact}. */
  transact<T>(work: (transaction: Transaction) => T): Promise<T> {
    return this.#executor.transact(work);
  }

  /** Runs a live query soon; see {@link Executor.evaluate}. */
  evaluate(run: LiveRun): void {
    const startedAt = performance.now();
    this.#executor.evaluate({
      call: run.call,
      isKnown: (ask) => run.isKnown(ask),
      done: (evaluation) => {
        if (evaluation) this.#record("Query", evaluation.outcome, startedAt);
        run.done(evaluation);
      },
    });
  }

  /** Runs a query on the state at a timestamp that {@link keepTimestamp} has given. `null`: it is not known any more. */
  async queryAt(timestamp: bigint, call: Call): Promise<Outcome | null> {
    let isKnown = true;
    const enclosure: Enclosure = {
      before: (transaction) => {
        isKnown = transaction.rewind(timestamp);
        return isKnown ? null : "null";
      },
      after: () => undefined,
    };
    const outcome = await this.call("query", { ...call, enclosure });
    return isKnown ? outcome : null;
  }

  /** The timestamp of the last commit once all up to it is on disk. From now on its state is kept for a while. */
  async keepTimestamp(): Promise<bigint> {
    const timestamp = this.options.database.keepHistory();
    await this.options.database.durable();
    return timestamp;
  }

  /** Stores a file that came over HTTP; see {@link Actions.storeFile}. */
  storeFile(
    component: ComponentPath,
    source: AsyncIterable<Uint8Array>,
    contentType: string | null,
    sha256: string | null,
  ): Promise<string> {
    return this.#actions.storeFile(component, source, contentType, sha256);
  }

  /** The file whose blob has this key, with how to read it, or `null`. */
  fileByBlob(blobKey: string): StoredFile | null {
    return findFileByBlob(new Transaction(this.options.database, null), blobKey);
  }

  /** Runs the HTTP action for a request. `null` when no route matches; `undefined` when the app has no http.ts. */
  async http(request: Request, caller: Caller): Promise<HttpOutcome | null | undefined> {
    const startedAt = performance.now();
    const outcome = await this.#actions.http(request, caller);
    if (outcome) this.#record("HttpAction", outcome, startedAt);
    return outcome;
  }

  readonly #record: RecordCall = (udfType, outcome, startedAt) => {
    const { path, logs } = outcome;
    if (path.startsWith(SYSTEM_PREFIX)) return;
    if (logs.length > 0) this.options.onLog(path, logs);
    this.log.add({
      kind: "Completion",
      udfType,
      identifier: path,
      logLines: logs,
      timestamp: Date.now() / 1000,
      executionTime: (performance.now() - startedAt) / 1000,
      success: null,
      error: outcome.ok ? null : failureText(outcome.failure).trimEnd(),
    });
  };
}

const TYPE_NAMES: Record<FunctionKind, LogEntry["udfType"]> = {
  query: "Query",
  mutation: "Mutation",
  action: "Action",
};
