import { begin, finish, inQueue, readJob, type ScheduledJob } from "../functions/scheduledJobs";
import type { Database } from "../transaction/database";
import { JOB_QUEUES } from "../transaction/keys";
import { Transaction } from "../transaction/transaction";
import { Alarm, type Clock } from "./clock";
import { Rests } from "./rests";
import { CUT_OFF, type Runner, type Work } from "./runner";

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
  readonly #rests: Rests;
  readonly #alarm: Alarm;
  #wakeScheduled = false;
  #closed = false;

  constructor(private readonly options: LoopOptions) {
    this.#rests = new Rests(options.clock);
    this.#alarm = new Alarm(options.clock, () => this.#wake());
  }

  /** Starts to run what is due. Actions that a crash has cut off are marked as failed first. Rejects when they can't be. */
  async start(): Promise<void> {
    await this.#failCutOff();
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

  async #failCutOff(): Promise<void> {
    const transaction = new Transaction(this.options.database, null);
    const cutOff = [...inQueue(transaction, "inProgress")];
    for (const { id } of cutOff) finish(transaction, id, CUT_OFF, Date.now());
    transaction.commit();
    await this.options.database.durable();
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
      const startAtMs = Math.max(atMs, this.#rests.until(id));
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
      this.#rests.delete(id);
    } catch (error) {
      this.options.onFault(error);
      this.#rests.add(id);
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
