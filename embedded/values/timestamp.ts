/** Timestamps of commits on the wire: u64 nanoseconds since the epoch, 8 bytes little endian, in base64. */

export function encodeTimestamp(ts: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(ts);
  return bytes.toString("base64");
}

/** `null` for what is no timestamp. */
export function decodeTimestamp(text: string): bigint | null {
  const bytes = Buffer.from(text, "base64");
  return bytes.length === 8 ? bytes.readBigUInt64LE() : null;
}
