import { randomFillSync } from "node:crypto";
import { hashOfChars } from "./charHash";

/*
 * A document id is base32 (Crockford's alphabet in lower case, no padding) of
 *
 *   [table number: variable-length, 7 bits a byte, low bits first] [internal id: 16 bytes] [checksum: 2 bytes, LE]
 *
 * Convex fills the internal id with 14 random bytes and the day of its creation. Here the first six bytes are the
 * time in ms, big endian, so that ids made one after the other are neighbours in the B-tree and inserting a row
 * touches few pages; eight random bytes and the day follow. Decoders take the 16 bytes as they are, so these ids
 * are good ids everywhere, Convex's own tools included, and Convex's ids are good ids here.
 */
const INTERNAL_ID_BYTES = 16;
const MAX_TABLE_NUMBER_BYTES = 5;
const CHECKSUM_BYTES = 2;
const MIN_ID_LENGTH = 31;
const MAX_ID_LENGTH = 37;
const DAY_MS = 24 * 60 * 60 * 1000;

export type DecodedId = {
  readonly id: string;
  /** 1 or greater. */
  readonly tableNumber: number;
  /** 16 bytes, each a character, as keys carry them. */
  readonly internalId: string;
  /** What the last one who looked for the document has noted here, to find it again; see transaction/documentCache.ts. */
  found: unknown;
};

/** Places for ids that were read lately, in pairs; see {@link hashOf}: more than twice as many as the cache of documents has people. */
const PLACE_BITS = 18;

/**
 * To look one up takes a tenth of the time that it takes to read it, and a call reads most ids several times. An id has two places,
 * and is in the first when it was used last: so there is nothing to be tidied up, and no map, which would look at every character.
 */
const decodedIds = Array<DecodedId | null>(1 << PLACE_BITS).fill(null);
/** Their hashes: to look at another id, which lies somewhere else in memory, takes as long as to decode one. */
const decodedHashes = new Int32Array(1 << PLACE_BITS);
/** In the place of a hash: nothing is there. */
const FREE = 0;
/**
 * Where another has to go, of so many new ones one is taken in. What is decoded again and again comes in soon all the same, and what
 * is not is garbage at once, which costs nothing.
 */
const TAKEN_IN_ONE_OF = 4;
let passedOver = 0;

/** An id is mostly checked and then used. */
let last: DecodedId | null = null;

/**
 * A new, unguessable id (64 random bits) in a table. Ids of one table order by their time, to the ms.
 *
 * @param nowMs ms since the epoch
 */
export function newId(tableNumber: number, nowMs: number): { id: string; internalId: string } {
  const start = writeTableNumber(tableNumber);
  writeUint16(start, Math.floor(nowMs / 2 ** 32));
  scratch[start + 2] = nowMs / 2 ** 24;
  scratch[start + 3] = nowMs / 2 ** 16;
  writeUint16(start + 4, nowMs);
  fillRandom(start + 6);
  writeUint16(start + 14, nowMs / DAY_MS);
  const internalId = binaryString(start);
  return { id: finishId(start + INTERNAL_ID_BYTES), internalId };
}

/** @param internalId 16 bytes, each a character */
export function encodeId(tableNumber: number, internalId: string): string {
  const start = writeTableNumber(tableNumber);
  for (let i = 0; i < INTERNAL_ID_BYTES; i++) scratch[start + i] = internalId.charCodeAt(i);
  return finishId(start + INTERNAL_ID_BYTES);
}

/** What the id says, or null unless it is exactly the text that `encodeId` makes of it. */
export function decodeId(id: string): DecodedId | null {
  if (last?.id === id) return last;
  const hash = hashOf(id);
  const place = (hash >>> (32 - PLACE_BITS)) & ~1;
  const first = decodedHashes[place] === hash ? (decodedIds[place] ?? null) : null;
  if (first?.id === id) return (last = first);
  const secondHash = decodedHashes[place + 1];
  const second = secondHash === hash ? (decodedIds[place + 1] ?? null) : null;
  const isKnown = second?.id === id;
  const decoded = isKnown ? second : decodeNew(id);
  if (decoded === null) return null;
  if (isKnown || secondHash === FREE || ++passedOver % TAKEN_IN_ONE_OF === 0) {
    decodedHashes[place + 1] = decodedHashes[place] as number;
    decodedIds[place + 1] = decodedIds[place] as DecodedId | null;
    decodedHashes[place] = hash;
    decodedIds[place] = decoded;
  }
  return (last = decoded);
}

