const FREE = -1;
const FIRST_PLACES = 64;

/**
 * Slots by hashes of 32 bits, of which several may be the same: what is in a slot, others have to look at. It is a table of numbers
 * alone: to look something up is to look at one place in memory, mostly, and the garbage collector has nothing to go through.
 *
 * A place is where a slot is noted, until another one is noted or removed. What notes or removes one may be cut off at any moment:
 * then the table is not whole, and must not be used any more.
 */
export class SlotTable {
  #hashes = new Int32Array(FIRST_PLACES);
  #slots = new Int32Array(FIRST_PLACES).fill(FREE);
  #used = 0;
  #isWhole = true;

  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** The first place of a hash; -1: there is none. Behind a place, the next one. */
  find(hash: number, behind?: number): number {
    const hashes = this.#hashes;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let place = behind === undefined ? hash & mask : (behind + 1) & mask;
    while (slots[place] !== FREE) {
      if (hashes[place] === hash) return place;
      place = (place + 1) & mask;
    }
    return -1;
  }

  slotAt(place: number): number {
    return this.#slots[place] as number;
  }

  /** Notes a slot, 0 or greater, which is not noted under this hash yet. */
  add(hash: number, slot: number): void {
    this.#isWhole = false;
    if (++this.#used * 2 > this.#slots.length) this.#grow();
    this.#put(hash, slot);
    this.#isWhole = true;
  }

  /** Removes a slot, if it is noted under this hash. */
  remove(hash: number, slot: number): void {
    const mask = this.#slots.length - 1;
    let free = this.find(hash);
    while (free >= 0 && this.#slots[free] !== slot) free = this.find(hash, free);
    if (free < 0) return;
    this.#isWhole = false;
    this.#used--;
    // What has come to stand behind it for want of room moves up, as a search ends at the first place that is free.
    for (let place = (free + 1) & mask; this.#slots[place] !== FREE; place = (place + 1) & mask) {
      const wanted = (this.#hashes[place] as number) & mask;
      if (((place - wanted) & mask) < ((place - free) & mask)) continue;
      this.#hashes[free] = this.#hashes[place] as number;
      this.#slots[free] = this.#slots[place] as number;
      free = place;
    }
    this.#slots[free] = FREE;
    this.#isWhole = true;
  }

  #put(hash: number, slot: number): void {
    const mask = this.#slots.length - 1;
    let place = hash & mask;
    while (this.#slots[place] !== FREE) place = (place + 1) & mask;
    this.#hashes[place] = hash;
    this.#slots[place] = slot;
  }

  #grow(): void {
    const hashes = this.#hashes;
    const slots = this.#slots;
    this.#hashes = new Int32Array(2 * slots.length);
    this.#slots = new Int32Array(2 * slots.length).fill(FREE);
    for (let i = 0; i < slots.length; i++) {
      if (slots[i] !== FREE) this.#put(hashes[i] as number, slots[i] as number);
    }
  }
}
