import { compareKeys, SortedMap } from "./sortedMap";
import { checkKey, firstOf, type Order, type Snapshot, type Store, type Writes } from "./store";

/** A store that forgets: for tests, and for a server that keeps nothing. */
export class MemoryStore implements Store {
  readonly #entries: SortedMap<string, string>;

  constructor(entries: SortedMap<string, string> = new SortedMap<string, string>(undefined, compareKeys)) {
    this.#entries = entries;
  }

  get(key: string): string | undefined {
    return this.#entries.get(key);
  }

  *scan(start: string, end: string | null, order: Order): IterableIterator<[key: string, value: string]> {
    if (order === "asc") {
      let pair = this.#entries.getPairOrNextHigher(start);
      while (pair !== undefined && (end === null || pair[0] < end)) {
        yield pair;
        pair = this.#entries.nextHigherPair(pair[0]);
      }
    } else {
      // `undefined` asks for the last one.
      let pair = this.#entries.nextLowerPair(end ?? undefined);
      while (pair !== undefined && pair[0] >= start) {
        yield pair;
        pair = this.#entries.nextLowerPair(pair[0]);
      }
    }
  }

  take(start: string, end: string | null, order: Order, limit: number): [key: string, value: string][] {
    return firstOf(this.scan(start, end, order), limit);
  }

  snapshot(): Snapshot {
    // The clone shares what neither of the two changes.
    const then = new MemoryStore(this.#entries.clone());
    return {
      get: (key) => then.get(key),
      scan: (start, end, order) => then.scan(start, end, order),
      release: () => undefined,
    };
  }

  // oxlint-disable-next-line require-await -- so that an illegal key rejects
  async commit(writes: Writes): Promise<void> {
    writes.forEach((_, key) => checkKey(key));
    writes.forEach((value, key) => {
      if (value === null) this.#entries.delete(key);
      else this.#entries.set(key, value);
    });
  }

  close(): Promise<void> {
    this.#entries.clear();
    return Promise.resolve();
  }
}