/** Of the characters that differ most from id to id, in ours as in Convex's. The first bits say where it may stand. It is not {@link FREE}. */
function hashOf(id: string): number {
  return hashOfChars(id, 13, 21, id.charCodeAt(id.length - 1)) | 1;
}

function decodeNew(id: string): DecodedId | null {
  if (decode(id) !== OK) return null;
  const internalId = binaryString(decodedTableBytes);
  return { id, tableNumber: decodedTableNumber, internalId, found: null };
}

/** The 16 bytes from there on, in one call: a loop would take several times as long. */
function binaryString(at: number): string {
  const b = scratch;
  return String.fromCharCode(
    b[at] as number,
    b[at + 1] as number,
    b[at + 2] as number,
    b[at + 3] as number,
    b[at + 4] as number,
    b[at + 5] as number,
    b[at + 6] as number,
    b[at + 7] as number,
    b[at + 8] as number,
    b[at + 9] as number,
    b[at + 10] as number,
    b[at + 11] as number,
    b[at + 12] as number,
    b[at + 13] as number,
    b[at + 14] as number,
    b[at + 15] as number,
  );
}

/** The table number of an id, or null where `decodeId` gives null. */
export function tableNumberOf(id: string): number | null {
  return decodeId(id)?.tableNumber ?? null;
}

/** Convex's words for why the text is not an id, or null if it is one. */
export function idProblem(id: string): string | null {
  const outcome = decode(id);
  if (outcome === OK) return null;
  const length = Buffer.byteLength(id);
  switch (outcome) {
    case BAD_LENGTH:
      return `Unable to decode ID: Invalid ID length ${length}`;
    case BAD_BASE32:
      // Convex counts bytes and looks at the length first.
      return length > MAX_ID_LENGTH
        ? `Unable to decode ID: Invalid ID length ${length}`
        : "Unable to decode ID: ID wasn't valid base32";
    case BAD_TABLE_NUMBER:
      return "Unable to decode ID: Invalid table number";
    default:
      return `Unable to decode ID: Invalid ID version ${foundChecksum} (expected ${expectedChecksum})`;
  }
}

/**
 * The id of a table's document that the text stands for: the text itself if it is an id of that table, an id
 * made of it if it is an internal id alone (22 characters of URL-safe base64, as ids were once written), else null.
 */
export function normalizeId(tableNumber: number, text: string): string | null {
  const found = tableNumberOf(text);
  if (found !== null) return found === tableNumber ? text : null;
  if (text.length !== LEGACY_ID_LENGTH) return null;
  const internalId = Buffer.from(text, "base64url");
  return internalId.toString("base64url") === text
    ? encodeId(tableNumber, internalId.toString("latin1"))
    : null;
}

const LEGACY_ID_LENGTH = 22;

/** The bytes of the id at hand; the three extra ones let whole groups of five be read and written at its end. */
const scratch = new Uint8Array(MAX_TABLE_NUMBER_BYTES + INTERNAL_ID_BYTES + CHECKSUM_BYTES + 5);

function writeTableNumber(tableNumber: number): number {
  if (!Number.isInteger(tableNumber) || tableNumber < 1 || tableNumber > 0xffffffff) {
    throw new RangeError(`${tableNumber} is not a table number`);
  }
  let rest = tableNumber;
  let position = 0;
  for (; rest >= 0x80; rest >>>= 7) scratch[position++] = (rest & 0x7f) | 0x80;
  scratch[position++] = rest;
  return position;
}

function writeUint16(position: number, value: number): void {
  scratch[position] = value / 0x100;
  scratch[position + 1] = value;
}

const POOL_BYTES = 8 * 1024;
const pool = Buffer.alloc(POOL_BYTES);
let poolPosition = POOL_BYTES;

/** Eight random bytes; asking the operating system once for many ids costs far less than once for each. */
function fillRandom(position: number): void {
  if (poolPosition === POOL_BYTES) {
    randomFillSync(pool);
    poolPosition = 0;
  }
  for (let i = 0; i < 8; i++) {
    scratch[position + i] = pool[poolPosition] as number;
    // What became public in an id stays in no memory.
    pool[poolPosition++] = 0;
  }
}

