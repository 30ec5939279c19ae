const FREE = 0;
const FEWEST_SLOTS = 64;
/** At least so many slots are there for each number: then most are found at the first look. */
const SLOTS_EACH = 2;

/** A set of 32-bit integers that are spread evenly, as hashes are. It takes 8 to 16 bytes for each. */
export class HashSet {
  #slots: Int32Array;
  #size = 0;

  /** @param expected how many */
  constructor(expected: number) {
    const slots = Math.max(SLOTS_EACH * expected, FEWEST_SLOTS);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(slots)));
  }

  /** How much memory it takes. */
  get bytes(): number {
    return this.#slots.byteLength;
  }

  has(hash: number): boolean {
    return this.#slots[slotOf(this.#slots, markOf(hash))] !== FREE;
  }

  add(hash: number): void {
    const mark = markOf(hash);
    const slot = slotOf(this.#slots, mark);
    if (this.#slots[slot] !== FREE) return;
    this.#slots[slot] = mark;
    if (++this.#size * SLOTS_EACH >= this.#slots.length) this.#slots = larger(this.#slots);
  }
}

/** How a hash stands in a slot: the one that looks like a free slot is taken for another. */
function markOf(hash: number): number {
  return hash === FREE ? 1 : hash;
}

/** The slot that has a mark, or that is free for it. */
function slotOf(slots: Int32Array, mark: number): number {
  const mask = slots.length - 1;
  let slot = mark & mask;
  while (slots[slot] !== FREE && slots[slot] !== mark) slot = (slot + 1) & mask;
  return slot;
}

function larger(slots: Int32Array): Int32Array {
  const grown = new Int32Array(2 * slots.length);
  for (const mark of slots) if (mark !== FREE) grown[slotOf(grown, mark)] = mark;
  return grown;
}
