import { base64ToBinary } from "./base64";
import { kindOf, type CommitTsJson, type Int64Json, type Json, type JsonObject } from "./json";

/*
 * Keys are *binary strings*: JavaScript strings with one character, 0..255, for each byte, so that `<` on two of
 * them is the order of their bytes. A part begins with a tag that orders the kinds; what has no fixed length ends
 * with a zero byte, and a zero byte inside it is written 00 FF. FF is not a tag, hence no part is a prefix of
 * another, and parts written one after the other order as a tuple. The bytes are those that Convex sorts by.
 */
const UNDEFINED = "\x01";
const NULL = "\x03";
/** Tag of the int64 zero; the tags around it are those of 1, 2, 4 and 8 bytes, negative ones below. */
const INT64_ZERO_TAG = 0x08;
const FLOAT64_TAG = 0x0d;
const FALSE = "\x0e";
const TRUE = "\x0f";
const STRING_TAG = "\x10";
const BYTES_TAG = "\x11";
const ARRAY_TAG = "\x12";
const OBJECT_TAG = "\x15";
const END = "\0";
const ESCAPE = "\xff";

/**
 * Encodes values so that the byte order of the keys is Convex's order of the tuples:
 * undefined < null < int64 < float64 < false < true < string < bytes < array < object. `undefined` stands for a
 * field that is missing. A key that continues another one (`encodeKey([a, b])` and `encodeKey([a])`) starts with it.
 */
export function encodeKey(parts: readonly (Json | undefined)[]): string {
  let key = "";
  for (let i = 0; i < parts.length; i++) key += encodeKeyPart(parts[i]);
  return key;
}

/** One part of a key; see `encodeKey`. */
export function encodeKeyPart(part: Json | undefined): string {
  if (typeof part === "string") return STRING_TAG + encodeText(part) + END;
  if (typeof part === "number") return encodeFloat(part);
  if (part === undefined) return UNDEFINED;
  switch (kindOf(part)) {
    case "null":
      return NULL;
    case "int64":
      return encodeInt64(part as Int64Json | CommitTsJson);
    case "float64":
      return encodeFloatBytes((part as { $float: string }).$float);
    case "boolean":
      return part === true ? TRUE : FALSE;
    case "bytes":
      return BYTES_TAG + escaped(base64ToBinary((part as { $bytes: string }).$bytes)) + END;
    case "array":
      return ARRAY_TAG + encodeKey(part as Json[]) + END;
    default:
      return encodeObject(part as JsonObject);
  }
}

/** How many of the first characters two keys have in common. */
export function sharedChars(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let chars = 0;
  while (chars < most && a.charCodeAt(chars) === b.charCodeAt(chars)) chars++;
  return chars;
}

/**
 * The smallest binary string that is greater than every string with the prefix: the exclusive end of a range of
 * all keys that start with it.
 *
 * @throws RangeError for a prefix that is empty or all FF, which has none; no key begins so.
 */
export function keySuccessor(prefix: string): string {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const code = prefix.charCodeAt(i);
    if (code < 0xff) return prefix.slice(0, i) + String.fromCharCode(code + 1);
  }
  throw new RangeError("No binary string is greater than every string with this prefix");
}

/** Orders two values as Convex does, `undefined` (a missing field) first: negative, 0 or positive. */
export function compareJson(a: Json | undefined, b: Json | undefined): number {
  if (typeof a === "number" && typeof b === "number") return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === "string" && typeof b === "string") return compareStrings(a, b);
  if (a === b) return 0;
  const x = encodeKeyPart(a);
  const y = encodeKeyPart(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** By code points, which is the order of the UTF-8 bytes; `<` on strings goes by UTF-16 units instead. */
function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    if (x < 0xd800 || y < 0xd800) return x - y;
    // The pair of a surrogate may have begun at the unit before, which is equal on both sides.
    const start = i > 0 && isHighSurrogate(a.charCodeAt(i - 1)) ? i - 1 : i;
    return (a.codePointAt(start) as number) - (b.codePointAt(start) as number);
  }
  return a.length - b.length;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function encodeFloat(value: number): string {
  // A bare -0 is 0: JSON.stringify writes it so, and the encoding of -0 is { $float }.
  float[0] = value + 0;
  const b = floatBytes as unknown as Eight;
  return LITTLE_ENDIAN
    ? orderedFloat(b[7], b[6], b[5], b[4], b[3], b[2], b[1], b[0])
    : orderedFloat(b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]);
}

