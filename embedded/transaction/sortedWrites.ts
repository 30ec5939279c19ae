import { keysOfSheaf, type Sheaf } from "../storage/sheaf";
import { SortedEntries } from "../storage/sortedEntries";
import type { Writes } from "../storage/store";

/**
 * The writes of one transaction. A value of `null` says that the key is deleted.
 *
 * Keys are put in order when a scan needs it, as most transactions never scan what they have written.
 */
export class SortedWrites implements Writes {
  readonly #values = new Map<string, string | null>();
  /** Documents that are new, and so in no cache. */
  readonly #inserted = new Map<string, string>();
  /** Keys with an empty text. What `#values` has of them came later. Most writes are these, and a list takes no hash of them. */
  readonly #added: (string | Sheaf)[] = [];
  #addedKeys = 0;
  /** The keys in order, without the last ones of `#added` and those in `#unsorted`. */
  readonly #keys = new SortedEntries<undefined>();
  /** How many of `#added` are in it. */
  #caughtUp = 0;
  /** The keys of the first ones of `#added`, as far as somebody has asked. */
  readonly #knownAdded = new Set<string>();
  #asked = 0;
  #unsorted: string[] = [];

  constructor(writes: Iterable<readonly [key: string, value: string | null]> = []) {
    for (const [key, value] of writes) this.set(key, value);
  }

  get size(): number {
    return this.#values.size + this.#inserted.size + this.#addedKeys;
  }

  /** What {@link set} has set. */
  get changed(): ReadonlyMap<string, string | null> {
    return this.#values;
  }

  /** What {@link insert} has set. */
  get inserted(): ReadonlyMap<string, string> {
    return this.#inserted;
  }

  forEach(change: (value: string | null, key: string) => void): void {
    this.forEachOrSheaf(change, (sheaf) => {
      for (const key of keysOfSheaf(sheaf)) change("", key);
    });
  }

  forEachOrSheaf(change: (value: string | null, key: string) => void, take: (sheaf: Sheaf) => void): void {
    for (const added of this.#added) {
      if (typeof added === "string") change("", added);
      else take(added);
    }
    this.#inserted.forEach(change);
    this.#values.forEach(change);
  }

  /** What {@link set} or {@link insert} has set last. `undefined`: nothing. */
  get(key: string): string | null | undefined {
    const value = this.#values.get(key);
    return value === undefined && this.#inserted.size > 0 ? this.#inserted.get(key) : value;
  }

  /** Sets a key that has not been set before, neither here nor anywhere: that of a new document. */
  insert(key: string, text: string): void {
    this.#inserted.set(key, text);
    this.#unsorted.push(key);
  }

  set(key: string, value: string | null): void {
    if (this.#inserted.size > 0) this.#inserted.delete(key);
    const { size } = this.#values;
    this.#values.set(key, value);
    if (this.#values.size > size) this.#unsorted.push(key);
  }

  /** Sets a key that has not been set before, with an empty text: for entries of indexes, which are scanned and never asked for. */
  add(key: string): void {
    this.#added.push(key);
    this.#addedKeys++;
  }

  /** The same for all keys of a sheaf. */
  addSheaf(sheaf: Sheaf): void {
    this.#added.push(sheaf);
    this.#addedKeys += sheaf.layout.keys.length;
  }

  /** Forgets the key, as if it had never been set here. */
  forget(key: string): void {
    this.#sort();
    this.#values.delete(key);
    if (!this.#isAdded(key)) this.#keys.delete(key);
  }

  /** Whether there are writes with `start <= key < end`. */
  touches(start: string, end: string): boolean {
    if (this.size === 0) return false;
    this.#sort();
    return this.#keys.touches(start, end);
  }

  /** The writes with `start <= key < end`. Must not be iterated while anything is written. */
  *scan(
    start: string,
    end: string,
    order: "asc" | "desc",
  ): Generator<[key: string, value: string | null], void, undefined> {
    this.#sort();
    for (const [key] of this.#keys.scan(start, end, order)) {
      const value = this.get(key);
      yield [key, value === undefined ? "" : value];
    }
  }

  #isAdded(key: string): boolean {
    for (const asked of this.#addedFrom(this.#asked)) this.#knownAdded.add(asked);
    this.#asked = this.#added.length;
    return this.#knownAdded.has(key);
  }

  /** The keys of `#added` from a place on. */
  #addedFrom(start: number): string[] {
    return this.#added
      .slice(start)
      .flatMap((added) => (typeof added === "string" ? added : keysOfSheaf(added)));
  }

  #sort(): void {
    if (this.#caughtUp < this.#added.length) {
      // In order, as neighbours are added in less time.
      for (const key of this.#addedFrom(this.#caughtUp).sort()) this.#keys.set(key, undefined);
      this.#caughtUp = this.#added.length;
    }
    for (const key of this.#unsorted) this.#keys.set(key, undefined);
    this.#unsorted = [];
  }
}
