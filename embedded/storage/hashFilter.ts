const SPREAD = 0x9e37_79b1;

const BITS_EACH = 16;
const WORD_BITS = 32;
/** A block is two words. */
const BLOCK_WORDS = 2;
/** How many times as many the next filter has room for as the last one. */
const GROWTH = 4;
/** The first has room for so many. */
const FEWEST = 64;

/**
 * A set of 32-bit hashes, which may say of one that it is there though it is not: of five in a thousand, or of three or four in a hundred
 * where it has become a thousand times as large as was expected. Never the other way round.
 *
 * It takes two bytes for each, or a little more, so that the processor's caches have it where they do not have a table of hashes. It is a
 * row of Bloom filters, in blocks of 64 bits, of which each hash has four.
 */
export class HashFilter {
  readonly #filters: Int32Array[] = [];
  #capacity: number;
  /** How many more go into the last filter. */
  #room = 0;
  #bytes = 0;

  /** @param expected how many hashes */
  constructor(expected: number) {
    this.#capacity = 2 ** Math.ceil(Math.log2(Math.max(expected, FEWEST)));
  }

  /** How much memory it takes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `true`: it may have been added. */
  has(hash: number): boolean {
    const first = firstBits(hash);
    const second = secondBits(hash);
    for (const words of this.#filters) {
      const at = blockOf(words, hash);
      if (((words[at] as number) & first) === first && ((words[at + 1] as number) & second) === second)
        return true;
    }
    return false;
  }

  add(hash: number): void {
    if (this.#room-- === 0) this.#grow();
    const words = this.#filters.at(-1) as Int32Array;
    const at = blockOf(words, hash);
    words[at] = (words[at] as number) | firstBits(hash);
    words[at + 1] = (words[at + 1] as number) | secondBits(hash);
  }

  #grow(): void {
    if (this.#filters.length > 0) this.#capacity *= GROWTH;
    const words = new Int32Array((this.#capacity * BITS_EACH) / WORD_BITS);
    this.#filters.push(words);
    this.#bytes += words.byteLength;
    this.#room = this.#capacity - 1;
  }
}

/** Where the block of a hash begins. */
function blockOf({ length }: Int32Array, hash: number): number {
  return hash & (length - BLOCK_WORDS);
}

// Each takes ten bits, which are two places in a word.

function firstBits(hash: number): number {
  const spread = spreadOf(hash);
  return (1 << (spread >>> 27)) | (1 << (spread >>> 22));
}

function secondBits(hash: number): number {
  const spread = spreadOf(hash);
  return (1 << (spread >>> 17)) | (1 << (spread >>> 12));
}

/** Its first bits differ where hashes are in the same block, whose last ones are the same. */
function spreadOf(hash: number): number {
  return Math.imul(hash ^ (hash >>> 16), SPREAD);
}