/** NaN keeps its bits: a number in JavaScript need not. */
function encodeFloatBytes(base64: string): string {
  const b = Buffer.from(base64, "base64") as unknown as Eight;
  return orderedFloat(b[7], b[6], b[5], b[4], b[3], b[2], b[1], b[0]);
}

type Eight = Record<0 | 1 | 2 | 3 | 4 | 5 | 6 | 7, number>;

/** Eight bytes, the most significant first, in the total order of IEEE 754: -NaN, -Infinity, ..., NaN. */
function orderedFloat(
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
  g: number,
  h: number,
): string {
  return a < 0x80
    ? String.fromCharCode(FLOAT64_TAG, a ^ 0x80, b, c, d, e, f, g, h)
    : String.fromCharCode(
        FLOAT64_TAG,
        a ^ 0xff,
        b ^ 0xff,
        c ^ 0xff,
        d ^ 0xff,
        e ^ 0xff,
        f ^ 0xff,
        g ^ 0xff,
        h ^ 0xff,
      );
}

function encodeInt64(json: Int64Json | CommitTsJson): string {
  if (!("$integer" in json)) return LARGEST_INT64;
  const bytes = Buffer.from(json.$integer, "base64");
  const high = bytes.readInt32LE(4);
  const low = bytes.readInt32LE(0);
  if (high === 0 && low === 0) return String.fromCharCode(INT64_ZERO_TAG);
  const direction = high < 0 ? -1 : 1;
  let step: number;
  // One, two, four or eight bytes: the step from the tag of zero grows with the width.
  if (high !== low >> 31) step = 4;
  else if (low === (low << 24) >> 24) step = 1;
  else if (low === (low << 16) >> 16) step = 2;
  else step = 3;
  let key = String.fromCharCode(INT64_ZERO_TAG + direction * step);
  for (let i = (1 << (step - 1)) - 1; i >= 0; i--) key += String.fromCharCode(bytes[i] as number);
  return key;
}

const LARGEST_INT64 = "\x0c\x7f\xff\xff\xff\xff\xff\xff\xff";

function encodeObject(object: JsonObject): string {
  let key = OBJECT_TAG;
  for (const name of Object.keys(object).sort()) {
    // The end of an empty name would read as the end of the object.
    key += name + (name === "" ? END + ESCAPE : END) + encodeKeyPart(object[name]);
  }
  return key + END;
}

function escaped(binary: string): string {
  return binary.includes(END) ? binary.replaceAll(END, END + ESCAPE) : binary;
}

// A lone surrogate; pairs are one character to a pattern with the flag `u`.
const LONE_SURROGATE = /\p{Surrogate}/u;

function encodeText(text: string): string {
  const length = text.length;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0 || unit >= 0x80) return escaped(utf8(text));
  }
  return text;
}

/** The UTF-8 bytes of a text; a lone surrogate becomes its three bytes, so that different texts have different keys. */
function utf8(text: string): string {
  if (!LONE_SURROGATE.test(text)) return Buffer.from(text).toString("latin1");
  return text.replace(/\p{Surrogate}|\P{Surrogate}+/gu, (run) => {
    const unit = run.charCodeAt(0);
    if (run.length > 1 || unit < 0xd800 || unit > 0xdfff) return Buffer.from(run).toString("latin1");
    return String.fromCharCode(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  });
}
