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
/** A value of more bytes is not put into a text with others. */
const LONGEST_JOINED = 1 << 14;
/** A text of so many characters is put into the buffer. */
const TEXT_CHARS = 1 << 16;

/** The headers of writes of an empty text, by the length of the key. */
const EMPTY_TEXT_HEADERS = Array.from({ length: 256 }, (_, keyBytes) => writeHeader(keyBytes, 0));

/** Puts a record together, write by write. */
export class RecordWriter {
  #buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #end = HEADER_BYTES;
  /** What comes behind that, a byte in each character: to add to a text takes half the time of a call that writes to a buffer. */
  #text = "";

  /** How long the record is so far. */
  get length(): number {
    return this.#end + this.#text.length;
  }

  /** Takes back what was added since the record was as long as that. */
  cutTo(length: number): void {
    this.#text = this.#text.slice(0, Math.max(0, length - this.#end));
    this.#end = Math.min(length, this.#end);
  }

  /** The whole record; it is good until the writer is reset. */
  seal(sequence: number, salt: number): Buffer {
    this.#flush();
    const record = this.#buffer.subarray(0, this.#end);
    record.writeUInt32LE(MAGIC);
    record.writeUInt32LE(this.#end - HEADER_BYTES, PAYLOAD_BYTES_AT);
    record.writeBigUInt64LE(BigInt(sequence), SEQUENCE_AT);
    record.writeUInt32LE(crc32(record.subarray(PAYLOAD_BYTES_AT), salt), CHECK_AT);
    return record;
  }

  reset(): void {
    this.#end = HEADER_BYTES;
    this.#text = "";
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }

  add(key: string, value: string | null): void {
    if (value === "" && key.length < EMPTY_TEXT_HEADERS.length) {
      this.#text += EMPTY_TEXT_HEADERS[key.length] as string;
      this.#text += key;
    } else {
      const bytes = value === null ? DELETED : Buffer.byteLength(value);
      this.#text += writeHeader(key.length, bytes);
      this.#text += key;
      if (value !== null) this.#addValue(value, bytes);
    }
    if (this.#text.length > TEXT_CHARS) this.#flush();
  }

  #addValue(value: string, bytes: number): void {
    if (bytes === value.length && bytes <= LONGEST_JOINED) {
      // All of it is ASCII, of which each character is a byte in UTF-8.
      this.#text += value;
      return;
    }
    this.#flush();
    this.#makeRoom(bytes);
    this.#end += this.#buffer.write(value, this.#end);
  }

  #flush(): void {
    const text = this.#text;
    this.#makeRoom(text.length);
    this.#end += this.#buffer.write(text, this.#end, "latin1");
    this.#text = "";
  }

  #makeRoom(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
  }
}

/** What a write begins with, a byte in each character. */
function writeHeader(keyBytes: number, valueBytes: number): string {
  return u32(keyBytes) + u32(valueBytes);
}

function u32(n: number): string {
  return String.fromCharCode(n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24);
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
