import type { Order } from "./store";

/** So many are remembered. */
const MOST_RUNS = 16;

/** `from <= key < to`. */
type Run = { from: string; to: string };

/**
 * Ranges in which there is nothing, as all that was there is deleted: who takes the first of a queue and deletes it, again and again,
 * must not step over all that was deleted before. That stands in memory until the database has it.
 */
export class DeletedRuns {
  #runs: Run[] = [];

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  /** A range without what is known to be empty of it where it is read from: its `start`, or, in descending order, its `end`. */
  narrow(start: string, end: string | null, order: Order): [start: string, end: string | null] {
    for (const { from, to } of this.#runs) {
      if (order === "asc" && from <= start && start < to) return [to, end];
      if (order === "desc" && end !== null && from < end && end <= to) return [start, from];
    }
    return [start, end];
  }

  /** There is nothing with `from <= key < to`. */
  note(from: string, to: string): void {
    let run: Run = { from, to };
    const apart: Run[] = [];
    for (const other of this.#runs) {
      if (other.to < run.from || run.to < other.from) apart.push(other);
      else
        run = {
          from: other.from < run.from ? other.from : run.from,
          to: other.to > run.to ? other.to : run.to,
        };
    }
    this.#runs = [...apart.slice(-MOST_RUNS + 1), run];
  }

  /** There is something at a key now. */
  written(key: string): void {
    for (const run of this.#runs) {
      // What is in front of it is still empty.
      if (run.from <= key && key < run.to) run.to = key;
    }
  }

  clear(): void {
    this.#runs = [];
  }
}
