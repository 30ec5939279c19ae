import { readFileSync } from "node:fs";
// Not the global one: a test that sets the clock must not stop calls.
import { setImmediate } from "node:timers";
import { createContext, Script } from "node:vm";
import { isMainThread, MessageChannel, Worker } from "node:worker_threads";

/** Told when work has ended; `false`: it was cut off. */
type Ended = (finished: boolean) => void;

type Watched = { readonly work: () => void; readonly timeoutMs: number; readonly ended: Ended };

/**
 * Runs code that may never return. When its time is over V8 ends it, whatever it is doing, `finally` blocks included.
 *
 * A guard does that (see {@link Guard}), at almost no cost; and a thread of its own for each piece of work, which costs some
 * 0.1 ms and more on a busy machine, as long as the guard is not there yet and where there can be none.
 */
export class Watchdog {
  readonly #scope: { work?: () => void } = {};
  readonly #context = createContext(this.#scope);
  readonly #script = new Script("work()", { filename: "watchdog" });

  constructor() {
    Guard.start();
  }

  /**
   * To be called when something has come that others like it may follow: what is to be run waits another turn of the event loop, but
   * no more than so many in a row. Without a number it is a connection: of those that wait to be accepted the event loop takes one a
   * turn, and with work in each turn the last of many would be let in seconds after the first.
   */
  static letIn(turns = TURNS_FOR_CONNECTIONS): void {
    Guard.turnsToWait = Math.max(Guard.turnsToWait, turns);
  }

  /** Runs work soon, in a turn of the event loop in which nothing else runs behind it, and tells how it has ended. */
  run(work: () => void, timeoutMs: number, ended: Ended): void {
    const guard = Guard.ready;
    if (guard) guard.run({ work, timeoutMs, ended });
    else setImmediate(() => this.#runWithThread({ work, timeoutMs, ended }));
  }

  #runWithThread({ work, timeoutMs, ended }: Watched): void {
    this.#scope.work = work;
    try {
      this.#script.runInContext(this.#context, { timeout: timeoutMs });
    } catch (error) {
      if ((error as { code?: unknown }).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
      ended(false);
      dropCutOff();
      // The exception that nobody catches.
      throw error;
    }
    ended(true);
  }
}

/** The worker's code. It is plain JavaScript, as it is handed over as text. */
const GUARD_WORKER = readFileSync(new URL("./guardWorker.js", import.meta.url), "utf8");

/** So many turns in a row work waits for connections to be let in. */
const TURNS_FOR_CONNECTIONS = 128;

/** By this name the worker's message finds {@link Guard.doom} in the main thread. */
const DOOM = Symbol.for("convex-embedded.doom");

/**
 * What the worker and the main thread share: the number of the piece of work, odd while it runs; after how many ms it has to end;
 * and the main thread's verdict on a piece that the worker wants to end, with its values.
 */
const SHARED = { TURN: 0, TIMEOUT: 1, VERDICT: 2, PENDING: 0, SPARED: 1, DOOMED: 2, POSTED: 3 } as const;
const SHARED_BYTES = 12;

/** Node's own account of what runs on whose behalf; see {@link dropCutOff}. It is not documented: where it is not as expected there is no guard. */
type AsyncAccount = {
  clearAsyncIdStack(): void;
  readonly async_hook_fields: Uint32Array;
  readonly constants: { readonly kCheck: number };
};

function findAsyncAccount(): AsyncAccount | null {
  const { binding } = process as { binding?: (name: string) => Partial<AsyncAccount> };
  const { noDeprecation } = process;
  try {
    // There is no other way that could be used in its place, as the warning advises.
    process.noDeprecation = true;
    const account = binding?.("async_wrap");
    const isAsExpected =
      typeof account?.clearAsyncIdStack === "function" &&
      account.async_hook_fields?.[account.constants?.kCheck ?? -1] !== undefined;
    return isAsExpected ? (account as AsyncAccount) : null;
  } catch {
    return null;
  } finally {
    process.noDeprecation = noDeprecation ?? false;
  }
}

/**
 * A worker that looks now and then which piece of work runs. One that has run for too long it ends through V8's inspector, which
 * leaves the event loop's callback as a whole: so each piece has a callback of its own, that of a message.
 * All servers of a process share it, since their work takes turns anyway.
 */
class Guard {
  static #starting = false;
  static #ready: Guard | null = null;

  /** See {@link Watchdog.letIn}. */
  static turnsToWait = 0;

  /** `null`: it is not there yet, or can't be. */
  static get ready(): Guard | null {
    return Guard.#ready;
  }

