/** A value that JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/**
 * JSON text as a value, typed for what `JSON.parse` can return.
 * @throws SyntaxError when the text is not JSON
 */
export function parseJson(text: string): JsonValue {
  return JSON.parse(text) as JsonValue;
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Freezes a value and everything in it, so that it can be shared between requests. */
export function deepFreeze<T extends JsonValue>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner as JsonValue);
    Object.freeze(value);
  }
  return value;
}
