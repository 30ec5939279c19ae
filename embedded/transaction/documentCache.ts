import { hashOfChars } from "../values/charHash";
import type { DecodedId } from "../values/ids";
import { documentKey, internalIdOfKey, tabletOfKey } from "./keys";
import { SlotTable } from "./slotTable";

/** A document as it stands in the database. It stays as it is: once the document is written, there is another one. */
export type StoredDocument = {
  /** Its JSON. */
  readonly text: string;
  /**
   * A small number that no other document of the cache has at the same time: a place for what somebody makes of it.
   * {@link NO_SLOT}: it is not in the cache.
   */
  readonly slot: number;
};

export const NO_SLOT = -1;

/**
 * How much is kept, in characters, see {@link weightOf}: some 100,000 people. What realms make of the documents has a bound that follows
 * from this, see `MAX_ALL_TEMPLATES_CHARS` in functions/directDatabase.js.
 */
const CAPACITY = 72 << 20;
/**
 * Where others have to go, of so many documents that are read one is taken in: what is read often comes in soon all the same, and to
 * take in what is not costs as much as to read it again.
 */
const TAKEN_IN_ONE_OF = 4;
/** A longer one would push out many others. */
const LONGEST_TEXT = 64 << 10;
/** What a document takes in memory beside its text, roughly and in characters. */
const ENTRY_CHARS = 200;

class CachedDocument implements StoredDocument {
  /** It was read since the hand has last come by. */
  isUsed = false;
  /** Where it is noted; see {@link DecodedId.found}. */
  id: DecodedId | null = null;

  constructor(
    readonly tablet: number,
    readonly internalId: string,
    readonly text: string,
    readonly slot: number,
    /** The cache in which it is; `null`: it is out of date, or was pushed out. */
    public cache: DocumentCache | null,
  ) {}
}

/**
 * Committed documents that were read lately, as the last commit has left them.
 *
 * A read may be cut off at any moment, a write is not: what is left half-done then is never out of date.
 *
 * They stand in a ring. Where one has to go, a hand goes round, spares those that were read since it last came by, and takes
 * the first other one. So a read of what is here changes one field, and by an id that is decoded already it looks nothing up.
 */
export class DocumentCache {
  /** Their slots by their internal ids, see {@link hashOf}: to find one, no key has to be made. */
  #slots = new SlotTable();
  /** By their slots. */
  readonly #ring: (CachedDocument | null)[] = [];
  readonly #freeSlots: number[] = [];
  #hand = 0;
  /** How many were read of which it had to be decided whether others have to go. */
  #passedOver = 0;
  /** How many were found of which another id was noted. */
  #notedAgain = 0;
  #weight = 0;

  constructor(
    private readonly load: (key: string) => string | undefined,
    private readonly capacity = CAPACITY,
  ) {}

  /** The document that an id, which names the table, and the tablet of that table name. */
  byId(id: DecodedId, tablet: number): StoredDocument | undefined {
    const noted = id.found as CachedDocument | null;
    if (noted !== null && noted.cache === this && noted.tablet === tablet) {
      noted.isUsed = true;
      return noted;
    }
    // The text of an id that was read is its own.
    const document = this.#byInternalId(tablet, id.internalId, (internalId) => internalId);
    if (document instanceof CachedDocument) this.#note(document, id);
    return document;
  }

  byInternalId(tablet: number, internalId: string): StoredDocument | undefined {
    return this.#byInternalId(tablet, internalId, ownText);
  }

