import { FoundEntries } from "./foundEntries";
import type { FreshGroups } from "./freshGroups";
import { HashSet } from "./hashSet";
import { GROUP_CHARS, INDEX_AT, INDEXES } from "./keyGroups";
import { PART_CHARS } from "./memtable";
import { keyOfSheaf, type Sheaf } from "./sheaf";
import type { SheafKey } from "./sheafLayout.js";
import { StemHash } from "./stemHash";

type Entry = [key: string, value: string];

/** No key of a group goes on with it: in a longer field that would be more of the field. */
const OTHER = "\xff";
const OTHER_CODE = OTHER.charCodeAt(0);

/** A group is read when it was asked for in vain so often, if it has fewer entries than that: to read it costs about as much as those looks. */
const READ_AFTER: ReadonlyMap<number, number> = new Map([
  [8, 512],
  [1024, 8192],
]);

/** A group with fewer entries is not taken in when somebody has read it. */
const LEAST_READ = 64;

/** Of all groups together, of which each stem takes 12 to 24 bytes. */
const MAX_BYTES = 16 << 20;
/** How many are known, and of how many others it is counted how often they were asked for. */
const MAX_GROUPS = 1 << 14;
/** So much of that is left when some had to go. */
const KEPT = 3 / 4;

/** Reads the first entries in a range. */
type Read = (start: string, end: string, limit: number) => readonly Readonly<Entry>[];

/** Keys that begin alike, of which all stems are known. */
type Group = {
  /** The hashes of the stems, and of others. */
  readonly stems: HashSet;
  /** Somebody has asked since it was last decided which ones have to go. */
  isUsed: boolean;
};

type LastGroup = {
  readonly prefix: string;
  readonly part: string;
  readonly name: string;
  /** The hash of these, which goes on over the other parts. */
  readonly hash: StemHash;
  readonly group: Group | undefined;
};

const NO_GROUP: LastGroup = { prefix: "", part: "", name: "", hash: new StemHash(), group: undefined };

/**
 * What is known of stems that were asked for: the entry of some, and of groups of keys that are asked for often, such as the people in a
 * meeting, of which stems there is no key at all. To know it takes a tenth of the time of looking. (A stem is a key without its tail,
 * see {@link Store.take}.)
 *
 * What reads may be cut off at any moment, a write is not.
 */
export class KnownStems {
  readonly #found = new FoundEntries();
  /** By what their keys begin with. */
  readonly #groups = new Map<string, Group>();
  /** How often the keys of other groups were asked for in vain. */
  readonly #misses = new Map<string, number>();
  /** Of indexes of which anything is known how long tails are, else 0: what is written to others, as most is, takes one look. */
  readonly #tails = new Uint8Array(INDEXES);
  /** What the groups take. Roughly, as who asks may be cut off. */
  #bytes = 0;
  /** The last group to which a sheaf has added, by what says it. */
  #last: LastGroup = NO_GROUP;
  /** That of the stem that is asked for, or written. */
  readonly #hash = new StemHash();

  /**
   * @param read reads what was written
   * @param fresh is told of the groups of what is written, in indexes of which anything is known
   */
  constructor(
    private readonly read: Read,
    private readonly fresh: FreshGroups,
    private readonly mostBytes = MAX_BYTES,
    private readonly mostGroups = MAX_GROUPS,
    private readonly leastRead = LEAST_READ,
  ) {}

