import type { Runtime } from "../functions/runtime";
import type { Database } from "../transaction/database";
import { Crons } from "./crons";
import { Housekeeping } from "./housekeeping";
import { SchedulerLoop } from "./loop";
import { Runner, type RunnerOptions } from "./runner";

export type SchedulerOptions = RunnerOptions & { readonly runtime: Runtime; readonly database: Database };

/** Everything that runs without anybody asking for it. */
export class Scheduler {
  readonly #runner: Runner;
  readonly #loop: SchedulerLoop;
  readonly #crons: Crons;
  readonly #housekeeping: Housekeeping;

  constructor(private readonly options: SchedulerOptions) {
    this.#runner = new Runner(options);
    this.#loop = new SchedulerLoop({ ...options, runner: this.#runner });
    this.#crons = new Crons({ ...options, runner: this.#runner });
    this.#housekeeping = new Housekeeping(options);
  }

  /** Starts, once the app is loaded. Rejects when the disk fails. */
  async start(): Promise<void> {
    await this.#loop.start();
    await this.useApp();
    this.#housekeeping.start();
  }

  /** Puts the crons of the app, and of its components, into force that is loaded now. */
  useApp(): Promise<void> {
    const { components } = this.options.runtime.app;
    return this.#crons.use(new Map([...components].map(([path, { crons }]) => [path, crons])));
  }

  /** Starts nothing more, and waits for what runs. What is not done by then is done after the next start. */
  async close(): Promise<void> {
    this.#runner.close();
    await Promise.all([this.#loop.close(), this.#crons.close(), this.#housekeeping.close()]);
  }
}
