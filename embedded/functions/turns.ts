/** Lets work be done one after another, in the order in which it comes. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  next<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when nothing is left to be done. */
  async idle(): Promise<void> {
    let last: Promise<unknown>;
    do {
      last = this.#last;
      await last;
    } while (last !== this.#last);
  }
}
