import { crc32 } from "node:zlib";

/*
 * A record of the log holds the writes of one group of commits, all or none:
 *
 *   magic (4)  check (4)  bytes of the payload (4)  sequence (8)  payload
 *   a write in the payload: bytes of the key (4), bytes of the value (4), key, value in UTF-8
 *
 * `check` is the CRC-32 of all that follows it, begun with the salt of the file: nobody who chooses what is stored can make
 * it look like a record. Numbers are little endian.
 */
const MAGIC = 0x93ed5ab1;
const CHECK_AT = 4;
const PAYLOAD_BYTES_AT = 8;
const SEQUENCE_AT = 12;
const HEADER_BYTES = 20;
const WRITE_HEADER_BYTES = 8;
/** In the place of a value's length: the key is deleted. */
const DELETED = 0xffff_ffff;

const MAGIC_BYTES = Buffer.alloc(4);
MAGIC_BYTES.writeUInt32LE(MAGIC);

const FIRST_BYTES = 1 << 16;
/** A buffer that has grown beyond this is not kept for the next record. */
const KEPT_BYTES = 1 << 22;
/** UTF-8 takes up to so many bytes for a UTF-16 code unit. */
const BYTES_PER_CHARACTER = 3;

/** What `Buffer.write` comes to when it has found out the encoding, which takes as long as to write a key. */
interface QuickBuffer extends Buffer {
  latin1Write(text: string, at: number, length: number): number;
  utf8Write(text: string, at: number, length: number): number;
}

function allocate(bytes: number): QuickBuffer {
  return Buffer.allocUnsafeSlow(bytes) as QuickBuffer;
}

/** As `Buffer.writeUInt32LE`, without a look at what it is given. */
function writeUint32(buffer: Buffer, value: number, at: number): void {
  buffer[at] = value;
  buffer[at + 1] = value >>> 8;
  buffer[at + 2] = value >>> 16;
  buffer[at + 3] = value >>> 24;
}

/** Puts a record together, write by write. */
export class RecordWriter {
  #buffer = allocate(FIRST_BYTES);
  #end = HEADER_BYTES;

  /** How long the record is so far. */
  get length(): number {
    return this.#end;
  }

  /** Takes back what was added since the record was as long as that. */
  cutTo(length: number): void {
    this.#end = length;
  }

  /** The whole record; it is good until the writer is reset. */
  seal(sequence: number, salt: number): Buffer {
    const record = this.#buffer.subarray(0, this.#end);
    record.writeUInt32LE(MAGIC);
    record.writeUInt32LE(this.#end - HEADER_BYTES, PAYLOAD_BYTES_AT);
    record.writeBigUInt64LE(BigInt(sequence), SEQUENCE_AT);
    record.writeUInt32LE(crc32(record.subarray(PAYLOAD_BYTES_AT), salt), CHECK_AT);
    return record;
  }

  reset(): void {
    this.#end = HEADER_BYTES;
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = allocate(FIRST_BYTES);
  }

  add(key: string, value: string | null): void {
    const most = WRITE_HEADER_BYTES + key.length + (value?.length ?? 0) * BYTES_PER_CHARACTER;
    if (this.#end + most > this.#buffer.length) this.#grow(this.#end + most);
    const buffer = this.#buffer;
    const at = this.#end;
    const valueAt = at + WRITE_HEADER_BYTES + key.length;
    writeUint32(buffer, key.length, at);
    buffer.latin1Write(key, at + WRITE_HEADER_BYTES, key.length);
    const bytes =
      value === null || value === ""
        ? 0
        : buffer.utf8Write(value, valueAt, value.length * BYTES_PER_CHARACTER);
    writeUint32(buffer, value === null ? DELETED : bytes, at + 4);
    this.#end = valueAt + bytes;
  }

  #grow(bytes: number): void {
    const larger = allocate(Math.max(bytes, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
  }
}

/** `end`: where the next record begins in the file. */
export type LogRecord = { readonly sequence: number; readonly payload: Buffer; readonly end: number };

/** The record at a place of a file, or null if no whole and undamaged one is there. */
export function readRecord(file: Buffer, at: number, salt: number): LogRecord | null {
  if (at + HEADER_BYTES > file.length || file.readUInt32LE(at) !== MAGIC) return null;
  const end = at + HEADER_BYTES + file.readUInt32LE(at + PAYLOAD_BYTES_AT);
  if (end > file.length) return null;
  if (crc32(file.subarray(at + PAYLOAD_BYTES_AT, end), salt) !== file.readUInt32LE(at + CHECK_AT))
    return null;
  return {
    sequence: Number(file.readBigUInt64LE(at + SEQUENCE_AT)),
    payload: file.subarray(at + HEADER_BYTES, end),
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

/** The writes of a record in their order. */
export function* writesOf({ payload }: LogRecord): Generator<[key: string, value: string | null]> {
  for (let at = 0; at < payload.length;) {
    const keyBytes = payload.readUInt32LE(at);
    const valueBytes = payload.readUInt32LE(at + 4);
    const keyEnd = at + WRITE_HEADER_BYTES + keyBytes;
    const key = payload.toString("latin1", at + WRITE_HEADER_BYTES, keyEnd);
    at = keyEnd;
    if (valueBytes === DELETED) {
      yield [key, null];
    } else {
      at += valueBytes;
      yield [key, payload.toString("utf8", keyEnd, at)];
    }
  }
}
