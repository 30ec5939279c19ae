import type { Clock } from "./clock";
import { pauseAfter } from "./runner";

/** What rests after a run in which the runtime has failed, and rests longer each time that it fails again. */
export class Rests {
  readonly #resting = new Map<string, { faults: number; untilMs: number }>();

  constructor(private readonly clock: Clock) {}

  /** Until when it rests, ms since the epoch; 0 when it does not. */
  until(id: string): number {
    return this.#resting.get(id)?.untilMs ?? 0;
  }

  add(id: string): void {
    const faults = (this.#resting.get(id)?.faults ?? 0) + 1;
    this.#resting.set(id, { faults, untilMs: this.clock.now() + pauseAfter(faults) });
  }

  delete(id: string): void {
    this.#resting.delete(id);
  }
}
