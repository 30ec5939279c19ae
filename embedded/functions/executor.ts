import type { Blobs } from "../storage/blobs";
import type { Database } from "../transaction/database";
import { DeveloperError } from "../transaction/errors";
import { ROOT } from "../transaction/catalog";
import { Transaction } from "../transaction/transaction";
import { isObject, type Json } from "../values/json";
import type { App } from "./app";
import type { Caller } from "./caller";
import type { Call, Evaluation, LiveCall, Outcome } from "./calls";
import { checkArgs, findFunction } from "./checks";
import type { Enclosure } from "./enclosure";
import { failure, type Failure } from "./failure";
import { removeUnused } from "./files";
import type { FileUrls } from "./fileUrls";
import { Invoker } from "./invoker";
import type { FunctionInfo, LoadedComponent } from "./loadedApp";
import { LogLines } from "./logLines";
import { canonicalPath, displayPath } from "./paths";
import type { CallFrame } from "./syscalls";
import { SYSTEM_PREFIX, SYSTEM_QUERIES, type SystemQuery } from "./systemFunctions";
import { dropCutOff, Watchdog } from "./watchdog";

/** How long the code of one query or mutation may run, not counting what the database does for it. */
const USER_TIME_MS = 1_000;
/**
 * New calls are started for this long under one watch, so that its cost is shared. Not for longer: between two batches the event
 * loop turns, and it accepts one new connection a turn.
 */
const BATCH_MS = 10;
/** A commit must not be cut off: later than this it is done after the watch has ended. */
const COMMIT_UNTIL_MS = USER_TIME_MS + BATCH_MS;
/**
 * When the watch ends what runs: behind {@link COMMIT_UNTIL_MS} by more than a commit takes, and late enough for a function that
 * asks as much of the database as it may, on a machine that has other things to do too.
 */
const WATCH_MS = 2_500;
/** Larger commits are always done outside of the watch. */
const MAX_WATCHED_WRITES = 2_000;

/** Live queries are run again for this long at a stretch; then calls that have come meanwhile have their turn. */
const LIVE_SLICE_MS = 4;

type TransactionKind = "query" | "mutation";

/** A call whose function and arguments are known to be good. */
type Prepared = {
  readonly kind: TransactionKind;
  readonly function: FunctionInfo;
  readonly args: Json;
  readonly caller: Caller;
  readonly logs: LogLines;
  readonly enclosure: Enclosure | null;
  readonly scheduledJob: string | null;
  readonly page: CallFrame["page"];
  readonly storedBlobs: CallFrame["storedBlobs"];
  /** In the place of the app's function: a query of the runtime itself. */
  readonly system: SystemQuery | null;
};

type Job = Prepared & { result: Settled | null; readonly settle: (outcome: Outcome) => void };

type Done = (evaluation: Evaluation) => void;

/** A live query that is running. */
type LiveRun = { readonly done: Done; readonly query: Prepared; readonly transaction: Transaction };

/** A call that has run: what came of it, and the transaction that is still to be committed. */
type Settled = { value: string; transaction: Transaction | null } | { failure: Failure; fault?: true };

/**
 * Runs queries and mutations, one after another in the order in which they came. Each runs to its end without the event
 * loop turning, so a mutation never meets another one's half-done work and never has to be retried.
 * Every call is answered when all it has read and written is on disk.
 */
export class Executor {
  readonly #queue: Job[] = [];
  readonly #live: { call: LiveCall; done: Done }[] = [];
  #drainScheduled = false;
  readonly #watchdog = new Watchdog();
  readonly #invoker: Invoker;

  constructor(
    private readonly database: Database,
    private readonly app: () => App,
    private readonly cursorSecret: Buffer,
    fileUrls: FileUrls,
    private readonly blobs: Blobs,
    /** Told of errors of the runtime itself, which clients get no details of. */
    private readonly onFault: (error: unknown) => void,
  ) {
    this.#invoker = new Invoker(database, app, cursorSecret, fileUrls, blobs);
  }

  /** Runs a query or mutation. Never rejects. */
  async run(kind: TransactionKind, call: Call): Promise<Outcome> {
    const prepared = this.#prepare(kind, call, null);
    if ("ok" in prepared) return prepared;
    if (kind === "mutation") await this.database.room();
    return new Promise((settle) => {
      this.#queue.push({ ...prepared, result: null, settle });
      this.#scheduleDrain();
    });
  }

