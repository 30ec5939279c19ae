import { setImmediate } from "node:timers";

/** At least so many calls are let in. */
const FEWEST = 8;

/**
 * Where calls wait, as bytes, until their turn is near: what they are read into would be moved about by the garbage collector while it
 * waits, and then be left to its rare and long collections.
 */
export class Anteroom {
  readonly #waiting: (() => void)[] = [];
  /** So many are let in at once: as many as a batch has. */
  #atOnce = FEWEST;
  #isLooking = false;

  /** @param inside how many of those that were let in wait for the next batch */
  constructor(private readonly inside: () => number) {}

  /** Resolves when a call's turn is near; `undefined`: it is. */
  enter(): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.inside() < this.#atOnce) return undefined;
    return new Promise((letIn) => {
      this.#waiting.push(letIn);
      this.#look();
    });
  }

  /** To be called after each batch, which had so many calls. */
  ran(calls: number): void {
    if (this.#waiting.length === 0) return;
    this.#atOnce = Math.max(calls, FEWEST);
    // So many at least, whoever else comes in without having waited here.
    this.#letIn(Math.max(calls, this.#atOnce - this.inside()));
  }

  #letIn(count: number): void {
    for (const letIn of this.#waiting.splice(0, count)) letIn();
    this.#look();
  }

  /** Those who were let in may turn out to be nothing that runs, so that no batch comes after which others would be. */
  #look(): void {
    if (this.#isLooking || this.#waiting.length === 0) return;
    this.#isLooking = true;
    setImmediate(() => {
      this.#isLooking = false;
      if (this.inside() === 0) this.#letIn(this.#atOnce);
    });
  }
}
