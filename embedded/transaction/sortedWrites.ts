import { SortedMap } from "../storage/sortedMap";

function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Writes that are not in the store yet. A value of `null` says that the key is deleted.
 *
 * Keys are put in order when a scan needs it, as most transactions never scan what they have written. Those that are
 * shared between transactions have to be in order before, see {@link sort}.
 */
export class SortedWrites {
  readonly #values = new Map<string, string | null>();
  /** The keys in order, without those in `#unsorted`. */
  readonly #keys = new SortedMap<string, undefined>(undefined, compareKeys);
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
    this.sort();
    this.#values.delete(key);
    this.#keys.delete(key);
  }

  /** Puts all keys in order, so that scans change nothing and may be cut off. */
  sort(): void {
    if (this.#unsorted.length === 0) return;
    for (const key of this.#unsorted) this.#keys.set(key, undefined);
    this.#unsorted = [];
  }

  /** Whether there are writes with `start <= key < end`. */
  touches(start: string, end: string): boolean {
    if (this.#values.size === 0) return false;
    this.sort();
    const first = this.#keys.getPairOrNextHigher(start)?.[0];
    return first !== undefined && first < end;
  }

  /** The writes with `start <= key < end`. Must not be iterated while `set` or `forget` is called. */
  *scan(
    start: string,
    end: string,
    order: "asc" | "desc",
  ): Generator<[key: string, value: string | null], void, undefined> {
    this.sort();
    if (order === "asc") {
      for (const [key] of this.#keys.entries(start)) {
        if (key >= end) return;
        yield [key, this.#values.get(key) as string | null];
      }
    } else {
      for (const [key] of this.#keys.entriesReversed(end, undefined, true)) {
        if (key < start) return;
        yield [key, this.#values.get(key) as string | null];
      }
    }
  }
}
