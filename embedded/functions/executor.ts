import type { Blobs } from "../storage/blobs";
import { refusalOfDisk } from "../storage/diskError";
import { InDoubtError } from "../storage/store";
import type { Database } from "../transaction/database";
import { DeveloperError } from "../transaction/errors";
import { ROOT } from "../transaction/catalog";
import { Transaction } from "../transaction/transaction";
import { isObject, type Json } from "../values/json";
import { Anteroom } from "./anteroom";
import type { App } from "./app";
import type { Caller } from "./caller";
import type { Call, Evaluation, LiveRun, Outcome } from "./calls";
import { checkArgs, findFunction } from "./checks";
import { CpuTime } from "./cpuTime";
import type { Enclosure } from "./enclosure";
import { evaluation, isRepeatable, refusal } from "./evaluation";
import { COULD_NOT_COMPLETE, failure, type Failure } from "./failure";
import { removeUnused } from "./files";
import type { FileUrls } from "./fileUrls";
import { Invoker } from "./invoker";
import type { FunctionInfo, LoadedComponent } from "./loadedApp";
import { LogLines } from "./logLines";
import type { NestedRequest } from "./nestedCalls";
import { Observations, type Guard } from "./observations";
import { canonicalPath, displayPath } from "./paths";
import type { CallFrame } from "./syscalls";
import { SYSTEM_PREFIX, SYSTEM_QUERIES, type SystemQuery } from "./systemFunctions";
import { Watchdog } from "./watchdog";

/** How long the code of one query or mutation may run, not counting what the database does for it. */
const USER_TIME_MS = 1_000;
/**
 * New calls are started for this long under one watch, so that its cost is shared, and commits come in groups. Not for longer:
 * between two batches the event loop turns, in which what has come is read, what is on disk is answered, and one new connection
 * is accepted.
 */
const BATCH_MS = 20;
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
/**
 * Where calls make them run again faster than that, a session that watches several would never have results of one state. So
 * the longer it is since none was waiting, beyond what a change that many watch takes, the longer they run at a stretch, up to this.
 */
const MAX_LIVE_SLICE_MS = 100;
const LIVE_SHARE_OF_BACKLOG = 0.25;
const LIVE_PATIENCE_MS = 250;
/** In each ms no more than so many, as each result is sent to somebody, which takes its time too. */
const MAX_LIVE_PER_MS = 25;

type TransactionKind = "query" | "mutation";

/**
 * So many turns of the event loop a batch waits for more calls where the last one had more, unless it has many. A batch costs as much as
 * three small calls beside what its calls cost, and who was answered just now is about to call again.
 */
const TURNS_FOR_CALLS = 3;
const MANY_CALLS = 16;
const SMALL_CALL_MS = 0.5;

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
  readonly observed: Observations;
  readonly storedBlobs: CallFrame["storedBlobs"];
  /** In the place of the app's function: a query of the runtime itself. */
  readonly system: SystemQuery | null;
};

type Job = { readonly call: Prepared; result: Settled | null; readonly settle: (outcome: Outcome) => void };

/** What came of a call. Nothing else is kept of it: to wait for the disk with all that it has read and written would keep that in memory. */
type Settled = { value: string } | { failure: Failure; fault?: true };

/** A call that has run: the same, and the transaction that is still to be committed. */
type Ran = Exclude<Settled, { value: string }> | { value: string; transaction: Transaction | null };

/** What runs under one watch. */
type Turn = {
  readonly batch: Job[];
  /** Is still to be committed when the watch has ended. */
  late: Transaction | null;
  /** The live query that is running. */
  live: { readonly run: LiveRun; readonly query: Prepared; readonly transaction: Transaction } | null;
  /** Is still to be told its result. */
  lateLive: { readonly run: LiveRun; readonly result: Evaluation | null } | null;
};

/**
 * Runs queries and mutations, one after another in the order in which they came. Each runs to its end without the event
 * loop turning, so a mutation never meets another one's half-done work and never has to be retried.
 * Every call is answered when all it has read and written is on disk.
 */
export class Executor {
  readonly #queue: Job[] = [];
  readonly #live: LiveRun[] = [];
  /** How many mutations wait for room in the database, to get into the queue then. */
  #atRoom = 0;
  readonly #anteroom = new Anteroom(() => this.#queue.length + this.#atRoom);
  #drainScheduled = false;
  /** How many calls the next batch waits for. */
  #expected = 0;
  /** Live queries were left out of a turn: the next one is theirs. */
  #isLiveDue = false;
  /** Since when live queries have been waiting without a break, by `performance.now()`. */
  #liveSince = 0;
  readonly #watchdog = new Watchdog();
  readonly #cpuTime = new CpuTime();
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

  /** Resolves when the turn of a call is near that was not read yet; `undefined`: it is. */
  near(): Promise<void> | undefined {
    return this.#anteroom.enter();
  }

  /** Runs a query or mutation. Never rejects. */
  run(kind: TransactionKind, call: Call): Promise<Outcome> {
    const prepared = this.#prepare(kind, call, null);
    if ("ok" in prepared) return this.#refuse(call, prepared);
    const room = kind === "mutation" ? this.database.room() : undefined;
    return room ? this.#enqueueAt(room, prepared) : this.#enqueue(prepared);
  }

