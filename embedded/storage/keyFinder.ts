import { GroupOrders } from "./groupOrders";
import { GROUP_CHARS } from "./keyGroups";
import type { KeyList } from "./keyList";
import { KeyStems } from "./keyStems";
import type { PartWrites } from "./partWrites";
import type { SortedEntries } from "./sortedEntries";
import { WriteOrder } from "./writeOrder";

/** A value of `null` says that the key is deleted. */
export type Entry = [key: string, value: string | null];

/** How keys that begin alike have been looked for, now or in earlier generations. What comes is made ready for that. */
export type Ways = {
  /** One by one, of which the whole key is known. */
  byKey: boolean;
  /** Those of a group. */
  byGroup: boolean;
};

/**
 * Finds writes of keys that begin alike.
 *
 * They are put in order, or found by the stems of their keys, when somebody asks for that, and then only those that have come since
 * it was asked for last, or some of them: most of what is written is in the database before anybody scans it, and putting keys in order
 * costs more than all the rest. What asks may be cut off at any moment, and leaves nothing half done.
 */
export class KeyFinder {
  #order: WriteOrder | null = null;
  #groups: GroupOrders | null = null;
  #stems: KeyStems | null = null;
  /** The same of whole keys. */
  #exact: KeyStems | null = null;

  /** @param keys those of the writes, or of each one */
  constructor(
    private readonly writes: PartWrites,
    private readonly keys: KeyList,
    readonly ways: Ways = { byKey: false, byGroup: false },
  ) {}

  /** To be asked for before it is looked into. */
  get #list(): KeyList {
    this.writes.flush();
    return this.keys;
  }

  get(key: string): string | null | undefined {
    let place = this.#byKey().find(key);
    if (place === null) place = this.#within(key, `${key}\0`).get(key);
    return place === undefined ? undefined : this.#list.valueAt(place);
  }

  /** To be called when some have come: who asks for them later would wait for tens of thousands at once. */
  makeReady(): void {
    if (this.ways.byKey) this.#byKey();
    if (this.ways.byGroup) this.#inGroups((groups) => groups.catchUp());
  }

  /** Gives memory to others. Nothing may be asked any more. */
  release(): void {
    for (const finding of [this.#groups, this.#stems, this.#exact]) finding?.release();
    this.forget();
  }

  /** To be called when writes were undone. */
  forget(): void {
    this.#order = null;
    this.#groups = null;
    this.#stems = null;
    this.#exact = null;
  }

  touches(start: string, end: string | null): boolean {
    return this.#within(start, end).touches(start, end);
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
    return this.#within(start, end)
      .take(start, end, order, limit)
      .map(([key, place]) => [key, this.#list.valueAt(place)]);
  }

  /** Must not be iterated after others were added. */
  *scan(start: string, end: string | null, order: "asc" | "desc"): Generator<Entry, void, undefined> {
    const places = isInGroup(start, end)
      ? this.#inGroups((groups) => groups.of(start))
      : this.#inOrder((writes) => writes.all());
    for (const [key, place] of places.scan(start, end, order)) yield [key, this.#list.valueAt(place)];
  }

  // What catches up is good for nothing if it is cut off.

  #byKey(): KeyStems {
    const list = this.#list;
    this.ways.byKey = true;
    const exact = this.#exact ?? new KeyStems(list, 0, this.writes.spareArrays);
    this.#exact = null;
    exact.catchUp();
    return (this.#exact = exact);
  }

  #byStem(tail: number): KeyStems {
    const list = this.#list;
    const stems =
      this.#stems?.tail === tail ? this.#stems : new KeyStems(list, tail, this.writes.spareArrays);
    this.#stems = null;
    stems.catchUp();
    return (this.#stems = stems);
  }

  /** The writes with `start <= key < end`, and maybe others. */
  #within(start: string, end: string | null): SortedEntries<number> {
    if (isInGroup(start, end)) return this.#inGroups((groups) => groups.of(start));
    return this.#inOrder((writes) => writes.within(start, end));
  }

  #inGroups<T>(ask: (groups: GroupOrders) => T): T {
    const list = this.#list;
    this.ways.byGroup = true;
    const groups = this.#groups ?? new GroupOrders(list, this.writes.spareArrays);
    this.#groups = null;
    const answer = ask(groups);
    this.#groups = groups;
    return answer;
  }

  #inOrder(ask: (writes: WriteOrder) => SortedEntries<number>): SortedEntries<number> {
    const list = this.#list;
    const order = this.#order ?? new WriteOrder(list);
    this.#order = null;
    const places = ask(order);
    this.#order = order;
    return places;
  }
}

/** Whether all keys of a range are in one group. */
function isInGroup(start: string, end: string | null): boolean {
  return end !== null && start.length >= GROUP_CHARS && end.startsWith(start.slice(0, GROUP_CHARS));
}
