import { hashOfText } from "./keyHash";
import type { KeyList } from "./keyList";
import { SpareArrays } from "./spareArrays";

/** In the place of a write: there may be several keys. */
const SEVERAL = -1;
const FREE = -2;
const SLOTS_EACH = 2;

/**
 * Finds the last write of a key by its stem: what it begins with, up to a tail that is as long in all keys that are asked for. That
 * takes one look, wherever the key lies in the order.
 *
 * It is a hash table of places in a list, as a `Map` of stems takes twice the time, and a text for each stem.
 */
export class KeyStems {
  #hashes;
  #places;
  #used = 0;
  #count = 0;

  /**
   * @param writes may become longer
   * @param tail how many characters the tail has
   */
  constructor(
    private readonly writes: KeyList,
    readonly tail: number,
    private readonly spare = new SpareArrays(),
  ) {
    this.#hashes = spare.take();
    this.#places = spare.take().fill(FREE);
  }

  /** Takes in the writes that have come since it was called last. After it was cut off, this is not to be used any more. */
  catchUp(): void {
    this.#makeRoom(this.#used + this.writes.length - this.#count);
    for (; this.#count < this.writes.length; this.#count++) {
      this.#put(this.writes.hashAt(this.#count, this.tail), this.#count);
    }
  }

  /** The place of the last write of the key with this stem. `undefined`: there is none, `null`: perhaps there are several keys. */
  find(stem: string): number | null | undefined {
    const place = this.#places[this.#slotOf(hashOfText(stem))] as number;
    if (place === FREE) return undefined;
    if (place === SEVERAL) return null;
    return this.writes.hasStemAt(place, stem, this.tail) ? place : undefined;
  }

  /** Gives its memory to others. Nothing may be asked any more. */
  release(): void {
    this.spare.keep(this.#hashes);
    this.spare.keep(this.#places);
  }

  #put(hash: number, place: number): void {
    const slot = this.#slotOf(hash);
    const other = this.#places[slot] as number;
    if (other !== FREE) {
      const isSame = other !== SEVERAL && this.writes.hasStemAt(other, this.writes.keyAt(place), 0);
      this.#places[slot] = isSame ? place : SEVERAL;
      return;
    }
    this.#hashes[slot] = hash;
    this.#places[slot] = place;
    this.#used++;
  }

  /** The one that has this hash, or that is free for it. */
  #slotOf(hash: number): number {
    const mask = this.#places.length - 1;
    let slot = hash & mask;
    while (this.#places[slot] !== FREE && this.#hashes[slot] !== hash) slot = (slot + 1) & mask;
    return slot;
  }

  /** Makes room for so many keys, once and not each time that there are twice as many. */
  #makeRoom(keys: number): void {
    const hashes = this.#hashes;
    const places = this.#places;
    if (SLOTS_EACH * keys <= places.length) return;
    this.#hashes = this.spare.take(SLOTS_EACH * keys);
    this.#places = this.spare.take(SLOTS_EACH * keys).fill(FREE);
    this.#used = 0;
    for (let i = 0; i < places.length; i++) {
      if (places[i] !== FREE) this.#put(hashes[i] as number, places[i] as number);
    }
    this.spare.keep(hashes);
    this.spare.keep(places);
  }
}
