import { KeyStems } from "./keyStems";
import { SortedKeys } from "./sortedKeys";

/** A value of `null` says that the key is deleted. */
export type Entry = [key: string, value: string | null];

/**
 * What a write has changed: the key, and its value before if that was another than the empty text, which most are not and which
 * therefore says the same as nothing.
 */
export type Change = string | readonly [key: string, before: string | null];

/** So many keys are put in order at a time. */
const SORTED_AT_ONCE = 4096;

/**
 * The writes of keys that begin alike.
 *
 * Keys are put in order, or found by their stems, when somebody asks for that, and then only those that have come since it was
 * asked for last: most of what is written is in the database before anybody scans it, and putting keys in order costs more
 * than all the rest. What asks may be cut off at any moment, and leaves nothing half done.
 */
export class MemtablePart {
  /** The key of every write, as they came: so a write of an empty text, as entries of indexes are, costs next to nothing. */
  readonly #keys: string[] = [];
  /** The values but the empty text. */
  #values = new Map<string, string | null>();
  /** How many writes of an empty text there were. */
  #emptyTexts = 0;
  #sorted: SortedKeys | null = null;
  #stems: KeyStems | null = null;

  get(key: string): string | null | undefined {
    const value = this.#values.get(key);
    if (value !== undefined || this.#emptyTexts === 0) return value;
    return this.#has(key) ? "" : undefined;
  }

  set(key: string, value: string | null): Change {
    this.#keys.push(key);
    if (value === "") this.#emptyTexts++;
    const before = value === "" && this.#values.size === 0 ? undefined : this.#values.get(key);
    if (value !== "") this.#values.set(key, value);
    else if (before !== undefined) this.#values.delete(key);
    return before === undefined ? key : [key, before];
  }

  /** Undoes the last write. */
  undo(change: Change): void {
    const [key, before] = typeof change === "string" ? [change] : change;
    if (!this.#values.has(key)) this.#emptyTexts--;
    if (before === undefined) this.#values.delete(key);
    else this.#values.set(key, before);
    this.#keys.pop();
    // They may have the key, which may have been written before, too.
    this.#sorted = null;
    this.#stems = null;
  }

  touches(start: string, end: string | null): boolean {
    return this.#inOrder().touches(start, end);
  }

  /** See {@link Store.take}; where a tail is given, `limit` is 1 or more. */
  take(
    start: string,
    end: string | null,
    order: "asc" | "desc",
    limit: number,
    tail: number | undefined,
  ): Entry[] {
    if (tail !== undefined) {
      const key = this.#byStem(tail).get(start);
      // What has the stem is not before the start.
      if (key !== null)
        return key === undefined || (end !== null && key >= end) ? [] : [[key, this.#valueOf(key)]];
    }
    const keys = this.#inOrder().take(start, end, order, limit);
    return keys.map((key) => [key, this.#valueOf(key)]);
  }

  /** Must not be iterated after a `set`. */
  *scan(start: string, end: string | null, order: "asc" | "desc"): Generator<Entry, void, undefined> {
    for (const key of this.#inOrder().scan(start, end, order)) yield [key, this.#valueOf(key)];
  }

  /** All writes in the order of their keys. `pause` is called where others may run meanwhile; nothing may be set then. */
  async inOrder(pause: () => Promise<unknown>): Promise<Iterable<Entry>> {
    return this.#entries(await this.#sortedKeys(pause));
  }

  copy(): MemtablePart {
    const copy = new MemtablePart();
    for (const key of this.#keys) copy.#keys.push(key);
    copy.#values = new Map(this.#values);
    copy.#emptyTexts = this.#emptyTexts;
    return copy;
  }

  #has(key: string): boolean {
    return this.#byStem(this.#stems?.tail ?? 0).has(key) ?? this.#inOrder().has(key);
  }

  /** Of a key that is there. */
  #valueOf(key: string): string | null {
    const value = this.#values.size === 0 ? undefined : this.#values.get(key);
    return value === undefined ? "" : value;
  }

  *#entries(keys: readonly string[]): Generator<Entry, void, undefined> {
    for (const key of keys) yield [key, this.#valueOf(key)];
  }

  async #sortedKeys(pause: () => Promise<unknown>): Promise<readonly string[]> {
    const unsorted = this.#keys;
    const keys = this.#sorted?.toArray() ?? [];
    for (let at = this.#sorted?.caughtUp ?? 0; at < unsorted.length; at += SORTED_AT_ONCE) {
      if (keys.length > 0) await pause();
      keys.push(...unsorted.slice(at, at + SORTED_AT_ONCE).sort());
    }
    // Of what is in order piece by piece, the rest is little work.
    keys.sort();
    return keys.filter((key, i) => key !== keys[i - 1]);
  }

  // What catches up is good for nothing if it is cut off.

  #byStem(tail: number): KeyStems {
    const stems = this.#stems?.tail === tail ? this.#stems : new KeyStems(this.#keys, tail);
    this.#stems = null;
    stems.catchUp();
    this.#stems = stems;
    return stems;
  }

  #inOrder(): SortedKeys {
    const sorted = this.#sorted ?? new SortedKeys();
    this.#sorted = null;
    sorted.catchUp(this.#keys);
    this.#sorted = sorted;
    return sorted;
  }
}
