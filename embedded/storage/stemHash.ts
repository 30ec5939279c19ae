import { GROUP_CHARS, ID_AT, ID_END, INDEX_AT } from "./keyGroups";
import { mixed, SEED } from "./keyHash";
import { PART_CHARS } from "./memtable";

const PRIME = 0x0100_0193;
const CHECK_PRIME = 0x9e37_79b1;
const CHECK_BITS = 16;

/**
 * The hash of a stem, which is what a key begins with up to there, and a few bits of another one: in a group of 50,000, of which 100
 * are asked for in each of hundreds of requests a second, about once a second one that is not there has the hash of one that is.
 *
 * It goes on over texts, one behind the other. Of an id that begins a stem few characters count.
 */
export class StemHash {
  #hash = 0;
  #check = 0;

  get hash(): number {
    return mixed(this.#hash);
  }

  /** Of the other one. */
  get check(): number {
    return this.#check >>> (32 - CHECK_BITS);
  }

  /** That of what a key begins with. */
  of(key: string, end: number): this {
    this.#hash = this.#check = SEED ^ key.charCodeAt(INDEX_AT);
    if (end < GROUP_CHARS) return this.goOn(key, PART_CHARS, end);
    return this.goOn(key, ID_AT, ID_END).goOn(key, GROUP_CHARS, end);
  }

  /** Goes on over the characters of a text from one place up to another. */
  goOn(text: string, start: number, end: number): this {
    let hash = this.#hash;
    let check = this.#check;
    for (let i = start; i < end; i++) {
      const code = text.charCodeAt(i);
      hash = Math.imul(hash ^ code, PRIME);
      check = Math.imul(check ^ code, CHECK_PRIME);
    }
    this.#hash = hash;
    this.#check = check;
    return this;
  }

  /** Is as another one. */
  set(other: StemHash): this {
    this.#hash = other.#hash;
    this.#check = other.#check;
    return this;
  }
}
