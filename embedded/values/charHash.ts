/** A hash of the characters of a text from one place up to another. Its first bits are its best. */
export function hashOfChars(text: string, start: number, end: number, seed = 0): number {
  let hash = seed;
  for (let i = start; i < end; i++) hash = Math.imul(hash, 31) + text.charCodeAt(i);
  return Math.imul(hash, 0x9e37_79b1);
}