  static start(): void {
    if (Guard.#starting || !isMainThread) return;
    Guard.#starting = true;
    const account = findAsyncAccount();
    if (account === null) return;
    const guard = new Guard(account);
    guard.#worker.once("message", () => (Guard.#ready = guard));
    // Then a thread watches each piece of work, as before.
    guard.#worker.once("error", () => (Guard.#ready = null));
    // Not before: whoever listens to a worker keeps the process alive.
    guard.#worker.unref();
  }

  readonly #shared = new Int32Array(new SharedArrayBuffer(SHARED_BYTES));
  readonly #worker: Worker;
  readonly #channel = new MessageChannel();
  readonly #waiting: Watched[] = [];
  /** A message has been sent, since which the event loop has not turned behind its work. */
  #isAsked = false;
  /** For so many turns work has waited. */
  #turnsWaited = 0;
  #running: Watched | null = null;
  /** What is being ended: V8 lets it go on for a few steps. */
  #doomed: Watched | null = null;

  private constructor(private readonly account: AsyncAccount) {
    this.#worker = new Worker(GUARD_WORKER, { eval: true, workerData: { memory: this.#shared, SHARED } });
    this.#worker.on("message", () => this.#cutOff());
    this.#channel.port2.on("message", () => {
      setImmediate(() => {
        this.#isAsked = false;
        this.#ask();
      });
      if (!this.#waits()) this.#next();
    });
    this.#channel.port2.unref();
    (globalThis as Record<symbol, unknown>)[DOOM] = (turn: number) => this.#doom(turn);
  }

  run(watched: Watched): void {
    this.#waiting.push(watched);
    this.#channel.port2.ref();
    this.#ask();
  }

  /**
   * Asks for a turn if one is needed. One at a time: a port hands on, in one go, also what is sent while it does so, and while there is
   * work nothing would be read, written or answered.
   */
  #ask(): void {
    if (this.#isAsked || this.#waiting.length === 0) return;
    this.#isAsked = true;
    this.#channel.port1.postMessage(null);
  }

  /** Whether work has to wait for another turn; see {@link Watchdog.letIn}. */
  #waits(): boolean {
    const waits = this.#turnsWaited < Guard.turnsToWait;
    Guard.turnsToWait = 0;
    this.#turnsWaited = waits ? this.#turnsWaited + 1 : 0;
    return waits;
  }

  #next(): void {
    const watched = this.#waiting.shift();
    if (!watched) return;
    this.#running = watched;
    Atomics.store(this.#shared, SHARED.TIMEOUT, watched.timeoutMs);
    Atomics.add(this.#shared, SHARED.TURN, 1);
    try {
      watched.work();
    } finally {
      // From here on it is spared; but if it is doomed already, nothing else must be ended in its stead.
      this.#running = null;
      while (this.#doomed !== null) continue;
      this.#end(watched, true);
    }
  }

  /** The worker has ended what was doomed. */
  #cutOff(): void {
    this.account.clearAsyncIdStack();
    this.#checkAccount(1);
    const watched = this.#doomed;
    this.#doomed = null;
    this.#running = null;
    if (watched) this.#end(watched, false);
  }

  #end({ ended }: Watched, finished: boolean): void {
    Atomics.add(this.#shared, SHARED.TURN, 1);
    if (this.#waiting.length === 0) this.#channel.port2.unref();
    ended(finished);
  }

  /** Called in the middle of whatever runs, by the worker: ends it if it is still that piece of work. */
  #doom(turn: number): void {
    const isStillThat = this.#running !== null && turn === Atomics.load(this.#shared, SHARED.TURN);
    if (!isStillThat) return this.#setVerdict(SHARED.SPARED);
    this.#doomed = this.#running;
    this.#setVerdict(SHARED.DOOMED);
    Atomics.wait(this.#shared, SHARED.VERDICT, SHARED.DOOMED);
    // What is cut off leaves its entries, and the callback ends before those could be dropped. V8 lets it go on for a few steps
    // still, in which it may add one more, but not two: the callback's end takes one away, whatever it is, if it does not check.
    this.account.clearAsyncIdStack();
    this.#checkAccount(0);
  }

  /** Whether Node ends the process when it finds the account wrong. */
  #checkAccount(check: 0 | 1): void {
    const { async_hook_fields: fields, constants } = this.account;
    fields[constants.kCheck] = check;
  }

  #setVerdict(verdict: number): void {
    Atomics.store(this.#shared, SHARED.VERDICT, verdict);
    Atomics.notify(this.#shared, SHARED.VERDICT);
  }
}

/**
 * Node keeps a stack of what runs on whose behalf as soon as anything in the process uses `AsyncLocalStorage`. Code that is cut off
 * leaves its entries there, and Node ends the process when it finds them; an exception that nobody catches is what makes it drop
 * them. Has the next one end there.
 */
function dropCutOff(): void {
  const done = () => process.setUncaughtExceptionCaptureCallback(null);
  process.setUncaughtExceptionCaptureCallback(done);
}