  async #enqueueAt(room: Promise<void>, prepared: Prepared): Promise<Outcome> {
    this.#atRoom++;
    await room;
    this.#atRoom--;
    return this.#enqueue(prepared);
  }

  #enqueue(prepared: Prepared): Promise<Outcome> {
    return new Promise((settle) => {
      this.#queue.push({ call: prepared, result: null, settle });
      if (this.#queue.length < this.#expected) Watchdog.letIn(TURNS_FOR_CALLS);
      this.#scheduleDrain();
    });
  }

  /** Ends a call that can't be run; but one that has run before, when the app was another, as it has ended then. */
  async #refuse({ enclosure }: Call, refused: Outcome): Promise<Outcome> {
    const { path, logs } = refused;
    try {
      const kept = enclosure?.before(new Transaction(this.database, null), Date.now()) ?? null;
      if (kept === null) return refused;
      await this.database.durable();
      return { ok: true, path, logs, value: kept };
    } catch (error) {
      this.onFault(error);
      return { ok: false, path, logs, ...lossOf(error) };
    }
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
      observed: new Observations(),
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
      observed: new Observations(),
      storedBlobs: [],
      system,
    };
  }

  /** Runs a live query when no other call is waiting. What it gives must not leave the process before {@link Database.durable}. */
  evaluate(run: LiveRun): void {
    if (this.#live.length === 0) this.#liveSince = performance.now();
    this.#live.push(run);
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
    const turn: Turn = { batch: [], late: null, live: null, lateLive: null };
    const work = () => {
      this.#drainScheduled = false;
      const isLiveTurn = this.#isLiveDue;
      // Until they have had their turn: what is committed late ends one before them, and the next call may do so again.
      this.#isLiveDue = this.#live.length > 0;
      if (!isLiveTurn) this.#drain(turn);
      if (turn.late !== null) return;
      this.#isLiveDue = false;
      this.#drainLive(turn);
    };
    this.#watchdog.run(work, WATCH_MS, (finished) => this.#end(turn, finished));
  }

  /** Runs a batch of waiting calls. */
  #drain(turn: Turn): void {
    if (this.#queue.length === 0) return;
    const startedAt = performance.now();
    this.#cpuTime.note(startedAt);
    const elapsed = () => performance.now() - startedAt;
    while (turn.late === null && elapsed() < BATCH_MS) {
      const job = this.#queue.shift();
      if (!job) return;
      turn.batch.push(job);
      const jobStartedAt = elapsed();
      const transaction = new Transaction(this.database, null);
      const result = this.#executeSafely(job.call, transaction);
      const time = elapsed();
      const calls = turn.batch.length;
      this.#expected = time < calls * SMALL_CALL_MS ? Math.min(calls, MANY_CALLS) : 0;
      const ownTime = time - jobStartedAt - transaction.usage.operationsMs;
      if (ownTime > USER_TIME_MS && this.#cpuTime.msSinceNoted() > USER_TIME_MS) {
        job.result = { failure: timedOut() };
      } else if ("failure" in result || result.transaction === null) {
        job.result = result;
      } else {
        const { value, transaction: written } = result;
        if (time < COMMIT_UNTIL_MS && written.writes <= MAX_WATCHED_WRITES) written.commit();
        else turn.late = written;
        job.result = { value };
      }
    }
  }

  /** Runs live queries for a while, all of them on one state of the database. */
  #drainLive(turn: Turn): void {
    const startedAt = performance.now();
    const elapsed = () => performance.now() - startedAt;
    const backlogMs = startedAt - this.#liveSince - LIVE_PATIENCE_MS;
    const sliceMs = Math.min(MAX_LIVE_SLICE_MS, Math.max(LIVE_SLICE_MS, backlogMs * LIVE_SHARE_OF_BACKLOG));
    for (let count = 0; count < MAX_LIVE_PER_MS * sliceMs && elapsed() < sliceMs; count++) {
      const run = this.#live.shift();
      if (!run) return;
      const begin = (query: Prepared) => {
        const transaction = Transaction.notingReads(this.database);
        turn.live = { run, query, transaction };
        return transaction;
      };
      const result = this.#evaluate(run, begin);
      turn.live = null;
      if (elapsed() < COMMIT_UNTIL_MS) {
        run.done(result);
      } else {
        turn.lateLive = { run, result };
        return;
      }
    }
  }

  /** Does what nothing may cut off, when the calls of a turn have run or the last of them was cut off. */
  #end({ batch, late, live, lateLive }: Turn, finished: boolean): void {
    late?.commit();
    if (!finished) this.app().renewRealms();
    for (const job of batch) {
      this.#removeUnused(job);
      this.#settle(job, job.result ?? { failure: timedOut() });
    }
    lateLive?.run.done(lateLive.result);
    live?.run.done(evaluationOf(live.query, live.transaction, { failure: timedOut() }));
    if (this.#queue.length > 0 || this.#live.length > 0) this.#scheduleDrain();
    this.#anteroom.ran(batch.length);
  }

  /** Runs a live query unless its result is known: then it gives `null`. */
  #evaluate({ call, isKnown }: LiveRun, begin: (query: Prepared) => Transaction): Evaluation | null {
    const ask = (request: string) => {
      const query = this.#prepare("query", call, null);
      return "ok" in query ? null : this.#ask(query, begin(query), request);
    };
    if (isKnown(ask)) return null;
    const query = this.#prepare("query", call, call.journal);
    if ("ok" in query) return refusal(query);
    const transaction = begin(query);
    return evaluationOf(query, transaction, this.#executeSafely(query, transaction));
  }

  /** Runs one nested query of a query that is not run itself. */
  #ask(query: Prepared, transaction: Transaction, request: string): Guard | null {
    try {
      const frame = frameOf(query, transaction, Date.now());
      const value = this.#invoker.callNested(frame, JSON.parse(request) as NestedRequest);
      return isRepeatable(query, transaction) ? { request, value, ranges: transaction.readRanges() } : null;
    } catch (error) {
      if (!(error instanceof DeveloperError)) this.onFault(error);
      return null;
    }
  }

  #settle(job: Job, result: Settled): void {
    const outcome = outcomeOf(job.call, result);
    if (!outcome.ok) return job.settle(outcome);
    const durable = this.database.durable();
    if (durable === undefined) return job.settle(outcome);
    durable.then(
      () => job.settle(outcome),
      (error: unknown) => {
        this.onFault(error);
        // What has got its documents after all has to be there after a restart.
        if (!(error instanceof InDoubtError)) this.#removeUnused(job);
        job.settle(outcomeOf(job.call, lossOf(error)));
      },
    );
  }

  /** Removes those files that a call has stored and the database knows nothing of. */
  #removeUnused({ call: { storedBlobs } }: Job): void {
    if (storedBlobs.length === 0) return;
    void removeUnused(this.database, this.blobs, storedBlobs).catch(this.onFault);
  }

  #executeSafely(call: Prepared, transaction: Transaction): Ran {
    try {
      return this.#execute(call, transaction);
    } catch (error) {
      this.onFault(error);
      // A file that it stores, for one, is written before it is committed.
      return { failure: refusalOfDisk(error) === null ? INTERNAL : NOT_WRITTEN, fault: true };
    }
  }

  #execute(call: Prepared, transaction: Transaction): Ran {
    const isMutation = call.kind === "mutation";
    if (call.system) {
      // Its arguments and what it reads are not all that it depends on.
      call.observed.chance = true;
      return this.#executeSystem(call.system, call.args, viewOf(call, transaction));
    }
    const { enclosure } = call;
    const nowMs = Date.now();
    const known = enclosure && transaction.usage.exempt(() => enclosure.before(transaction, nowMs));
    if (known !== null) return { value: known, transaction: null };
    const result = this.#invoker.invoke(frameOf(call, transaction, nowMs), call.args);
    if ("failure" in result) return result;
    const value = isMutation ? transaction.resolveTimestamps(result.value) : result.value;
    if (enclosure) transaction.usage.exempt(() => enclosure.after(transaction, value, nowMs));
    return { value, transaction: isMutation ? transaction : null };
  }

  #executeSystem(query: SystemQuery, args: Json, transaction: Transaction): Ran {
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

