import { crc32 } from "node:zlib";

/*
 * A record of the log holds the writes of one group of commits, all or none:
 *
 *   magic (4)  check (4)  bytes of the payload (4)  sequence (8)  payload: the writes, see writeLayout.js
 *
 * `check` is the CRC-32 of all that follows it, begun with the salt of the file: nobody who chooses what is stored can make
 * it look like a record. Numbers are little endian.
 */
const MAGIC = 0x93ed5ab1;
const CHECK_AT = 4;
const PAYLOAD_BYTES_AT = 8;
const SEQUENCE_AT = 12;
export const RECORD_HEADER_BYTES = 20;

const MAGIC_BYTES = Buffer.alloc(4);
MAGIC_BYTES.writeUInt32LE(MAGIC);

/**
 * Makes a record of bytes that have room for its header, and behind it writes.
 *
 * @param parts which follow one another; the header is in the first of them
 */
export function sealRecord(parts: readonly Buffer[], sequence: number, salt: number): void {
  const header = parts[0] as Buffer;
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  header.writeUInt32LE(MAGIC);
  header.writeUInt32LE(bytes - RECORD_HEADER_BYTES, PAYLOAD_BYTES_AT);
  header.writeBigUInt64LE(BigInt(sequence), SEQUENCE_AT);
  let check = crc32(header.subarray(PAYLOAD_BYTES_AT), salt);
  for (const part of parts.slice(1)) check = crc32(part, check);
  header.writeUInt32LE(check, CHECK_AT);
}

/** `end`: where the next record begins in the file. */
export type LogRecord = { readonly sequence: number; readonly payload: Buffer; readonly end: number };

/** The record at a place of a file, or null if no whole and undamaged one is there. */
export function readRecord(file: Buffer, at: number, salt: number): LogRecord | null {
  if (at + RECORD_HEADER_BYTES > file.length || file.readUInt32LE(at) !== MAGIC) return null;
  const end = at + RECORD_HEADER_BYTES + file.readUInt32LE(at + PAYLOAD_BYTES_AT);
  if (end > file.length) return null;
  if (crc32(file.subarray(at + PAYLOAD_BYTES_AT, end), salt) !== file.readUInt32LE(at + CHECK_AT))
    return null;
  return {
    sequence: Number(file.readBigUInt64LE(at + SEQUENCE_AT)),
    payload: file.subarray(at + RECORD_HEADER_BYTES, end),
    end,
  };
}

/** Whether there is a record anywhere from this place of a file on. */
export function hasRecordFrom(file: Buffer, from: number, salt: number): boolean {
  for (let at = file.indexOf(MAGIC_BYTES, from); at !== -1; at = file.indexOf(MAGIC_BYTES, at + 1)) {
    if (readRecord(file, at, salt) !== null) return true;
  }
  return false;
}
