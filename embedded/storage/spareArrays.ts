const FEWEST_NUMBERS = 64;
/** What is kept, of all lengths together. */
const MAX_BYTES = 16 << 20;

/** Numbers of 32 bits. */
type Numbers = Int32Array<ArrayBuffer>;

/**
 * Long arrays of numbers that are used again. They live as long as a generation of writes, so that only the garbage collector's rare and
 * long collections would take them away, and these would come more often for it.
 */
export class SpareArrays {
  readonly #kept = new Map<number, Numbers[]>();
  #bytes = 0;

  /** One with room for so many numbers or some more. What it holds is left from before. */
  take(numbers = 0): Numbers {
    const length = 2 ** Math.ceil(Math.log2(Math.max(numbers, FEWEST_NUMBERS)));
    const known = this.#kept.get(length)?.pop();
    if (known === undefined) return new Int32Array(length);
    this.#bytes -= known.byteLength;
    return known;
  }

  /** Nobody may look into it any more. */
  keep(array: Numbers): void {
    if (this.#bytes + array.byteLength > MAX_BYTES) return;
    this.#bytes += array.byteLength;
    const alike = this.#kept.get(array.length);
    if (alike) alike.push(array);
    else this.#kept.set(array.length, [array]);
  }
}
