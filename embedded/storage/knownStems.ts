import { keySuccessor } from "../values/keyEncoding";
import { hashOfText } from "./keyHash";
import { PART_CHARS, type Memtable } from "./memtable";

/** What keys of a group begin with: the index, and a first field that holds an id of 32 characters behind its tag. */
const GROUP_CHARS = 38;

/** A group is read when it was asked for in vain so often, if it has fewer entries than that: to read it costs about as much as those looks. */
const READ_AFTER: ReadonlyMap<number, number> = new Map([
  [8, 512],
  [1024, 8192],
]);
/** In the place of the number of looks: all stems of the group are known. */
const COMPLETE = -1;

/** Of all indexes together; each takes 8 to 16 bytes. */
const MAX_STEMS = 1 << 20;
/** Of one index. */
const MAX_GROUPS = 1 << 14;

/** Reads the first entries of the database in a range. */
type Read = (start: string, end: string, limit: number) => readonly (readonly [key: string, value: string])[];

/**
 * What the database does certainly not have: of groups of keys that are asked for often, such as the people in a meeting, the
 * stems of all keys are known by their hashes, and to find that none is there takes a tenth of the time of looking. (A stem is a
 * key without its tail, see {@link Store.take}.)
 *
 * There may be more hashes than stems, as what is deleted stays and other groups' come in with {@link absorb}; never fewer. What
 * reads may be cut off at any moment.
 */
export class KnownStems {
  readonly #parts = new Map<string, Part>();

  /** @param read reads the database */
  constructor(
    private readonly read: Read,
    private readonly mostStems = MAX_STEMS,
    private readonly mostGroups = MAX_GROUPS,
  ) {}

  /** Whether the database certainly has no key with this stem. */
  lacks(stem: string, tail: number): boolean {
    const part = this.#parts.get(stem.slice(0, PART_CHARS));
    return part?.tail === tail && !part.stems.has(hashOfText(stem)) && part.isComplete(stem);
  }

  /** To be told of each stem that was looked for in the database in vain. */
  missed(stem: string, tail: number): void {
    if (stem.length <= GROUP_CHARS) return;
    const name = stem.slice(0, PART_CHARS);
    let part = this.#parts.get(name);
    if (part === undefined) this.#parts.set(name, (part = new Part(this.read, tail, this.mostGroups)));
    const isLearnt = part.tail === tail && part.missed(stem.slice(0, GROUP_CHARS));
    if (isLearnt) this.#forgetIfTooMany();
  }

  /** To be called with whatever is brought into the database, when it is there and before it is looked for there alone. */
  absorb(generation: Memtable): void {
    for (const [name, { stems, tail }] of this.#parts) {
      generation.forEachStem(name, tail, (hash) => stems.add(hash));
    }
    this.#forgetIfTooMany();
  }

  #forgetIfTooMany(): void {
    let count = 0;
    for (const { stems } of this.#parts.values()) count += stems.size;
    if (count > this.mostStems) this.#parts.clear();
  }
}

/** What is known of one index. */
class Part {
  readonly stems = new HashSet();
  /** How often the keys that begin like this were looked for in vain, or {@link COMPLETE}. */
  readonly #groups = new Map<string, number>();

  constructor(
    private readonly read: Read,
    readonly tail: number,
    private readonly mostGroups: number,
  ) {}

  isComplete(stem: string): boolean {
    return this.#groups.get(stem.slice(0, GROUP_CHARS)) === COMPLETE;
  }

  /** Counts a look in vain; `true`: the group was read. */
  missed(group: string): boolean {
    const before = this.#groups.get(group) ?? 0;
    if (before === COMPLETE) return false;
    if (before === 0 && this.#groups.size >= this.mostGroups) this.#groups.clear();
    const limit = READ_AFTER.get(before + 1);
    const isComplete = limit !== undefined && this.#readAll(group, limit);
    this.#groups.set(group, isComplete ? COMPLETE : before + 1);
    return isComplete;
  }

  /** Takes in all stems of a group; `false`: there are too many. */
  #readAll(group: string, limit: number): boolean {
    const entries = this.read(group, keySuccessor(group), limit);
    if (entries.length === limit) return false;
    for (const [key] of entries) this.stems.add(hashOfText(key.slice(0, key.length - this.tail)));
    return true;
  }
}

const FREE = 0;
const FIRST_SLOTS = 1024;

/** A set of 32-bit numbers. */
class HashSet {
  #slots = new Int32Array(FIRST_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(hash: number): boolean {
    return this.#slots[slotOf(this.#slots, hash)] !== FREE;
  }

  add(hash: number): void {
    // In two steps, each of which leaves the set whole when it is the last.
    if (this.#size * 2 >= this.#slots.length) this.#slots = larger(this.#slots);
    const slot = slotOf(this.#slots, hash);
    if (this.#slots[slot] !== FREE) return;
    this.#slots[slot] = markOf(hash);
    this.#size++;
  }
}

/** How a hash stands in a slot: one that looks like a free slot gets the mark of another. */
function markOf(hash: number): number {
  return hash === FREE ? 1 : hash;
}

/** The slot that has a hash, or that is free for it. */
function slotOf(slots: Int32Array, hash: number): number {
  const mask = slots.length - 1;
  const mark = markOf(hash);
  let slot = hash & mask;
  while (slots[slot] !== FREE && slots[slot] !== mark) slot = (slot + 1) & mask;
  return slot;
}

function larger(slots: Int32Array): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(2 * slots.length);
  for (const mark of slots) if (mark !== FREE) grown[slotOf(grown, mark)] = mark;
  return grown;
}