  #byInternalId(
    tablet: number,
    internalId: string,
    own: (text: string) => string,
  ): StoredDocument | undefined {
    const known = this.#find(tablet, internalId);
    if (known !== null) {
      known.isUsed = true;
      return known;
    }
    const text = this.load(documentKey(tablet, internalId));
    if (text === undefined) return undefined;
    const isFull = this.#weight + weightOf(text) > this.capacity;
    if (isFull && ++this.#passedOver % TAKEN_IN_ONE_OF !== 0) return { text, slot: NO_SLOT };
    return this.#add(tablet, own(internalId), text);
  }

  /** What a document is by now that was given before; `undefined`: it is not there any more, or was not in the cache. */
  current(document: StoredDocument): StoredDocument | undefined {
    if (!(document instanceof CachedDocument)) return undefined;
    if (document.cache !== this) return this.byInternalId(document.tablet, document.internalId);
    document.isUsed = true;
    return document;
  }

  /** Takes note of a document that is written; `null`: deleted. What nobody has read is not kept. */
  write(key: string, text: string | null): void {
    const document = this.#find(tabletOfKey(key), internalIdOfKey(key));
    if (document === null) return;
    this.#remove(document);
    if (text !== null) this.#add(document.tablet, document.internalId, text);
  }

  clear(): void {
    for (const document of this.#ring) if (document !== null) this.#remove(document);
  }

  #find(tablet: number, internalId: string): CachedDocument | null {
    const hash = hashOf(internalId);
    const slots = this.#wholeSlots();
    for (let place = slots.find(hash); place >= 0; place = slots.find(hash, place)) {
      const document = this.#ring[slots.slotAt(place)];
      if (document?.internalId === internalId && document.tablet === tablet && document.cache === this)
        return document;
    }
    return null;
  }

  /**
   * Notes where a document is at an id. Of ids that are read anew each time few are noted, as a document is old for the garbage collector:
   * what it refers to is left to the rare and long collections.
   */
  #note(document: CachedDocument, id: DecodedId): void {
    if (document.id !== null && ++this.#notedAgain % TAKEN_IN_ONE_OF !== 0) return;
    document.id = id;
    id.found = document;
  }

  /** The table of slots, which is made anew if a read was cut off that was about to change it. */
  #wholeSlots(): SlotTable {
    if (this.#slots.isWhole) return this.#slots;
    const slots = new SlotTable();
    for (const document of this.#ring) {
      if (document?.cache === this) slots.add(hashOf(document.internalId), document.slot);
    }
    return (this.#slots = slots);
  }

  #add(tablet: number, internalId: string, text: string): StoredDocument {
    const weight = weightOf(text);
    if (text.length > LONGEST_TEXT || weight > this.capacity) return { text, slot: NO_SLOT };
    while (this.#weight + weight > this.capacity) this.#turn();
    const slot = this.#freeSlots.pop() ?? this.#ring.length;
    const document = new CachedDocument(tablet, internalId, text, slot, this);
    this.#weight += weight;
    this.#wholeSlots().add(hashOf(internalId), slot);
    // Last: what is in the ring is found, also where the table has to be made anew.
    this.#ring[slot] = document;
    return document;
  }

  /** Moves the hand on by one. */
  #turn(): void {
    this.#hand = (this.#hand + 1) % this.#ring.length;
    const document = this.#ring[this.#hand];
    if (!document) return;
    if (document.isUsed) document.isUsed = false;
    else this.#remove(document);
  }

  #remove(document: CachedDocument): void {
    const { internalId, text, slot, id } = document;
    // First, so that nobody finds by its id what a write would not find.
    document.cache = null;
    // What is noted there would be kept in memory.
    if (id?.found === document) id.found = null;
    this.#wholeSlots().remove(hashOf(internalId), slot);
    this.#weight -= weightOf(text);
    this.#ring[slot] = null;
    this.#freeSlots.push(slot);
  }
}

/** Of the bytes that differ most from id to id, in ours as in Convex's. */
function hashOf(internalId: string): number {
  const hash = hashOfChars(internalId, 5, 13);
  // A table goes by the last bits.
  return hash ^ (hash >>> 15);
}

/** How much of the capacity a document takes: that of its text, and as much for what is made of it. */
function weightOf(text: string): number {
  return 2 * text.length + ENTRY_CHARS;
}

/** The same text, and not as a part of a longer one, such as a key, which would stay in memory with it. */
function ownText(binary: string): string {
  return Buffer.from(binary, "latin1").toString("latin1");
}
