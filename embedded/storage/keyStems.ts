import { randomBytes } from "node:crypto";

/** In the place of a key: there may be several. */
const SEVERAL = -1;
const FREE = -2;
const FIRST_SLOTS = 64;
/** Nobody who chooses what is stored can choose what collides. */
const SEED = randomBytes(4).readInt32LE();

/**
 * Finds a key by its stem: what it begins with, up to a tail that is as long in all keys that are asked for. That takes one look,
 * wherever the key lies in the order.
 *
 * It is a hash table of places in a list of keys, as a `Map` of stems takes twice the time, and a text for each stem.
 */
export class KeyStems {
  #hashes = new Int32Array(FIRST_SLOTS);
  #places = new Int32Array(FIRST_SLOTS).fill(FREE);
  #used = 0;
  #count = 0;

  /**
   * @param keys may become longer
   * @param tail how many characters the tail has
   */
  constructor(
    private readonly keys: readonly string[],
    readonly tail: number,
  ) {}

  /** Takes in the keys that have come since it was called last. After it was cut off, this is not to be used any more. */
  catchUp(): void {
    for (; this.#count < this.keys.length; this.#count++) {
      const key = this.keys[this.#count] as string;
      this.#put(hashOf(key, key.length - this.tail), this.#count);
    }
  }

  /** `undefined`: no key has this stem, `null`: perhaps there are several. */
  get(stem: string): string | null | undefined {
    const found = this.#find(hashOf(stem, stem.length));
    const isIt = found && found.length === stem.length + this.tail && found.startsWith(stem);
    return found === null || isIt ? found : undefined;
  }

  /** Whether there is this key. `null`: perhaps. */
  has(key: string): boolean | null {
    const found = this.#find(hashOf(key, key.length - this.tail));
    return found === null ? null : found === key;
  }

  /** The key whose stem has this hash; `null`: perhaps there are several. */
  #find(hash: number): string | null | undefined {
    const place = this.#places[this.#slotOf(hash)] as number;
    if (place === FREE) return undefined;
    return place === SEVERAL ? null : this.keys[place];
  }

  #put(hash: number, place: number): void {
    const slot = this.#slotOf(hash);
    if (this.#places[slot] !== FREE) {
      this.#places[slot] = SEVERAL;
      return;
    }
    this.#hashes[slot] = hash;
    this.#places[slot] = place;
    if (++this.#used * 2 > this.#places.length) this.#grow();
  }

  /** The one that has this hash, or that is free for it. */
  #slotOf(hash: number): number {
    const mask = this.#places.length - 1;
    let slot = hash & mask;
    while (this.#places[slot] !== FREE && this.#hashes[slot] !== hash) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const hashes = this.#hashes;
    const places = this.#places;
    this.#hashes = new Int32Array(2 * places.length);
    this.#places = new Int32Array(2 * places.length).fill(FREE);
    this.#used = 0;
    for (let i = 0; i < places.length; i++) {
      if (places[i] !== FREE) this.#put(hashes[i] as number, places[i] as number);
    }
  }
}

/** Of the first characters of a key. */
function hashOf(key: string, length: number): number {
  let hash = SEED;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x0100_0193);
  // A slot is known by the last bits, which depend on the last bits of the characters alone.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
