import { isCanonicalBase64, base64ToBinary } from "./base64";
import { formatBytes, NUMBER_SIZE, sizeOf, textSize } from "./size";

/**
 * A Convex value in its JSON encoding, exactly as `convexToJson` of the convex package writes it. The runtime
 * keeps values in this form everywhere: what arrives is checked once (`checkValue`), stored as text and answered
 * as it is, so that no document is ever converted to JavaScript values and back.
 *
 * What JSON cannot say is an object with one key:
 * - `{ $integer: base64 }` an int64, 8 bytes, little endian;
 * - `{ $float: base64 }` NaN, Infinity, -Infinity or -0, 8 bytes, little endian (all other floats are numbers);
 * - `{ $bytes: base64 }` bytes;
 * - `{ $commitTs: null }` a commit timestamp that is not known yet (an int64 later; only inside a mutation).
 */
export type Json = null | boolean | number | string | Json[] | JsonObject;

export type JsonObject = { [key: string]: Json };

/** An int64: 8 bytes in base64, little endian. */
export type Int64Json = { $integer: string };

/** A float that JSON has no number for: 8 bytes in base64, little endian. */
export type SpecialFloatJson = { $float: string };

export type BytesJson = { $bytes: string };

/** The placeholder of a commit timestamp, which orders and weighs as the largest int64. */
export type CommitTsJson = { $commitTs: null };

export type Kind = "null" | "int64" | "float64" | "boolean" | "string" | "bytes" | "array" | "object";

/** The kind of a value that `checkValue` accepts. */
export function kindOf(json: Json): Kind {
  switch (typeof json) {
    case "string":
      return "string";
    case "number":
      return "float64";
    case "boolean":
      return "boolean";
    default:
      if (json === null) return "null";
      if (Array.isArray(json)) return "array";
      return kindOfObject(json as JsonObject);
  }
}

export function isInt64(json: Json | undefined): json is Int64Json | CommitTsJson {
  const key = specialKey(json);
  return key === "$integer" || key === "$commitTs";
}

export function isSpecialFloat(json: Json | undefined): json is SpecialFloatJson {
  return specialKey(json) === "$float";
}

export function isFloat64(json: Json | undefined): json is number | SpecialFloatJson {
  return typeof json === "number" || isSpecialFloat(json);
}

export function isBytes(json: Json | undefined): json is BytesJson {
  return specialKey(json) === "$bytes";
}

/** Whether it says that a field is not there: only in the values of a patch, the bounds of an index range and a filter. */
export function isUndefined(json: Json): boolean {
  return typeof json === "object" && json !== null && !Array.isArray(json) && "$undefined" in json;
}

/** Whether it is an object of any content; an encoding such as `{$integer}` counts too. */
export function isJsonObject(json: Json | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Whether the value is an object of fields: not null, not an array, not a `$` encoding. */
export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json) && specialKey(json) === null;
}

/** The limits that hold for every value, wherever it goes; documents have tighter ones. */
export const MAX_ARRAY_LENGTH = 8192;
export const MAX_OBJECT_FIELDS = 1024;
const MAX_FIELD_NAME_LENGTH = 1024;
export const MAX_NESTING = 64;
export const MAX_DOCUMENT_NESTING = 16;
const MAX_VALUE_BYTES = 32 * 1024 * 1024;

/**
 * Rejects what is not the encoding of a Convex value, or is beyond the limits of one. The commit timestamp
 * placeholder is legal only in what a mutation writes: `allowCommitTs`.
 *
 * @returns its size in bytes, as {@link sizeOf} counts it
 * @throws Error with Convex's message.
 */
export function checkValue(json: Json, { allowCommitTs = false, maxNesting = MAX_NESTING } = {}): number {
  const size = check(json, 0, allowCommitTs, maxNesting);
  if (size > MAX_VALUE_BYTES) {
    throw new Error(
      `Value is too large (${formatBytes(size)} > maximum size ${formatBytes(MAX_VALUE_BYTES)})`,
    );
  }
  return size;
}

/**
 * The size of a value that stands in `depth` objects and arrays; -1 if {@link checkValue} would reject it there, or if it has a commit
 * timestamp that is not known yet.
 */
export function legalSize(json: Json, depth: number): number {
  if (typeof json === "string") return textSize(json);
  try {
    return check(json, depth, false, MAX_DOCUMENT_NESTING);
  } catch {
    return -1;
  }
}

/**
 * The `json` format of the HTTP API, lossy but pleasant to read: an int64 is a decimal string, bytes are a base64
 * string, NaN and the infinities are their names. -0 is a number, which `JSON.stringify` then writes as 0.
 */
export function toCleanJson(json: Json): Json {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(toCleanJson);
  if (isInt64(json)) return int64Of(json).toString();
  if (isBytes(json)) return json.$bytes;
  if (isSpecialFloat(json)) {
    const float = floatOf(json);
    return Object.is(float, -0) ? float : String(float);
  }
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, toCleanJson(value)]));
}