function finishId(end: number): string {
  const sum = checksum(end);
  scratch[end] = sum;
  scratch[end + 1] = sum >> 8;
  return toBase32(end + CHECKSUM_BYTES);
}

/** Fletcher-16 of the first bytes, modulo 256. */
function checksum(end: number): number {
  let low = 0;
  let high = 0;
  for (let i = 0; i < end; i++) {
    low += scratch[i] as number;
    high += low;
  }
  return ((high & 0xff) << 8) | (low & 0xff);
}

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** The characters' codes. */
const CODES = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0));

/** One character's five bits; 0xff for what is not of the alphabet. */
const BITS = new Uint8Array(128).fill(0xff);
for (let i = 0; i < ALPHABET.length; i++) BITS[ALPHABET.charCodeAt(i)] = i;

/** The text of the id at hand. Put together from parts, it would be moved to one place by whoever looks at it first. */
const text = Buffer.alloc(Math.ceil((scratch.length * 8) / 5));

function toBase32(length: number): string {
  scratch.fill(0, length);
  for (let i = 0, at = 0; i < length; i += 5, at += 8) {
    const a = scratch[i] as number;
    const b = scratch[i + 1] as number;
    const c = scratch[i + 2] as number;
    const d = scratch[i + 3] as number;
    const e = scratch[i + 4] as number;
    text[at] = CODES[a >> 3] as number;
    text[at + 1] = CODES[((a << 2) | (b >> 6)) & 31] as number;
    text[at + 2] = CODES[(b >> 1) & 31] as number;
    text[at + 3] = CODES[((b << 4) | (c >> 4)) & 31] as number;
    text[at + 4] = CODES[((c << 1) | (d >> 7)) & 31] as number;
    text[at + 5] = CODES[(d >> 2) & 31] as number;
    text[at + 6] = CODES[((d << 3) | (e >> 5)) & 31] as number;
    text[at + 7] = CODES[e & 31] as number;
  }
  return text.toString("latin1", 0, Math.ceil((length * 8) / 5));
}

const OK = 0;
const BAD_LENGTH = 1;
const BAD_BASE32 = 2;
const BAD_TABLE_NUMBER = 3;
const BAD_CHECKSUM = 4;

/** What `decode` found besides the bytes in `scratch`: fields of a result that is not worth an object. */
let decodedTableNumber = 0;
let decodedTableBytes = 0;
let foundChecksum = 0;
let expectedChecksum = 0;

function decode(id: string): number {
  const length = id.length;
  if (length < MIN_ID_LENGTH || length > MAX_ID_LENGTH) return BAD_LENGTH;
  let bits = 0;
  let count = 0;
  let bytes = 0;
  for (let i = 0; i < length; i++) {
    const code = id.charCodeAt(i);
    const five = code < 128 ? (BITS[code] as number) : 0xff;
    if (five === 0xff) return BAD_BASE32;
    bits = ((bits << 5) | five) & 0xfff;
    count += 5;
    if (count >= 8) {
      count -= 8;
      scratch[bytes++] = bits >> count;
    }
  }

  let tableNumber = 0;
  let position = 0;
  let byte: number;
  do {
    if (position === MAX_TABLE_NUMBER_BYTES) return BAD_TABLE_NUMBER;
    byte = scratch[position] as number;
    tableNumber = (tableNumber | ((byte & 0x7f) << (position * 7))) >>> 0;
    position++;
  } while (byte >= 0x80);
  if (tableNumber === 0) return BAD_TABLE_NUMBER;

  const end = position + INTERNAL_ID_BYTES;
  if (end + CHECKSUM_BYTES > bytes) return BAD_LENGTH;
  expectedChecksum = checksum(end);
  foundChecksum = (scratch[end] as number) | ((scratch[end + 1] as number) << 8);
  if (expectedChecksum !== foundChecksum) return BAD_CHECKSUM;

  // One text for one id: nothing left over, no bits of padding set, and no longer form of the table number.
  const leftOver = end + CHECKSUM_BYTES !== bytes || count >= 5 || (bits & ((1 << count) - 1)) !== 0;
  const longForm = position > 1 && (byte === 0 || (position === MAX_TABLE_NUMBER_BYTES && byte > 0x0f));
  if (leftOver || longForm) return BAD_LENGTH;

  decodedTableNumber = tableNumber;
  decodedTableBytes = position;
  return OK;
}
