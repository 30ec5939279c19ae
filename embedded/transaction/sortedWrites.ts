import { SortedMap } from "../storage/sortedMap";

function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Writes that are not in the store yet, in key order. A value of `null` says that the key is deleted. */
export class SortedWrites {
  readonly #tree = new SortedMap<string, string | null>(undefined, compareKeys);

  get size(): number {
    return this.#tree.size;
  }

  /** `undefined`: nothing is known of this key here. */
  get(key: string): string | null | undefined {
    return this.#tree.get(key);
  }

  set(key: string, value: string | null): void {
    this.#tree.set(key, value);
  }

  /** Forgets the key, as if it had never been written here. */
  forget(key: string): void {
    this.#tree.delete(key);
  }

  /** All writes, in key order. Must not be iterated while `set` or `forget` is called. */
  entries(): IterableIterator<[string, string | null]> {
    return this.#tree.entries();
  }

  /** The writes with `start <= key < end`. Must not be iterated while `set` or `forget` is called. */
  *scan(
    start: string,
    end: string,
    order: "asc" | "desc",
  ): Generator<[key: string, value: string | null], void, undefined> {
    if (order === "asc") {
      for (const entry of this.#tree.entries(start)) {
        if (entry[0] >= end) return;
        yield entry;
      }
    } else {
      for (const entry of this.#tree.entriesReversed(end, undefined, true)) {
        if (entry[0] < start) return;
        yield entry;
      }
    }
  }
}
