import { compareKeys, SortedMap } from "./sortedMap";

/** So many entries are found one by one in less time than it takes to walk a range. */
const FEW = 4;
/** Ends a walk. */
const ENOUGH = { break: true };

/** Entries in the order of their keys. */
export class SortedEntries<V> {
  readonly #map = new SortedMap<string, V>(undefined, compareKeys);

  get(key: string): V | undefined {
    return this.#map.get(key);
  }

  set(key: string, value: V): void {
    this.#map.set(key, value);
  }

  delete(key: string): void {
    this.#map.delete(key);
  }

  /** Whether there are keys with `start <= key < end`, `null` being behind the last one. */
  touches(start: string, end: string | null): boolean {
    const first = this.#map.getPairOrNextHigher(start)?.[0];
    return first !== undefined && (end === null || first < end);
  }

  /** The first of the entries with `start <= key < end`, up to `limit`. */
  take(start: string, end: string | null, order: "asc" | "desc", limit: number): [string, V][] {
    const entries: [string, V][] = [];
    if (order === "asc") {
      if (limit <= FEW || end === null) {
        let entry = this.#map.getPairOrNextHigher(start);
        while (entry !== undefined && (end === null || entry[0] < end) && entries.length < limit) {
          entries.push(entry);
          entry = this.#map.nextHigherPair(entry[0]);
        }
      } else {
        this.#map.forRange(start, end, false, (key, value) => {
          entries.push([key, value]);
          return entries.length < limit ? undefined : ENOUGH;
        });
      }
    } else {
      // `undefined` asks for the last one.
      let entry = this.#map.nextLowerPair(end ?? undefined);
      while (entry !== undefined && entry[0] >= start && entries.length < limit) {
        entries.push(entry);
        entry = this.#map.nextLowerPair(entry[0]);
      }
    }
    return entries;
  }

  /** The entries with `start <= key < end`. Must not be iterated while some come or go. */
  *scan(start: string, end: string | null, order: "asc" | "desc"): Generator<[string, V], void, undefined> {
    if (order === "asc") {
      for (const entry of this.#map.entries(start)) {
        if (end !== null && entry[0] >= end) return;
        yield [entry[0], entry[1]];
      }
    } else {
      for (const entry of this.#map.entriesReversed(end ?? undefined, undefined, end !== null)) {
        if (entry[0] < start) return;
        yield [entry[0], entry[1]];
      }
    }
  }
}
