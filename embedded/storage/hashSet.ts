const FREE = 0;
const FEWEST_SLOTS = 64;
/** At least so many slots are there for each hash: then most are found at the first look. */
const SLOTS_EACH = 2;

/**
 * A set of hashes: integers of 32 bits that are spread evenly, and of 16 bits beside each, by which are told apart those that have the
 * first alike. It takes 12 to 24 bytes for each.
 */
export class HashSet {
  #slots: Int32Array;
  #checks: Uint16Array;
  #size = 0;

  /** @param expected how many */
  constructor(expected: number) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(SLOTS_EACH * expected, FEWEST_SLOTS)));
    this.#slots = new Int32Array(slots);
    this.#checks = new Uint16Array(slots);
  }

  /** How much memory it takes. */
  get bytes(): number {
    return this.#slots.byteLength + this.#checks.byteLength;
  }

  has(hash: number, check: number): boolean {
    return this.#slots[this.#slotOf(markOf(hash), check)] !== FREE;
  }

  add(hash: number, check: number): void {
    const mark = markOf(hash);
    const slot = this.#slotOf(mark, check);
    if (this.#slots[slot] !== FREE) return;
    this.#slots[slot] = mark;
    this.#checks[slot] = check;
    if (++this.#size * SLOTS_EACH >= this.#slots.length) this.#grow();
  }

  /** The slot that has these, or that is free for them. */
  #slotOf(mark: number, check: number): number {
    const slots = this.#slots;
    const last = slots.length - 1;
    let slot = mark & last;
    while (slots[slot] !== FREE && (slots[slot] !== mark || this.#checks[slot] !== check))
      slot = (slot + 1) & last;
    return slot;
  }

  #grow(): void {
    const [slots, checks] = [this.#slots, this.#checks];
    this.#slots = new Int32Array(2 * slots.length);
    this.#checks = new Uint16Array(2 * slots.length);
    this.#size = 0;
    for (let i = 0; i < slots.length; i++) {
      if (slots[i] !== FREE) this.add(slots[i] as number, checks[i] as number);
    }
  }
}

/** How a hash stands in a slot: the one that looks like a free slot is taken for another. */
function markOf(hash: number): number {
  return hash === FREE ? 1 : hash;
}