/** The integer that the encoding stands for; the largest one for a commit timestamp that is not known yet. */
export function int64Of(json: Int64Json | CommitTsJson): bigint {
  if (!("$integer" in json)) return MAX_INT64;
  return Buffer.from(json.$integer, "base64").readBigInt64LE();
}

const MAX_INT64 = 2n ** 63n - 1n;

/** The encoding of an integer. */
export function int64Json(value: bigint): Int64Json {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return { $integer: bytes.toString("base64") };
}

/** The float that the encoding, or the plain number, stands for. */
export function floatOf(json: number | SpecialFloatJson): number {
  return typeof json === "number" ? json : Buffer.from(json.$float, "base64").readDoubleLE();
}

function kindOfObject(json: JsonObject): Kind {
  switch (specialKey(json)) {
    case null:
      return "object";
    case "$float":
      return "float64";
    case "$bytes":
      return "bytes";
    default:
      return "int64";
  }
}

const DOLLAR = 36;

/** In a legal value only the encodings have a key with `$`, and it is their only one: the first key decides. */
function specialKey(json: Json | undefined): string | null {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return null;
  for (const key in json) return key.charCodeAt(0) === DOLLAR ? key : null;
  return null;
}

/** Gives the size, so that a value is walked once. */
function check(json: Json, depth: number, allowCommitTs: boolean, maxNesting: number): number {
  switch (typeof json) {
    case "string":
      return textSize(json);
    case "boolean":
      return 1;
    case "number":
      if (Number.isFinite(json)) return NUMBER_SIZE;
      throw new Error(`Float64 ${json} should be encoded as a $float`);
    case "object":
      break;
    default:
      throw new Error(`${typeof json} is not a supported Convex type.`);
  }
  if (json === null) return 1;
  if (depth === maxNesting) {
    const what = maxNesting === MAX_NESTING ? "Value" : "Document";
    throw new Error(
      `${what} is too nested (nested ${maxNesting + 1} levels deep > maximum nesting ${maxNesting})`,
    );
  }
  let size = 2;
  if (Array.isArray(json)) {
    if (json.length > MAX_ARRAY_LENGTH) {
      throw new Error(`Array length is too long (${json.length} > maximum length ${MAX_ARRAY_LENGTH})`);
    }
    for (let i = 0; i < json.length; i++)
      size += check(json[i] as Json, depth + 1, allowCommitTs, maxNesting);
    return size;
  }
  let fields = 0;
  for (const name in json) {
    fields++;
    if (!isLegalFieldName(name)) {
      if (isEncoding(json, name, allowCommitTs)) return sizeOf(json);
      throw new Error(fieldNameProblem(name));
    }
    size += name.length + 1 + check(json[name] as Json, depth + 1, allowCommitTs, maxNesting);
  }
  if (fields > MAX_OBJECT_FIELDS) {
    throw new Error(`Object has too many fields (${fields} > maximum number ${MAX_OBJECT_FIELDS})`);
  }
  return size;
}

/** ASCII without control characters, not too long, not beginning with `$`. A loop: it runs for every field. */
function isLegalFieldName(name: string): boolean {
  const length = name.length;
  if (length > MAX_FIELD_NAME_LENGTH || name.charCodeAt(0) === DOLLAR) return false;
  for (let i = 0; i < length; i++) {
    const code = name.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

function fieldNameProblem(name: string): string {
  if (name.startsWith("$")) return `Field name ${name} starts with '$', which is reserved.`;
  const bad = /[^\x20-\x7e]/u.exec(name)?.[0];
  if (bad !== undefined) {
    return `Field name ${name} has invalid character '${bad}': Field names can only contain non-control ASCII characters`;
  }
  return `Field name is too long (${name.length} > maximum ${MAX_FIELD_NAME_LENGTH})`;
}

/**
 * Whether the object is one of the `$` encodings, with the given first key.
 *
 * @throws Error if it is one by its key but not by its content.
 */
function isEncoding(json: JsonObject, key: string, allowCommitTs: boolean): boolean {
  if (Object.keys(json).length !== 1) return false;
  const content = json[key];
  switch (key) {
    case "$integer":
      if (base64Content(key, content).length !== 8) throw new Error("Int64 must be exactly eight bytes");
      return true;
    case "$float": {
      if (base64Content(key, content).length !== 8) throw new Error("Float64 must be exactly eight bytes");
      const float = floatOf(json as SpecialFloatJson);
      if (Number.isFinite(float) && !Object.is(float, -0)) {
        throw new Error(`Float64 ${float} should be encoded as a number`);
      }
      return true;
    }
    case "$bytes":
      base64Content(key, content);
      return true;
    case "$commitTs":
      return allowCommitTs && content === null;
    default:
      return false;
  }
}

function base64Content(key: string, content: Json | undefined): string {
  if (typeof content !== "string" || !isCanonicalBase64(content)) {
    throw new Error(`Malformed ${key} field: expected a base64 string`);
  }
  return base64ToBinary(content);
}
