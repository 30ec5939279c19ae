import { ID_AT, ID_END, INDEX_AT, INDEXES } from "../storage/keyGroups";
import { keyOfSheaf, type Sheaf } from "../storage/sheaf";
import { hashOfChars } from "../values/charHash";
import { RecentMap } from "../values/recentMap";
import type { DocumentCache, StoredDocument } from "./documentCache";

/** How many ranges are known. */
const MOST_RANGES = 2048;
/** One with more in it and at its start, in characters, is read anew each time. */
const LONGEST_CHARS = 64 << 10;
/** When so much was taken in, all is forgotten: what the cache of documents has pushed out would stay in memory. */
const MOST_CHARS = 16 << 20;

/** By so many bits groups are told apart; each takes 4 bytes. */
const GROUP_BITS = 14;

type Known = { readonly changes: number; readonly documents: StoredDocument[] };

/**
 * The documents of index ranges that were read lately, such as all people in a meeting: as long as nothing is written to the index
 * near such a range, they are not looked for again. A range is known by its start, which says where it ends.
 *
 * What reads may be cut off at any moment, a write is not.
 */
export class KnownRanges {
  #ranges = new RecentMap<string, Known>(MOST_RANGES);
  #chars = 0;
  /** How often keys of a group were written, while ranges of its index were known. */
  readonly #changes = new Int32Array(1 << GROUP_BITS);
  /** 1 for those indexes of which there have been ranges: what is written to others, as most is, takes one look. */
  readonly #indexes = new Uint8Array(INDEXES);

  constructor(private readonly documents: DocumentCache) {}

  /** All documents of a range, in their order, as the last commit has left them; `undefined`: it has to be read. */
  get(start: string): readonly StoredDocument[] | undefined {
    const known = this.#ranges.get(start);
    if (known === undefined || known.changes !== this.#changes[groupOf(start)]) return undefined;
    const { documents } = known;
    for (let i = 0; i < documents.length; i++) {
      const current = this.documents.current(documents[i] as StoredDocument);
      if (current === undefined) return undefined;
      documents[i] = current;
    }
    return documents;
  }

  /** Takes note of a range that was read, without writes of one's own. All keys in it begin with its start. */
  set(start: string, documents: readonly StoredDocument[]): void {
    if (start.length < ID_END) return;
    let chars = start.length;
    for (const { text } of documents) chars += text.length;
    if (chars > LONGEST_CHARS) return;
    if ((this.#chars += chars) > MOST_CHARS) this.clear();
    this.#indexes[start.charCodeAt(INDEX_AT)] = 1;
    this.#ranges.set(start, { changes: this.#changes[groupOf(start)] as number, documents: [...documents] });
  }

  /** To be called for each key that is written. */
  written(key: string): void {
    if (this.#indexes[key.charCodeAt(INDEX_AT)] !== 1 || key.length < ID_END) return;
    const group = groupOf(key);
    this.#changes[group] = (this.#changes[group] as number) + 1;
  }

  /** The same for all keys of a sheaf. */
  writtenSheaf({ layout, parts }: Sheaf): void {
    for (const key of layout.keys) {
      if (this.#indexes[key.prefix.charCodeAt(INDEX_AT)] === 1) this.written(keyOfSheaf(key, parts));
    }
  }

  clear(): void {
    this.#ranges = new RecentMap(MOST_RANGES);
    this.#chars = 0;
  }
}

/** The same for all keys that begin alike; for others mostly not. */
function groupOf(key: string): number {
  return hashOfChars(key, ID_AT, ID_END, key.charCodeAt(INDEX_AT)) >>> (32 - GROUP_BITS);
}
