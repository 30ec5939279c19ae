import { sharedChars } from "../values/keyEncoding";

/** A half-open range of keys: `start <= key < end`. */
export type Range = { readonly start: string; readonly end: string };

/**
 * Finds out of many key ranges those that hold a key. Ranges of live queries mostly fix the first fields of an index, so
 * the bounds of each share a long prefix: ranges are kept by that prefix, and a key is looked up under its own prefixes.
 */
export class RangeIndex<T> {
  readonly #byPrefix = new Map<string, Set<{ range: Range; owner: T }>>();
  /** How many kept prefixes there are of each length. */
  readonly #lengths = new Map<number, number>();

  /** Adds the ranges of an owner. Gives what removes them again. */
  add(ranges: readonly Range[], owner: T): () => void {
    const removals = ranges
      .filter(({ start, end }) => start < end)
      .map((range) => this.#addOne(range, owner));
    return () => {
      for (const remove of removals) remove();
    };
  }

  /** Calls `found` for the owner of each range that holds the key; for an owner of several, several times. */
  match(key: string, found: (owner: T) => void): void {
    for (const length of this.#lengths.keys()) {
      if (length > key.length) continue;
      const entries = this.#byPrefix.get(key.slice(0, length));
      if (!entries) continue;
      for (const { range, owner } of entries) if (range.start <= key && key < range.end) found(owner);
    }
  }

  #addOne(range: Range, owner: T): () => void {
    const prefix = range.start.slice(0, sharedChars(range.start, range.end));
    const entry = { range, owner };
    const entries = this.#byPrefix.get(prefix) ?? new Set();
    if (entries.size === 0) {
      this.#byPrefix.set(prefix, entries);
      this.#lengths.set(prefix.length, (this.#lengths.get(prefix.length) ?? 0) + 1);
    }
    entries.add(entry);
    return () => {
      if (!entries.delete(entry) || entries.size > 0) return;
      this.#byPrefix.delete(prefix);
      const left = (this.#lengths.get(prefix.length) ?? 1) - 1;
      if (left === 0) this.#lengths.delete(prefix.length);
      else this.#lengths.set(prefix.length, left);
    };
  }
}
