import type { Json, JsonObject } from "../values/json";

/**
 * JSON text as a value, typed for what `JSON.parse` can return.
 * @throws SyntaxError when the text is not JSON
 */
export function parseJson(text: string): Json {
  return JSON.parse(text) as Json;
}

/** Whether a value is a JSON object of any content; Convex's encoded values such as `{$integer}` count too. */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Freezes a value and everything in it, so that it can be shared between requests. */
export function deepFreeze<T extends Json>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const inner of Object.values<Json>(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
