import { base64Length } from "./base64";
import type { Json, JsonObject } from "./json";

/**
 * The size of a value in bytes as Convex counts it for its limits: 1 for null and booleans, 9 for int64 and
 * float64, 2 + bytes for strings (UTF-8) and bytes, 2 + elements for arrays, 2 + (name + 1 + value) for objects.
 */
export function sizeOf(json: Json): number {
  switch (typeof json) {
    case "string":
      return textSize(json);
    case "number":
      return NUMBER_SIZE;
    case "boolean":
      return 1;
  }
  if (json === null) return 1;
  let size = 2;
  if (Array.isArray(json)) {
    for (const element of json) size += sizeOf(element);
    return size;
  }
  for (const name in json) {
    if (name.charCodeAt(0) === DOLLAR) return name === "$bytes" ? 2 + base64Length(json[name] as string) : 9;
    // Field names are ASCII, so their length is their number of bytes.
    size += name.length + 1 + sizeOf(json[name] as Json);
  }
  return size;
}

const DOLLAR = 36;

const ID_FIELD_SIZE = 38;
const CREATION_TIME_FIELD_SIZE = 23;

/**
 * The size of a document in bytes, with its `_id` and `_creationTime` counted even where they are not set yet. `fieldsSize`: the
 * size of what is set, if it is known.
 */
export function documentSize(document: JsonObject, fieldsSize = sizeOf(document)): number {
  let size = fieldsSize;
  if (!Object.hasOwn(document, "_id")) size += ID_FIELD_SIZE;
  if (!Object.hasOwn(document, "_creationTime")) size += CREATION_TIME_FIELD_SIZE;
  return size;
}

/** The number of bytes as Convex's messages print it: "1 MiB", "1.25 MiB", "12 B". */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  let amount = bytes;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${Number.isInteger(amount) ? amount : amount.toFixed(2)} ${units[unit]}`;
}

export const NUMBER_SIZE = 9;

/** See {@link sizeOf}. */
export function textSize(text: string): number {
  return 2 + utf8Length(text);
}

/** Below this length counting in JavaScript beats the call into native code. */
const COUNT_NATIVELY_FROM = 48;

function utf8Length(text: string): number {
  const length = text.length;
  if (length >= COUNT_NATIVELY_FROM) return Buffer.byteLength(text);
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) >= 0x80) return Buffer.byteLength(text);
  return length;
}
