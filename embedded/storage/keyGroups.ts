import { SEED } from "./keyHash";

/*
 * How keys of index entries begin, as far as what remembers them looks at it: with the number of the index, and often with an id.
 */

/** The last character of an index's number, by which indexes are told apart. */
export const INDEX_AT = 4;
export const INDEXES = 256;

/** Where in a key that begins with an id ids differ most. */
export const ID_AT = 19;
export const ID_END = 27;

/** What keys of a group begin with: the index, and a first field that holds an id of 32 characters, with its tag and its end. */
export const GROUP_CHARS = 39;

/**
 * A hash of the id that a key begins with, whose first bits are its best; of others anything. The seed counts in each step, so that
 * nobody who chooses first fields can choose what collides.
 */
export function groupHashOf(key: string): number {
  let hash = SEED;
  for (let i = ID_AT; i < ID_END; i++) hash = groupHashOn(hash, key.charCodeAt(i));
  return hash;
}

/** The same of the bytes of a key. `start`: where it begins, or would begin if all of it lay together. */
export function groupHashOfBytes(bytes: Uint8Array, start: number): number {
  let hash = SEED;
  for (let i = start + ID_AT; i < start + ID_END; i++) hash = groupHashOn(hash, bytes[i] as number);
  return hash;
}

function groupHashOn(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x9e37_79b1);
}
