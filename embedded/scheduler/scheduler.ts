import { SchedulerLoop } from "./loop";
import { Runner, type RunnerOptions } from "./runner";

export type SchedulerOptions = RunnerOptions;

/** Everything that runs without anybody asking for it. */
export class Scheduler {
  readonly #runner: Runner;
  readonly #loop: SchedulerLoop;

  constructor(options: SchedulerOptions) {
    this.#runner = new Runner(options);
    this.#loop = new SchedulerLoop({ ...options, runner: this.#runner });
  }

  /** Starts, once the app is loaded. */
  start(): void {
    this.#loop.start();
  }

  /** Starts nothing more, and waits for what runs. What is not done by then is done after the next start. */
  async close(): Promise<void> {
    this.#runner.close();
    await this.#loop.close();
  }
}