/** The frame of a call from the outside. */
function frameOf(call: Prepared, transaction: Transaction, nowMs: number): CallFrame {
  const { function: info, caller, logs, scheduledJob, page, observed, storedBlobs } = call;
  return {
    transaction: viewOf(call, transaction),
    function: info,
    parent: null,
    mayWrite: call.kind === "mutation",
    caller,
    logs,
    nowMs,
    scheduledJob,
    depth: 0,
    streams: new Map(),
    page,
    observed,
    storedBlobs,
  };
}

/** The transaction as the call's component sees it. */
function viewOf({ kind, function: { component } }: Prepared, transaction: Transaction): Transaction {
  return transaction.within(component.path, kind === "mutation" ? component.schema : null);
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
    legalReturnChars: 0,
  };
}

function outcomeOf({ function: { path }, logs: { lines: logs } }: Prepared, result: Settled): Outcome {
  if ("failure" in result) return { ok: false, path, logs, ...result };
  return { ok: true, path, value: result.value, logs };
}

function evaluationOf(query: Prepared, transaction: Transaction, result: Settled): Evaluation {
  return evaluation(outcomeOf(query, result), query, transaction);
}

/** How a call ends whose commit the disk has refused. */
function lossOf(error: unknown): Exclude<Settled, { value: string }> {
  return { failure: error instanceof InDoubtError ? IN_DOUBT : NOT_WRITTEN, fault: true };
}

function timedOut(): Failure {
  return failure(`Function execution timed out (maximum duration: ${USER_TIME_MS / 1000}s)`);
}

const NOT_WRITTEN = failure("The database could not write to disk. Nothing of this call was stored.");
const IN_DOUBT = failure(
  "The database could not write to disk, nor take back what it had begun. Nothing of this call is there now, but all of it may be after a restart.",
);
const INTERNAL = failure(COULD_NOT_COMPLETE);
