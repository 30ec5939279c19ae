import type { Json } from "../values/json";

/**
 * JSON text as a value, typed for what `JSON.parse` can return.
 * @throws SyntaxError when the text is not JSON
 */
export function parseJson(text: string): Json {
  return JSON.parse(text) as Json;
}

/** Freezes a value and everything in it, so that it can be shared between requests. */
export function deepFreeze<T extends Json>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const inner of Object.values<Json>(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
