import { GROUP_CHARS, groupHashOf } from "./keyGroups";
import type { KeyList } from "./keyList";
import { SortedEntries } from "./sortedEntries";
import { compareKeys } from "./sortedMap";
import { SpareArrays } from "./spareArrays";

/** So many chains are there: each has some dozens of writes where a generation has all of another group, and who asks for one looks at them. */
const CHAIN_BITS = 12;
const NONE = -1;

/** The writes of a group that are in order. */
type Group = {
  readonly places: SortedEntries<number>;
  /** So many of the first writes of all groups were looked at. */
  count: number;
};

/**
 * The last writes of keys in the order of the keys, by their places in a list, group by group: who asks for one group, such as the people in
 * a meeting, waits for nothing that is done for others but that each write is looked at once.
 */
export class GroupOrders {
  /** The last write of each chain, in which are the groups of some hashes. */
  readonly #last;
  /** Of each write the one before it in its chain. */
  #before;
  #count = 0;
  /** Those that were asked for, by what their keys begin with. */
  readonly #groups = new Map<string, Group>();

  /** @param writes may become longer */
  constructor(
    private readonly writes: KeyList,
    private readonly spare = new SpareArrays(),
  ) {
    this.#last = spare.take(1 << CHAIN_BITS).fill(NONE);
    this.#before = spare.take();
  }

  /** Takes in the writes that have come since it was called last. After it was cut off, this is not to be used any more. */
  catchUp(): void {
    const { length } = this.writes;
    if (this.#before.length < length) {
      const shorter = this.#before;
      const longer = this.spare.take(Math.max(length, 2 * shorter.length));
      longer.set(shorter);
      this.#before = longer;
      this.spare.keep(shorter);
    }
    for (let i = this.#count; i < length; i++) {
      const chain = chainOf(this.writes.groupHashAt(i));
      this.#before[i] = this.#last[chain] as number;
      this.#last[chain] = i;
    }
    this.#count = length;
  }

  /** All writes of a group, by what a text begins with. As to who is cut off see {@link catchUp}. */
  of(text: string): SortedEntries<number> {
    this.catchUp();
    const name = text.slice(0, GROUP_CHARS);
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { places: new SortedEntries(), count: 0 };
      this.#groups.set(name, group);
    }
    if (group.count < this.#count) this.#order(group, name);
    return group.places;
  }

  /** Gives its memory to others. Nothing may be asked any more. */
  release(): void {
    this.spare.keep(this.#last);
    this.spare.keep(this.#before);
  }

  #order(group: Group, name: string): void {
    const newer: [key: string, place: number][] = [];
    let i = this.#last[chainOf(groupHashOf(name))] as number;
    for (; i >= group.count; i = this.#before[i] as number)
      if (this.writes.beginsAt(i, name, GROUP_CHARS)) newer.push([this.writes.keyAt(i), i]);
    // In order, as neighbours are added in less time; of one key the last write stays the last.
    newer.reverse().sort(([a], [b]) => compareKeys(a, b));
    for (const [key, place] of newer) group.places.set(key, place);
    group.count = this.#count;
  }
}

function chainOf(hash: number): number {
  return hash >>> (32 - CHAIN_BITS);
}
