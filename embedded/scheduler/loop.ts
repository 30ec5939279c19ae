import type { ComponentPath } from "../functions/loadedApp";
import {
  begin,
  componentOfJob,
  finish,
  inQueue,
  readJob,
  type ScheduledJob,
} from "../functions/scheduledJobs";
import type { Database } from "../transaction/database";
import { JOB_QUEUES, rangeOfPrefix } from "../transaction/keys";
import { Transaction } from "../transaction/transaction";
import { Alarm, type Clock } from "./clock";
import { Rests } from "./rests";
import { CUT_OFF, type Runner, type Work } from "./runner";

const PARALLELISM = 8;

export type LoopOptions = {
  readonly database: Database;
  readonly runner: Runner;
  readonly clock: Clock;
  /** How many functions run at a time; 8 by default, as in Convex. */
  readonly parallelism?: number;
  readonly onFault: (error: unknown) => void;
};

/**
 * Runs scheduled functions when they are due, those that have waited longest first. It sleeps until the next one is due, one
 * is scheduled, or one ends.
 */
export class SchedulerLoop {
  readonly #running = new Map<string, Promise<void>>();
  readonly #rests: Rests;
  readonly #alarm: Alarm;
  #wakeScheduled = false;
  #closed = false;

  constructor(private readonly options: LoopOptions) {
    this.#rests = new Rests(options.clock);
    this.#alarm = new Alarm(options.clock, () => this.#look({ mayStart: true }));
  }

  /** Starts to run what is due. Actions that a crash has cut off are marked as failed first. Rejects when they can't be. */
  async start(): Promise<void> {
    await this.#failCutOff();
    const pending = rangeOfPrefix(JOB_QUEUES.pending);
    this.options.database.onCommit((written) => {
      if (written.changesIn(pending)) this.#wake();
    });
    this.#wake();
  }

  /** Whether functions run. */
  get isRunning(): boolean {
    return this.#running.size > 0;
  }

  /** Whether functions wait for their time. */
  get isWaiting(): boolean {
    return this.#alarm.isSet;
  }

  /** Waits for the functions that run now. */
  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  /** Starts nothing more, and waits for what runs. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#alarm.clear();
    await this.settled();
  }

  async #failCutOff(): Promise<void> {
    const transaction = new Transaction(this.options.database, null);
    const cutOff = [...inQueue(transaction, "inProgress")];
    for (const { id } of cutOff) finish(transaction, id, CUT_OFF, Date.now());
    transaction.commit();
    await this.options.database.durable();
  }

  /** Sets the alarm anew, soon; whatever is scheduled meanwhile is seen in the same look. */
  #wake(): void {
    if (this.#wakeScheduled || this.#closed) return;
    this.#wakeScheduled = true;
    // Behind the commits of this turn of the event loop, and before anybody hears of them.
    queueMicrotask(() => {
      this.#wakeScheduled = false;
      this.#look({ mayStart: false });
    });
  }

  #look({ mayStart }: { mayStart: boolean }): void {
    if (this.#closed) return;
    try {
      const { due, nextAtMs } = this.#queue(mayStart);
      this.#alarm.set(nextAtMs);
      for (const next of due) this.#running.set(next.job._id, this.#run(next));
    } catch (error) {
      this.options.onFault(error);
    }
  }

  /** What is to be started now, if anything may be, and when the next one is to be; `Infinity`: not before something changes. */
  #queue(mayStart: boolean): { due: Due[]; nextAtMs: number } {
    const now = this.options.clock.now();
    const { parallelism = PARALLELISM } = this.options;
    const transaction = new Transaction(this.options.database, null);
    const due: Due[] = [];
    let nextAtMs = Infinity;
    for (const { id, atMs } of inQueue(transaction, "pending")) {
      if (this.#running.size + due.length >= parallelism) break;
      if (this.#running.has(id)) continue;
      const startAtMs = Math.max(atMs, this.#rests.until(id));
      const job = startAtMs <= now && mayStart ? readJob(transaction, id) : null;
      if (job) due.push({ job, component: componentOfJob(transaction, id) });
      else nextAtMs = Math.min(nextAtMs, startAtMs);
      if (atMs > now || nextAtMs <= now) break;
    }
    return { due, nextAtMs };
  }

  async #run(due: Due): Promise<void> {
    const id = due.job._id;
    try {
      await this.options.runner.run(workOf(due));
      this.#rests.delete(id);
    } catch (error) {
      this.options.onFault(error);
      this.#rests.add(id);
    }
    this.#running.delete(id);
    this.#wake();
  }
}

/** A function that is due. `component`: whose it is. */
type Due = { readonly job: ScheduledJob; readonly component: ComponentPath };

function workOf({ component, job }: Due): Work {
  const {
    _id: id,
    name,
    args: [args = {}],
  } = job;
  return {
    component,
    path: name,
    args,
    scheduledJob: id,
    begin: (transaction) => begin(transaction, id),
    finish: (transaction, error, nowMs) => finish(transaction, id, error, nowMs),
  };
}
