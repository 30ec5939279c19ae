import { SortedKeys } from "../storage/sortedKeys";

/**
 * The writes of one transaction. A value of `null` says that the key is deleted.
 *
 * Keys are put in order when a scan needs it, as most transactions never scan what they have written.
 */
export class SortedWrites {
  readonly #values = new Map<string, string | null>();
  /** The keys in order, without those in `#unsorted`. */
  readonly #keys = new SortedKeys();
  #unsorted: string[] = [];

  get size(): number {
    return this.#values.size;
  }

  /** The latest write of each key, in no particular order. */
  get values(): ReadonlyMap<string, string | null> {
    return this.#values;
  }

  /** `undefined`: nothing is known of this key here. */
  get(key: string): string | null | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: string | null): void {
    const { size } = this.#values;
    this.#values.set(key, value);
    if (this.#values.size > size) this.#unsorted.push(key);
  }

  /** Forgets the key, as if it had never been written here. */
  forget(key: string): void {
    this.#sort();
    this.#values.delete(key);
    this.#keys.delete(key);
  }

  /** Whether there are writes with `start <= key < end`. */
  touches(start: string, end: string): boolean {
    if (this.#values.size === 0) return false;
    this.#sort();
    return this.#keys.touches(start, end);
  }

  /** The writes with `start <= key < end`. Must not be iterated while `set` or `forget` is called. */
  *scan(
    start: string,
    end: string,
    order: "asc" | "desc",
  ): Generator<[key: string, value: string | null], void, undefined> {
    this.#sort();
    for (const key of this.#keys.scan(start, end, order)) {
      yield [key, this.#values.get(key) as string | null];
    }
  }

  #sort(): void {
    if (this.#unsorted.length === 0) return;
    for (const key of this.#unsorted) this.#keys.add(key);
    this.#unsorted = [];
  }
}