  /** The only entry with a stem; `null`: there is certainly none, `undefined`: it has to be looked for. */
  get(stem: string, tail: number): Entry | null | undefined {
    if (this.#tails[stem.charCodeAt(INDEX_AT)] !== tail) return undefined;
    const { hash, check } = this.#hash.of(stem, stem.length);
    const found = this.#found.get(stem, hash);
    if (found !== undefined) return found;
    if (!isOfGroup(stem)) return undefined;
    const group = this.#groups.get(stem.slice(0, GROUP_CHARS));
    if (group === undefined) return undefined;
    group.isUsed = true;
    return group.stems.has(hash, check) ? undefined : null;
  }

  /** To be told of all entries with a stem that was looked for. */
  lookedFor(stem: string, tail: number, [entry, ...others]: readonly Entry[]): void {
    const index = stem.charCodeAt(INDEX_AT);
    if (this.#tails[index] === 0) {
      // In this order, as who asks may be cut off: what is written from now on is noted.
      this.#tails[index] = tail;
      this.fresh.watch(index);
    }
    if (this.#tails[index] !== tail || others.length > 0) return;
    if (entry !== undefined) this.#found.set(stem, this.#hash.of(stem, stem.length).hash, entry);
    else if (isOfGroup(stem)) this.#missed(stem.slice(0, GROUP_CHARS), tail);
  }

  /** To be told of all entries of a range that was read. */
  rangeRead(start: string, end: string | null, entries: readonly Entry[]): void {
    if (start.length !== GROUP_CHARS || entries.length < this.leastRead) return;
    const tail = this.#tails[start.charCodeAt(INDEX_AT)] ?? 0;
    if (tail !== 0 && end === start + OTHER && !this.#groups.has(start)) this.#takeIn(start, tail, entries);
  }

  /** To be told of each key that is written, before it is there. */
  written(key: string): void {
    const tail = this.#tails[key.charCodeAt(INDEX_AT)] ?? 0;
    if (tail === 0 || key.length < PART_CHARS + tail) return;
    const name = key.slice(0, GROUP_CHARS);
    this.fresh.note(name);
    this.#note(this.#hash.of(key, key.length - tail), this.#groups.get(name));
  }

  /** The same of the keys of a sheaf. */
  writtenSheaf({ layout, parts }: Sheaf): void {
    for (const key of layout.keys) {
      const tail = this.#tails[key.prefix.charCodeAt(INDEX_AT)] ?? 0;
      if (tail !== 0) this.#writtenOfSheaf(key, parts, tail);
    }
  }

  /** To be called when writes were undone. Groups that were taken in since lack what these had deleted, and is there again. */
  undone(): void {
    this.#found.clear();
    this.#last = NO_GROUP;
    this.#groups.clear();
    this.#bytes = 0;
  }

  /** Where the first part tells the group and the last one is the tail, the key need not be put together. */
  #writtenOfSheaf(key: SheafKey, parts: readonly string[], tail: number): void {
    const part = parts[key.parts[0] as number] as string;
    const end = parts[key.parts.at(-1) as number] as string;
    const restAt = GROUP_CHARS - PART_CHARS;
    if (key.parts.length < 3 || part.length < restAt || end.length !== tail)
      return this.written(keyOfSheaf(key, parts));
    if (this.#last.part !== part || this.#last.prefix !== key.prefix) {
      const text = key.prefix + part;
      const name = text.slice(0, GROUP_CHARS);
      const hash = new StemHash().of(text, text.length);
      this.#last = { prefix: key.prefix, part, name, hash, group: this.#groups.get(name) };
    }
    const { name, group } = this.#last;
    const hash = this.#hash.set(this.#last.hash);
    this.fresh.note(name);
    for (let i = 1; i < key.parts.length - 1; i++) {
      const next = parts[key.parts[i] as number] as string;
      hash.goOn(next, 0, next.length);
    }
    this.#note(hash, group);
  }

  #note({ hash, check }: StemHash, group: Group | undefined): void {
    this.#found.forget(hash);
    if (group === undefined) return;
    const { stems } = group;
    const { bytes } = stems;
    stems.add(hash, check);
    if (stems.bytes > bytes) this.#grown(stems.bytes - bytes);
  }

  #missed(name: string, tail: number): void {
    if (this.#groups.has(name)) return;
    const misses = (this.#misses.get(name) ?? 0) + 1;
    if (misses === 1 && this.#misses.size >= this.mostGroups) this.#misses.clear();
    const limit = READ_AFTER.get(misses);
    if (limit === undefined || !this.#learn(name, tail, limit)) this.#misses.set(name, misses);
  }

  /** Reads all stems of a group; `false`: there are too many. */
  #learn(name: string, tail: number, limit: number): boolean {
    const entries = this.read(name, name + OTHER, limit);
    if (entries.length === limit) return false;
    // Who reads may have told of it.
    if (!this.#groups.has(name)) this.#takeIn(name, tail, entries);
    return true;
  }

  #takeIn(name: string, tail: number, entries: readonly Readonly<Entry>[]): void {
    const stems = new HashSet(2 * entries.length);
    for (const [key] of entries) {
      const { hash, check } = this.#hash.of(key, key.length - tail);
      stems.add(hash, check);
    }
    this.#last = NO_GROUP;
    this.#groups.set(name, { stems, isUsed: true });
    this.#misses.delete(name);
    this.#grown(stems.bytes);
  }

  #grown(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.mostBytes && this.#groups.size <= this.mostGroups) return;
    this.#last = NO_GROUP;
    // First those for which nobody has asked since the last time, then the oldest ones.
    this.#forget((group) => !group.isUsed);
    this.#forget(() => true);
    for (const group of this.#groups.values()) group.isUsed = false;
  }

  /** Forgets groups until there is room for some more. */
  #forget(mayGo: (group: Group) => boolean): void {
    this.#bytes = 0;
    for (const { stems } of this.#groups.values()) this.#bytes += stems.bytes;
    for (const [name, group] of this.#groups) {
      if (this.#bytes <= this.mostBytes * KEPT && this.#groups.size <= this.mostGroups * KEPT) return;
      if (!mayGo(group)) continue;
      this.#groups.delete(name);
      this.#bytes -= group.stems.bytes;
    }
  }
}

function isOfGroup(stem: string): boolean {
  return stem.length > GROUP_CHARS && stem.charCodeAt(GROUP_CHARS) !== OTHER_CODE;
}