  #prepare(kind: TransactionKind, call: Call, journal: string | null): Prepared | Outcome {
    if (call.path.startsWith(SYSTEM_PREFIX)) return this.#prepareSystem(call);
    const found = findFunction(this.app(), call, kind);
    if (!("kind" in found)) return { ok: false, path: call.path, failure: found, logs: [] };
    const args = checkArgs(found, call.args);
    if ("message" in args) return { ok: false, path: found.path, failure: args, logs: [] };
    return {
      kind,
      function: found,
      args: args.value,
      caller: call.caller,
      logs: new LogLines(),
      enclosure: call.enclosure ?? null,
      scheduledJob: call.scheduledJob ?? null,
      page: { previousEnd: journal, end: null },
      storedBlobs: [],
      system: null,
    };
  }

  #prepareSystem({ component: componentPath = ROOT, path, args, caller }: Call): Prepared | Outcome {
    const fullPath = canonicalPath(path) ?? path;
    const system = SYSTEM_QUERIES[fullPath];
    const component = this.app().components.get(componentPath);
    if (!system || !component || caller.kind !== "admin") {
      const problem = failure(`Could not find public function for '${displayPath(fullPath)}'.`);
      return { ok: false, path, failure: problem, logs: [] };
    }
    const [object] = Array.isArray(args) ? args : [args];
    return {
      kind: "query",
      function: systemFunction(component, fullPath),
      args: object ?? {},
      caller,
      logs: new LogLines(),
      enclosure: null,
      scheduledJob: null,
      page: { previousEnd: null, end: null },
      storedBlobs: [],
      system,
    };
  }

  /**
   * Runs a query when no other call is waiting. `done` gets the result before any later commit, so that no change of what was
   * read can be missed; what it shows must not leave the process before {@link Database.durable}.
   */
  evaluate(call: LiveCall, done: Done): void {
    this.#live.push({ call, done });
    this.#scheduleDrain();
  }

  /** Does something of the runtime's own in a transaction and commits it. The result may be used once it is on disk. */
  async transact<T>(work: (transaction: Transaction) => T): Promise<T> {
    const transaction = new Transaction(this.database, null);
    const result = work(transaction);
    transaction.commit();
    await this.database.durable();
    return result;
  }

  #scheduleDrain(): void {
    if (this.#drainScheduled) return;
    this.#drainScheduled = true;
    setImmediate(() => {
      this.#drainScheduled = false;
      const queueInTime = this.#queue.length === 0 || this.#drain();
      const liveInTime = this.#live.length === 0 || this.#drainLive();
      if (!queueInTime || !liveInTime) dropCutOff();
    });
  }

  /** Runs a batch of waiting calls under one watch. False when the last one was cut off. */
  #drain(): boolean {
    const batch: Job[] = [];
    const startedAt = performance.now();
    const elapsed = () => performance.now() - startedAt;
    let late: { job: Job; transaction: Transaction } | null = null;
    const finished = this.#watchdog.run(() => {
      while (late === null && elapsed() < BATCH_MS) {
        const job = this.#queue.shift();
        if (!job) return;
        batch.push(job);
        const jobStartedAt = elapsed();
        const transaction = new Transaction(this.database, null);
        const result = this.#executeSafely(job, transaction);
        const time = elapsed();
        if (time - jobStartedAt - transaction.usage.operationsMs > USER_TIME_MS) {
          job.result = { failure: timedOut() };
        } else if ("failure" in result || result.transaction === null) {
          job.result = result;
        } else if (time < COMMIT_UNTIL_MS && result.transaction.writes <= MAX_WATCHED_WRITES) {
          result.transaction.commit();
          job.result = result;
        } else {
          late = { job, transaction: result.transaction };
          job.result = result;
        }
      }
    }, WATCH_MS);
    // Typed anew: the compiler does not see that the callback has run.
    const open = late as { job: Job; transaction: Transaction } | null;
    open?.transaction.commit();
    if (!finished) this.app().renewRealms();
    for (const job of batch) {
      if (job.storedBlobs.length > 0) {
        void removeUnused(this.database, this.blobs, job.storedBlobs).catch(this.onFault);
      }
      this.#settle(job, job.result ?? { failure: timedOut() });
    }
    if (this.#queue.length > 0) this.#scheduleDrain();
    return finished;
  }

  /** Runs live queries for a while, all of them on one state of the database. False when the last one was cut off. */
  #drainLive(): boolean {
    const startedAt = performance.now();
    const finished: { done: Done; evaluation: Evaluation }[] = [];
    let running: LiveRun | null = null;
    const inTime = this.#watchdog.run(() => {
      while (performance.now() - startedAt < LIVE_SLICE_MS) {
        const next = this.#live.shift();
        if (!next) return;
        const { call, done } = next;
        const query = this.#prepare("query", call, call.journal);
        if ("ok" in query) {
          finished.push({ done, evaluation: { outcome: query, ranges: [], journal: null } });
          continue;
        }
        const transaction = new Transaction(this.database, null);
        running = { done, query, transaction };
        const result = this.#executeSafely(query, transaction);
        finished.push({ done, evaluation: evaluationOf(query, transaction, result) });
        running = null;
      }
    }, WATCH_MS);
    // Typed anew: the compiler does not see that the callback has run.
    const cutOff = running as LiveRun | null;
    if (!inTime) this.app().renewRealms();
    if (cutOff) {
      const { done, query, transaction } = cutOff;
      finished.push({ done, evaluation: evaluationOf(query, transaction, { failure: timedOut() }) });
    }
    for (const { done, evaluation } of finished) done(evaluation);
    if (this.#live.length > 0) this.#scheduleDrain();
    return inTime;
  }

  #settle(job: Job, result: Settled): void {
    const outcome = outcomeOf(job, result);
    if (!outcome.ok) return job.settle(outcome);
    const durable = this.database.durable();
    if (durable === undefined) return job.settle(outcome);
    durable.then(
      () => job.settle(outcome),
      (error: unknown) => {
        this.onFault(error);
        job.settle(outcomeOf(job, { failure: NOT_WRITTEN, fault: true }));
      },
    );
  }

  #executeSafely(call: Prepared, transaction: Transaction): Settled {
    try {
      return this.#execute(call, transaction);
    } catch (error) {
      this.onFault(error);
      return { failure: INTERNAL, fault: true };
    }
  }

  #execute(call: Prepared, transaction: Transaction): Settled {
    const { component } = call.function;
    const isMutation = call.kind === "mutation";
    const view = transaction.within(component.path, isMutation ? component.schema.check : null);
    if (call.system) return this.#executeSystem(call.system, call.args, view);
    const { enclosure } = call;
    const nowMs = Date.now();
    const known = enclosure && transaction.usage.exempt(() => enclosure.before(transaction, nowMs));
    if (known !== null) return { value: known, transaction: null };
    const frame: CallFrame = {
      transaction: view,
      function: call.function,
      parent: null,
      mayWrite: isMutation,
      caller: call.caller,
      logs: call.logs,
      nowMs,
      scheduledJob: call.scheduledJob,
      depth: 0,
      streams: new Map(),
      page: call.page,
      storedBlobs: call.storedBlobs,
    };
    const result = this.#invoker.invoke(frame, call.args);
    if ("failure" in result) return result;
    const value = isMutation ? transaction.resolveTimestamps(result.value) : result.value;
    if (enclosure) transaction.usage.exempt(() => enclosure.after(transaction, value, nowMs));
    return { value, transaction: isMutation ? transaction : null };
  }

  #executeSystem(query: SystemQuery, args: Json, transaction: Transaction): Settled {
    try {
      const { cursorSecret } = this;
      const value = query({ app: this.app(), transaction, cursorSecret }, isObject(args) ? args : {});
      return { value, transaction: null };
    } catch (error) {
      if (error instanceof DeveloperError) return { failure: failure(`Uncaught Error: ${error.message}`) };
      throw error;
    }
  }
}

/** A system query as a function: it checks its arguments itself. */
function systemFunction(component: LoadedComponent, path: string): FunctionInfo {
  const colon = path.indexOf(":");
  return {
    component,
    path,
    module: `${path.slice(0, colon)}.js`,
    exportName: path.slice(colon + 1),
    kind: "query",
    isPublic: false,
    args: { type: "any" },
    returns: null,
    checkArgs: () => null,
    checkReturns: () => null,
  };
}

function outcomeOf({ function: { path }, logs: { lines: logs } }: Prepared, result: Settled): Outcome {
  if ("failure" in result) return { ok: false, path, logs, ...result };
  return { ok: true, path, value: result.value, logs };
}

function evaluationOf(query: Prepared, transaction: Transaction, result: Settled): Evaluation {
  return { outcome: outcomeOf(query, result), ranges: transaction.readRanges(), journal: query.page.end };
}

function timedOut(): Failure {
  return failure(`Function execution timed out (maximum duration: ${USER_TIME_MS / 1000}s)`);
}

const NOT_WRITTEN = failure("The database could not write to disk. Nothing of this call was stored.");
const INTERNAL = failure("Your request couldn't be completed. Try again later.");
