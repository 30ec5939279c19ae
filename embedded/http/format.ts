import type { Json } from "../values/json";
import { toCleanJson } from "../values/json";
import { ApiError } from "./apiError";

/** How a response writes Convex values: lossless with `{"$integer": …}` and the like, or as plain JSON. */
export type ValueFormat = "encoded" | "clean";

/** The format that a request asks for; `null`: it asks for none. */
export function parseFormat(format: unknown): ValueFormat | null {
  switch (format) {
    case undefined:
    case null:
      return null;
    case "json":
    case "convex_clean_json":
      return "clean";
    case "convex_json":
    case "convex_encoded_json":
      return "encoded";
    default:
      throw new ApiError(
        400,
        "BadFormat",
        // Only text is shown: anything else may be nested too deep to be written out.
        `Unknown value format: ${typeof format === "string" ? JSON.stringify(format) : typeof format}`,
      );
  }
}

/** A value's JSON text in the wanted format. */
export function formatValue(text: string, format: ValueFormat): string {
  // Only values with a `$` encoding differ, and a legal field name never starts with `$`.
  if (format === "encoded" || !text.includes('"$')) return text;
  return JSON.stringify(toCleanJson(JSON.parse(text) as Json));
}
