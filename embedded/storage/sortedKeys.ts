import { compareKeys, SortedMap } from "./sortedMap";
import { firstOf } from "./store";

/** So many keys are found one by one in less time than it takes to begin to iterate. */
const FEW = 4;

/** Keys in their order. */
export class SortedKeys {
  readonly #keys = new SortedMap<string, undefined>(undefined, compareKeys);
  #caughtUp = 0;

  /** How many keys {@link catchUp} has added, each as often as it came. */
  get caughtUp(): number {
    return this.#caughtUp;
  }

  /** Adds those of these keys that have come since it was called last. After it was cut off, this is not to be used any more. */
  catchUp(keys: readonly string[]): void {
    if (this.#caughtUp === keys.length) return;
    // In order, as neighbours are added in less time.
    for (const key of keys.slice(this.#caughtUp).sort()) this.add(key);
    this.#caughtUp = keys.length;
  }

  add(key: string): void {
    this.#keys.set(key, undefined);
  }

  delete(key: string): void {
    this.#keys.delete(key);
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  toArray(): string[] {
    return this.#keys.keysArray();
  }

  /** Whether there are keys with `start <= key < end`, `null` being behind the last one. */
  touches(start: string, end: string | null): boolean {
    const first = this.#keys.getPairOrNextHigher(start)?.[0];
    return first !== undefined && (end === null || first < end);
  }

  /** The first of the keys with `start <= key < end`, up to `limit`. */
  take(start: string, end: string | null, order: "asc" | "desc", limit: number): string[] {
    if (limit > FEW) return firstOf(this.scan(start, end, order), limit);
    const keys: string[] = [];
    if (order === "asc") {
      let key = this.#keys.getPairOrNextHigher(start)?.[0];
      while (key !== undefined && (end === null || key < end) && keys.length < limit) {
        keys.push(key);
        key = this.#keys.nextHigherKey(key);
      }
    } else {
      // `undefined` asks for the last one.
      let key = this.#keys.nextLowerKey(end ?? undefined);
      while (key !== undefined && key >= start && keys.length < limit) {
        keys.push(key);
        key = this.#keys.nextLowerKey(key);
      }
    }
    return keys;
  }

  /** The keys with `start <= key < end`. Must not be iterated while keys come or go. */
  *scan(start: string, end: string | null, order: "asc" | "desc"): Generator<string, void, undefined> {
    if (order === "asc") {
      for (const [key] of this.#keys.entries(start)) {
        if (end !== null && key >= end) return;
        yield key;
      }
    } else {
      for (const [key] of this.#keys.entriesReversed(end ?? undefined, undefined, end !== null)) {
        if (key < start) return;
        yield key;
      }
    }
  }
}
