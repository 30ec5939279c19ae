/** Base64 to a binary string: one character, 0..255, for each byte. */
export function base64ToBinary(base64: string): string {
  return Buffer.from(base64, "base64").toString("latin1");
}

/**
 * Whether the text is base64 as `convexToJson` writes it: the standard alphabet, padded, no stray bits. There is
 * one such text for any bytes, so texts can be compared in place of bytes.
 */
export function isCanonicalBase64(text: string): boolean {
  return text.length % 4 === 0 && Buffer.from(text, "base64").toString("base64") === text;
}

/** The number of bytes that canonical base64 stands for. */
export function base64Length(base64: string): number {
  const length = base64.length;
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  return (length / 4) * 3 - padding;
}
