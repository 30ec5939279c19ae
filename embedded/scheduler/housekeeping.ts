import type { KeptResult } from "../functions/enclosure";
import { forget, inQueue, type QueuePlace } from "../functions/scheduledJobs";
import type { Database } from "../transaction/database";
import { ALL_REPLAYS } from "../transaction/keys";
import { Transaction } from "../transaction/transaction";
import { Alarm, type Clock } from "./clock";

const DAY_MS = 24 * 60 * 60_000;
/** For how long a completed function stays in `_scheduled_functions`, as in Convex. */
const KEEP_JOBS_MS = 7 * DAY_MS;
/** For how long a client may send a mutation again and have the result that it had, as in Convex. */
const KEEP_RESULTS_MS = 14 * DAY_MS;
const EVERY_MS = DAY_MS;
/** How many rows are looked at in one step; between steps, calls have their turn. */
const STEP = 500;

export type HousekeepingOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
};

/** Deletes, once a day and at the start, what has been kept for long enough. */
export class Housekeeping {
  readonly #alarm: Alarm;
  #closed = false;
  #sweeping: Promise<void> | null = null;

  constructor(private readonly options: HousekeepingOptions) {
    this.#alarm = new Alarm(options.clock, () => this.start());
  }

  start(): void {
    this.#sweeping = this.#sweep()
      .catch((error: unknown) => this.options.onFault(error))
      .then(() => {
        if (!this.#closed) this.#alarm.set(this.options.clock.now() + EVERY_MS);
      });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#alarm.clear();
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const now = this.options.clock.now();
    while (await this.#step((transaction) => forgetJobs(transaction, now - KEEP_JOBS_MS)));
    let from: string | null = ALL_REPLAYS.start;
    const sweepResults = (transaction: Transaction) => {
      if (from !== null) from = forgetResults(transaction, from, now - KEEP_RESULTS_MS);
      return from !== null;
    };
    while (await this.#step(sweepResults));
  }

  /** Does one step in a transaction of its own, and waits until it is on disk. False when it was the last one. */
  async #step(work: (transaction: Transaction) => boolean): Promise<boolean> {
    if (this.#closed) return false;
    const transaction = new Transaction(this.options.database, null);
    const more = work(transaction);
    transaction.commit();
    await this.options.database.durable();
    // A step that has found nothing to delete waits for no disk.
    await new Promise((resolve) => setImmediate(resolve));
    return more;
  }
}

/** Gives whether there may be more. */
function forgetJobs(transaction: Transaction, untilMs: number): boolean {
  const old: QueuePlace[] = [];
  for (const place of inQueue(transaction, "completed", untilMs)) {
    if (old.push(place) === STEP) break;
  }
  for (const place of old) forget(transaction, place);
  return old.length === STEP;
}

/** Gives the key to go on from, or `null` at the end. */
function forgetResults(transaction: Transaction, from: string, untilMs: number): string | null {
  const rows = transaction.scan(from, ALL_REPLAYS.end, "asc");
  const old: string[] = [];
  let next: string | null = null;
  for (let looked = 0; looked <= STEP; looked++) {
    const row = rows.next();
    next = row.done ? null : row.value[0];
    if (row.done || looked === STEP) break;
    if ((JSON.parse(row.value[1]) as KeptResult).atMs <= untilMs) old.push(row.value[0]);
  }
  for (const key of old) transaction.removeNote(key);
  return next;
}
