import type { Additions } from "./additions";
import { KeyStems } from "./keyStems";
import type { PartEnd, PartWrites } from "./partWrites";
import { SortedEntries } from "./sortedEntries";
import { compareKeys } from "./sortedMap";
import type { WriteList } from "./writeList";

/** A value of `null` says that the key is deleted. */
export type Entry = [key: string, value: string | null];

/**
 * The writes of keys that begin alike.
 *
 * They are put in order, or found by the stems of their keys, when somebody asks for that, and then only those that have come since
 * it was asked for last: most of what is written is in the database before anybody scans it, and putting keys in order costs more
 * than all the rest. What asks may be cut off at any moment, and leaves nothing half done.
 */
export class MemtablePart {
  /** Which were told last that something is added. */
  lastAdditions: Additions | null = null;
  /** By keys, the places of their last writes, and of how many writes. */
  #sorted: { readonly places: SortedEntries<number>; readonly count: number } | null = null;
  #stems: KeyStems | null = null;
  /** The same of whole keys. */
  #exact: KeyStems | null = null;

  constructor(readonly writes: PartWrites) {}

  /** To be asked for before it is looked into, see {@link PartWrites.list}. */
  get #list(): WriteList {
    return this.writes.list;
  }

  get(key: string): string | null | undefined {
    let place = this.#byKey().find(key);
    if (place === null) place = this.#inOrder().get(key);
    return place === undefined ? undefined : this.#list.valueAt(place);
  }

  forEachStem(tail: number, take: (hash: number) => void): void {
    const list = this.#list;
    for (let i = 0; i < list.length; i++) take(list.hashAt(i, tail));
  }

  /** Undoes what was written after a state. */
  cutTo(end: PartEnd): void {
    if (!this.writes.cutTo(end)) return;
    this.#sorted = null;
    this.#stems = null;
    this.#exact = null;
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
      const place = this.#byStem(tail).find(start);
      if (place === undefined) return [];
      if (place !== null) {
        const key = this.#list.keyAt(place);
        // What has the stem is not before the start.
        return end !== null && key >= end ? [] : [[key, this.#list.valueAt(place)]];
      }
    }
    return this.#inOrder()
      .take(start, end, order, limit)
      .map(([key, place]) => [key, this.#list.valueAt(place)]);
  }

  /** Must not be iterated after others were added. */
  *scan(start: string, end: string | null, order: "asc" | "desc"): Generator<Entry, void, undefined> {
    for (const [key, place] of this.#inOrder().scan(start, end, order))
      yield [key, this.#list.valueAt(place)];
  }

  /** The same writes, which stay as they are. */
  copy(): MemtablePart {
    return new MemtablePart(this.writes.copy());
  }

  // What catches up is good for nothing if it is cut off.

  #byKey(): KeyStems {
    const list = this.#list;
    const exact = this.#exact ?? new KeyStems(list, 0);
    this.#exact = null;
    exact.catchUp();
    return (this.#exact = exact);
  }

  #byStem(tail: number): KeyStems {
    const list = this.#list;
    const stems = this.#stems?.tail === tail ? this.#stems : new KeyStems(list, tail);
    this.#stems = null;
    stems.catchUp();
    return (this.#stems = stems);
  }

  #inOrder(): SortedEntries<number> {
    const { places, count } = this.#sorted ?? { places: new SortedEntries<number>(), count: 0 };
    const list = this.#list;
    const { length } = list;
    if (count === length) return places;
    this.#sorted = null;
    const newer: [key: string, place: number][] = [];
    for (let i = count; i < length; i++) newer.push([list.keyAt(i), i]);
    // In order, as neighbours are added in less time; of one key the last write stays the last.
    newer.sort(([a], [b]) => compareKeys(a, b));
    for (const [key, place] of newer) places.set(key, place);
    this.#sorted = { places, count: length };
    return places;
  }
}
