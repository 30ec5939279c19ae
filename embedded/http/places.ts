/**
 * What a server has at the moment, such as the answers that it owes. It stands in places that are used again, and not in a `Set`: when
 * that makes room it leaves a table behind which points to the next one, and once V8 has moved one such table among what is old, all
 * requests that were in a later one stay in memory until everything is collected.
 */
export class Places<T extends object> implements Iterable<T> {
  readonly #places: (T | null)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#places.length - this.#free.length;
  }

  /** Gives what takes it out again, once. */
  add(thing: T): () => void {
    const place = this.#free.pop() ?? this.#places.length;
    this.#places[place] = thing;
    return () => {
      this.#places[place] = null;
      this.#free.push(place);
    };
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const thing of this.#places) if (thing !== null) yield thing;
  }
}
