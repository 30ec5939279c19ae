import { begin, finish, inQueue, readJob, type ScheduledJob } from "../functions/scheduledJobs";
import type { Database } from "../transaction/database";
import { JOB_QUEUES } from "../transaction/keys";
import { Transaction } from "../transaction/transaction";
import { Alarm, type Clock } from "./clock";
import { CUT_OFF, pauseAfter, type Runner, type Work } from "./runner";

/** How many scheduled functions run at a time, as in Convex. */
const PARALLELISM = 8;

export type LoopOptions = {
  readonly database: Database;
  readonly runner: Runner;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
};

/**
 * Runs scheduled functions when they are due, those that have waited longest first. It sleeps until the next one is due, one
 * is scheduled, or one ends.
 */
export class SchedulerLoop {
  readonly #running = new Map<string, Promise<void>>();
  /** Functions in whose run the runtime has failed: how often, and until when they rest, ms since the epoch. */
  readonly #resting = new Map<string, { faults: number; untilMs: number }>();
  readonly #alarm: Alarm;
  #wakeScheduled = false;
  #closed = false;

  constructor(private readonly options: LoopOptions) {
    this.#alarm = new Alarm(options.clock, () => this.#wake());
  }

  /** Starts to run what is due. Actions that a crash has cut off are marked as failed first. */
  start(): void {
    this.#failCutOff();
    this.options.database.onCommit((keys) => {
      if (keys.some((key) => key.startsWith(JOB_QUEUES.pending))) this.#wake();
    });
    this.#wake();
  }

  /** Starts nothing more, and waits for what runs. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#alarm.clear();
    await Promise.all(this.#running.values());
  }

  #failCutOff(): void {
    const transaction = new Transaction(this.options.database, null);
    const cutOff = [...inQueue(transaction, "inProgress")];
    for (const { id } of cutOff) finish(transaction, id, CUT_OFF, Date.now());
    transaction.commit();
  }

  /** Looks for due functions soon; whatever is scheduled meanwhile is seen in the same look. */
  #wake(): void {
    if (this.#wakeScheduled || this.#closed) return;
    this.#wakeScheduled = true;
    setImmediate(() => {
      this.#wakeScheduled = false;
      if (this.#closed) return;
      try {
        this.#startDue();
      } catch (error) {
        this.options.onFault(error);
      }
    });
  }

  #startDue(): void {
    const now = this.options.clock.now();
    const transaction = new Transaction(this.options.database, null);
    const due: string[] = [];
    let nextAtMs = Infinity;
    for (const { id, atMs } of inQueue(transaction, "pending")) {
      if (this.#running.size + due.length >= PARALLELISM) break;
      if (this.#running.has(id)) continue;
      const startAtMs = Math.max(atMs, this.#resting.get(id)?.untilMs ?? 0);
      if (startAtMs <= now) due.push(id);
      else nextAtMs = Math.min(nextAtMs, startAtMs);
      if (atMs > now) break;
    }
    this.#alarm.set(nextAtMs);
    for (const id of due) {
      const job = readJob(transaction, id);
      if (job) this.#running.set(id, this.#run(id, job));
    }
  }

  async #run(id: string, job: ScheduledJob): Promise<void> {
    try {
      await this.options.runner.run(workOf(id, job));
      this.#resting.delete(id);
    } catch (error) {
      this.options.onFault(error);
      const faults = (this.#resting.get(id)?.faults ?? 0) + 1;
      this.#resting.set(id, { faults, untilMs: this.options.clock.now() + pauseAfter(faults) });
    }
    this.#running.delete(id);
    this.#wake();
  }
}

function workOf(id: string, { name, args: [args = {}] }: ScheduledJob): Work {
  return {
    path: name,
    args,
    scheduledJob: id,
    begin: (transaction) => begin(transaction, id),
    finish: (transaction, error, nowMs) => finish(transaction, id, error, nowMs),
  };
}
