import { sharedChars } from "../values/keyEncoding";
import { SortedEntries } from "./sortedEntries";
import { compareKeys } from "./sortedMap";
import type { KeyList } from "./keyList";

/** So many writes are put in order for one who asks, which takes some 2 ms, beside those that are asked for. */
const AT_ONCE = 2_048;

type Found = [key: string, place: number];

/**
 * The last writes of keys in the order of the keys, by their places in a list.
 *
 * To put one in order takes many times as long as to look whether it is in a range. So of many that have come since somebody asked last,
 * only those in the range are put in order, and some of the others, so that all are soon where many ask.
 */
export class WriteOrder {
  readonly #places = new SortedEntries<number>();
  /** So many of the first writes are in order. */
  #count = 0;

  /** @param writes may become longer */
  constructor(private readonly writes: KeyList) {}

  // Whoever asks may be cut off. After that, this is not to be used any more.

  /** All writes, which stay as they are until there are more. */
  all(): SortedEntries<number> {
    this.#catchUp(this.writes.length);
    return this.#places;
  }

  /** Those with `start <= key < end`, and maybe others, until somebody asks again. */
  within(start: string, end: string | null): SortedEntries<number> {
    this.#catchUp(Math.min(this.#count + AT_ONCE, this.writes.length));
    const found = this.#find(start, end);
    if (found === null) return this.all();
    // Until it is their turn, an earlier write of the same key may take their place: then they are found again by whoever asks.
    for (const [key, place] of found) this.#places.set(key, place);
    return this.#places;
  }

  /** Those in a range that need not be in order yet; `null`: they are many. */
  #find(start: string, end: string | null): Found[] | null {
    const { writes } = this;
    const shared = end === null ? 0 : sharedChars(start, end);
    const found: Found[] = [];
    for (let i = this.#count; i < writes.length; i++) {
      if (!writes.beginsAt(i, start, shared)) continue;
      const key = writes.keyAt(i);
      if (key < start || (end !== null && key >= end)) continue;
      if (found.length === AT_ONCE) return null;
      found.push([key, i]);
    }
    return found;
  }

  #catchUp(end: number): void {
    if (this.#count === end) return;
    const newer: Found[] = [];
    for (let i = this.#count; i < end; i++) newer.push([this.writes.keyAt(i), i]);
    // In order, as neighbours are added in less time; of one key the last write stays the last.
    newer.sort(([a], [b]) => compareKeys(a, b));
    for (const [key, place] of newer) this.#places.set(key, place);
    this.#count = end;
  }
}
