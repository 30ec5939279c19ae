import { randomBytes } from "node:crypto";
import { PREFIX_BYTES } from "./sheafLayout.js";

/** Nobody who chooses what is stored can choose what collides. */
export const SEED = randomBytes(4).readInt32LE();
const PRIME = 0x9e37_79b1;

/** Several ask for the same, one after the other. */
let last = { text: "", hash: hashOfNew("") };

/** The hash of a binary string, which is that of its bytes. */
export function hashOfText(text: string): number {
  if (last.text !== text) last = { text, hash: hashOfNew(text) };
  return last.hash;
}

// Four characters at a time, as each step waits for the one before it. The prefix comes last: in a sheaf it is somewhere else.

function hashOfNew(text: string): number {
  const { length } = text;
  const head = Math.min(length, PREFIX_BYTES);
  let hash = SEED ^ length;
  let i = head;
  for (; i + 4 <= length; i += 4) {
    const low = text.charCodeAt(i) | (text.charCodeAt(i + 1) << 8);
    const high = text.charCodeAt(i + 2) | (text.charCodeAt(i + 3) << 8);
    hash = step(hash, low | (high << 16));
  }
  for (; i < length; i++) hash = step(hash, text.charCodeAt(i));
  for (i = 0; i < head; i++) hash = step(hash, text.charCodeAt(i));
  return mixed(hash);
}

/** The same of bytes that lie together. */
export function hashOfBytes(bytes: Uint8Array, start: number, end: number): number {
  const behind = Math.min(start + PREFIX_BYTES, end);
  return hashOfParts(bytes, start, behind, bytes, behind, end);
}

/** The same of a text whose prefix lies elsewhere than what follows. */
export function hashOfParts(
  prefix: Uint8Array,
  prefixStart: number,
  prefixEnd: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let hash = SEED ^ Math.max(0, prefixEnd - prefixStart + end - start);
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const low = (bytes[i] as number) | ((bytes[i + 1] as number) << 8);
    const high = (bytes[i + 2] as number) | ((bytes[i + 3] as number) << 8);
    hash = step(hash, low | (high << 16));
  }
  for (; i < end; i++) hash = step(hash, bytes[i] as number);
  for (i = prefixStart; i < prefixEnd; i++) hash = step(hash, prefix[i] as number);
  return mixed(hash);
}

function step(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, PRIME);
  // The upper bits of a word would change the upper bits alone.
  return product ^ (product >>> 15);
}

/** In a table of hashes a place is known by the last bits. */
export function mixed(hash: number): number {
  let mix = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2_ae35);
  return mix ^ (mix >>> 16);
}
