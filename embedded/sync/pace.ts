/** Lets so many go on in one turn of the event loop and the others in the next ones, in their order; between two turns others have theirs. */
export class Pace {
  readonly #waiting: (() => void)[] = [];
  #left: number;
  #isScheduled = false;

  constructor(private readonly perTurn: number) {
    this.#left = perTurn;
  }

  /** Resolves when the caller may go on; `undefined`: at once. */
  turn(): Promise<void> | undefined {
    this.#schedule();
    if (this.#left > 0) {
      this.#left--;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const next = this.#waiting.splice(0, this.perTurn);
      this.#left = this.perTurn - next.length;
      if (next.length > 0) this.#schedule();
      for (const goOn of next) goOn();
    });
  }
}
