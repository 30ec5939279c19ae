import { ANONYMOUS } from "../functions/caller";
import type { Enclosure } from "../functions/enclosure";
import type { Outcome } from "../functions/calls";
import { couldNotFind } from "../functions/checks";
import { failureText } from "../functions/failure";
import type { ComponentPath, FunctionInfo, LoadedApp } from "../functions/loadedApp";
import { canonicalPath, type FunctionPath } from "../functions/paths";
import type { Runtime } from "../functions/runtime";
import { splitPath } from "../functions/schedulerSyscalls";
import type { Transaction } from "../transaction/transaction";
import type { Json } from "../values/json";
import { Alarm, type Clock } from "./clock";

/** One run of a function that nobody waits for: of a scheduled function, or of a cron. */
export interface Work {
  readonly component: ComponentPath;
  readonly path: string;
  readonly args: Json;
  /** The id in `_scheduled_functions`, if it has one. */
  readonly scheduledJob: string | null;
  /** Notes that it runs. `false`: it must not run, as somebody has taken it back. */
  begin(transaction: Transaction, nowMs: number): boolean;
  /** Notes how it has ended. `error`: `null` for success. */
  finish(transaction: Transaction, error: string | null, nowMs: number): void;
}

/** What runs the functions. */
export type RunnerRuntime = Pick<Runtime, "call" | "transact"> & {
  readonly app: Pick<LoadedApp, "components">;
};

export type RunnerOptions = {
  readonly runtime: RunnerRuntime;
  readonly clock: Clock;
  /** Told how functions have failed, and which runs of crons were skipped. `path`: the function, or the name of a cron. */
  readonly onLog: (path: string, lines: readonly string[]) => void;
  readonly onFault: (error: unknown) => void;
};

/** What an action is marked with that was cut off: nobody knows how much of it was done, so it is not done again. */
export const CUT_OFF = "Transient error while executing action";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

/** How long to wait before the next attempt, after so many (from 1) have met faults. */
export function pauseAfter(faults: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (faults - 1), LONGEST_PAUSE_MS);
}

/**
 * Runs work: mutations exactly once, as what they write and the note of it are one transaction; actions at most once, as it
 * is on disk that they run before they do.
 */
export class Runner {
  readonly #closing = new AbortController();

  constructor(private readonly options: RunnerOptions) {}

  /** Runs a work to its end. Rejects when the runtime has failed: then it has not run, and may be tried again. */
  async run(work: Work): Promise<void> {
    const component = this.options.runtime.app.components.get(work.component);
    const path = canonicalPath(work.path) ?? work.path;
    const info = component?.functions.get(path);
    if (info?.kind === "mutation") return this.#runMutation(work);
    if (info?.kind === "action") return this.#runAction(work);
    return this.#finish(work, component ? cannotRun(path, info) : `Component ${work.component} not found`);
  }

  /** What waits for the disk to recover waits no longer. */
  close(): void {
    this.#closing.abort();
  }

  async #runMutation(work: Work): Promise<void> {
    const enclosure: Enclosure = {
      before: (transaction, nowMs) => (work.begin(transaction, nowMs) ? null : "null"),
      after: (transaction, _value, nowMs) => work.finish(transaction, null, nowMs),
    };
    const outcome = await this.#call("mutation", work, enclosure);
    if (outcome.ok) return;
    if (outcome.fault) throw new Error(outcome.failure.message);
    await this.#finish(work, failureText(outcome.failure));
  }

  async #runAction(work: Work): Promise<void> {
    const { runtime } = this.options;
    if (!(await runtime.transact((transaction) => work.begin(transaction, Date.now())))) return;
    const outcome = await this.#call("action", work);
    await this.#finish(work, outcome.ok ? null : failureText(outcome.failure));
  }

  async #call(kind: "mutation" | "action", work: Work, enclosure?: Enclosure): Promise<Outcome> {
    const { component, path, args, scheduledJob } = work;
    const call = { component, path, args, scheduledJob, caller: ANONYMOUS, internalAllowed: true };
    const outcome = await this.options.runtime.call(kind, enclosure ? { ...call, enclosure } : call);
    if (!outcome.ok) this.options.onLog(outcome.path, [`[ERROR] ${failureText(outcome.failure).trimEnd()}`]);
    return outcome;
  }

  /** Notes how a work has ended, as often as it takes: an action that has run must not look as if it still did. */
  async #finish(work: Work, error: string | null): Promise<void> {
    const { runtime, onFault } = this.options;
    for (let faults = 1; ; faults++) {
      try {
        await runtime.transact((transaction) => work.finish(transaction, error, Date.now()));
        return;
      } catch (fault) {
        onFault(fault);
        if (this.#closing.signal.aborted) return;
        await this.#pause(pauseAfter(faults));
      }
    }
  }

  #pause(forMs: number): Promise<void> {
    const { clock } = this.options;
    return new Promise((resolve) => {
      const alarm = new Alarm(clock, resolve);
      alarm.set(clock.now() + forMs);
      this.#closing.signal.addEventListener("abort", () => {
        alarm.clear();
        resolve();
      });
    });
  }
}

function cannotRun(path: FunctionPath, info: FunctionInfo | undefined): string {
  if (!info) return couldNotFind(path);
  const [module, exportName] = splitPath(path);
  return `Unsupported function type. "${exportName}" in module "${module}" is defined as a Query. Only Mutation and Action can be scheduled.`;
}
