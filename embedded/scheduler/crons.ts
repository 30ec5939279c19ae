import { firstRun, runAfter, type CronSpec } from "../functions/cronSpecs";
import type { ComponentPath } from "../functions/loadedApp";
import { ROOT } from "../transaction/catalog";
import type { Database } from "../transaction/database";
import { ALL_CRONS, cronKey } from "../transaction/keys";
import { Transaction } from "../transaction/transaction";
import { Alarm, type Clock } from "./clock";
import { Rests } from "./rests";
import { CUT_OFF, type Runner, type Work } from "./runner";

/** What is stored of a cron. Times are in ms since the epoch. */
type CronState = {
  /** Not there in the state of the app's own. */
  readonly component?: ComponentPath;
  readonly name: string;
  readonly spec: CronSpec;
  /** When it is due, or was when the run began that is under way. */
  readonly dueMs: number;
  /** Its action runs, or was cut off. */
  readonly running: boolean;
};

export type CronsOptions = {
  readonly database: Database;
  readonly runner: Runner;
  readonly clock: Clock;
  readonly onLog: (path: string, lines: readonly string[]) => void;
  readonly onFault: (error: unknown) => void;
};

/**
 * Runs crons. No cron overlaps itself: what comes due while it runs, or while the server is down, is skipped and logged,
 * except that a cron which is overdue at the start runs once.
 */
export class Crons {
  readonly #running = new Map<string, Promise<void>>();
  readonly #rests: Rests;
  readonly #alarm: Alarm;
  #closed = false;

  constructor(private readonly options: CronsOptions) {
    this.#rests = new Rests(options.clock);
    this.#alarm = new Alarm(options.clock, () => this.#startDue());
  }

  /**
   * Puts the crons of an app and of its components into force. Those whose schedule is as before keep the time of their next run. Rejects when that
   * can't be written.
   */
  async use(specs: ReadonlyMap<ComponentPath, ReadonlyMap<string, CronSpec>>): Promise<void> {
    const { clock, database } = this.options;
    const transaction = new Transaction(database, null);
    const before = new Map(states(transaction).map((state) => [keyOf(state), state]));
    for (const [component, ofComponent] of specs) {
      for (const [name, spec] of ofComponent) {
        const cron = component === ROOT ? { name } : { component, name };
        const key = keyOf(cron);
        const state = before.get(key);
        before.delete(key);
        if (state && sameSchedule(state.spec, spec)) {
          if (JSON.stringify(state.spec) !== JSON.stringify(spec)) write(transaction, { ...state, spec });
          if (state.running && !this.#running.has(key)) this.#endCutOff(transaction, { ...state, spec });
        } else {
          write(transaction, { ...cron, spec, dueMs: firstRun(spec.schedule, clock.now()), running: false });
        }
      }
    }
    for (const key of before.keys()) transaction.removeNote(key);
    transaction.commit();
    await database.durable();
    this.#startDue();
  }

  /** Starts nothing more, and waits for what runs. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#alarm.clear();
    await Promise.all(this.#running.values());
  }

  #endCutOff(transaction: Transaction, state: CronState): void {
    this.options.onLog(labelOf(state), [`[ERROR] ${CUT_OFF}`]);
    this.#advance(transaction, state);
  }

  #startDue(): void {
    if (this.#closed) return;
    const now = this.options.clock.now();
    const due: CronState[] = [];
    let nextMs = Infinity;
    for (const state of states(new Transaction(this.options.database, null))) {
      const key = keyOf(state);
      if (this.#running.has(key)) continue;
      const startMs = Math.max(state.dueMs, this.#rests.until(key));
      if (startMs <= now) due.push(state);
      else nextMs = Math.min(nextMs, startMs);
    }
    this.#alarm.set(nextMs);
    for (const state of due) this.#running.set(keyOf(state), this.#run(state));
  }

  async #run(state: CronState): Promise<void> {
    const key = keyOf(state);
    try {
      await this.options.runner.run(this.#workOf(state));
      this.#rests.delete(key);
    } catch (error) {
      this.options.onFault(error);
      this.#rests.add(key);
    }
    this.#running.delete(key);
    this.#startDue();
  }

  #workOf(state: CronState): Work {
    const { component = ROOT, spec, dueMs } = state;
    /** What is stored of the cron, unless its schedule was changed or it was removed meanwhile. */
    const current = (transaction: Transaction) => {
      const now = read(transaction, keyOf(state));
      return now?.dueMs === dueMs && sameSchedule(now.spec, spec) ? now : null;
    };
    return {
      component,
      path: spec.path,
      args: spec.args,
      scheduledJob: null,
      begin: (transaction) => {
        const now = current(transaction);
        if (now) write(transaction, { ...now, running: true });
        return now !== null;
      },
      finish: (transaction) => {
        const now = current(transaction);
        if (now) this.#advance(transaction, now);
      },
    };
  }

  /** Sets the time of the next run. */
  #advance(transaction: Transaction, state: CronState): void {
    const { spec, dueMs } = state;
    const { nextMs, missedMs } = runAfter(spec.schedule, dueMs, this.options.clock.now());
    write(transaction, { ...state, dueMs: nextMs, running: false });
    if (missedMs === null) return;
    const [missed, next] = [missedMs, nextMs].map((ms) => new Date(ms).toISOString());
    this.options.onLog(labelOf(state), [
      `[WARN] Skipping the runs from ${missed} on; the next one is at ${next}`,
    ]);
  }
}

function states(transaction: Transaction): CronState[] {
  const found: CronState[] = [];
  const rows = transaction.scan(ALL_CRONS.start, ALL_CRONS.end, "asc");
  for (let row = rows.next(); !row.done; row = rows.next()) found.push(JSON.parse(row.value[1]) as CronState);
  return found;
}

function read(transaction: Transaction, key: string): CronState | null {
  const text = transaction.readNote(key);
  return text === undefined ? null : (JSON.parse(text) as CronState);
}

function write(transaction: Transaction, state: CronState): void {
  transaction.writeNote(keyOf(state), JSON.stringify(state));
}

/** What a cron is known by, also where its state is kept. */
function keyOf({ component = ROOT, name }: Pick<CronState, "component" | "name">): string {
  return cronKey(component, name);
}

/** What a cron is called in the log. */
function labelOf({ component, name }: CronState): string {
  return component === undefined ? name : `${component}/${name}`;
}

function sameSchedule(a: CronSpec, b: CronSpec): boolean {
  return JSON.stringify(a.schedule) === JSON.stringify(b.schedule);
}
