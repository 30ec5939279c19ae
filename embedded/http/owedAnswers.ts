import type { ServerResponse } from "node:http";

/**
 * The answers that a server still owes. They stand in places that are used again, and not in a `Set`: when that makes room it leaves a
 * table behind which points to the next one, and once V8 has moved one such table among what is old, all requests that were in a later
 * one stay in memory until everything is collected.
 */
export class OwedAnswers implements Iterable<ServerResponse> {
  readonly #places: (ServerResponse | null)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#places.length - this.#free.length;
  }

  /** Gives what takes it out again, once. */
  add(response: ServerResponse): () => void {
    const place = this.#free.pop() ?? this.#places.length;
    this.#places[place] = response;
    return () => {
      this.#places[place] = null;
      this.#free.push(place);
    };
  }

  *[Symbol.iterator](): Iterator<ServerResponse> {
    for (const response of this.#places) if (response !== null) yield response;
  }
}
