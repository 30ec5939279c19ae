import type { EventChange } from "../contract/events";

/** So that one event stays below the size of a document, however many people a request changes, and whatever it says of them. */
const CHANGES_PER_EVENT = 250;
/** Characters of JSON, of which each takes up to three of the bytes that a document may have. */
const EVENT_LENGTH = 250_000;

/** Divides changes among events. */
export function partsOf(changes: readonly EventChange[]): EventChange[][] {
  // Nearly always so, and seen in a tenth of the time that it takes to make texts only to measure them.
  const allShort = changes.every((change) => longestText(change) <= EVENT_LENGTH / CHANGES_PER_EVENT);
  const parts: EventChange[][] = [];
  let left = 0;
  for (const change of changes) {
    const length = allShort ? 0 : JSON.stringify(change).length;
    const part = parts.at(-1);
    if (part && part.length < CHANGES_PER_EVENT && length <= left) part.push(change);
    else {
      parts.push([change]);
      left = EVENT_LENGTH;
    }
    left -= length;
  }
  return parts;
}

/** How long the JSON text of a value can be at most. */
function longestText(value: unknown): number {
  // Each character may become an escape sequence, as \u0000.
  if (typeof value === "string") return 6 * value.length + '""'.length;
  // A number: what is left is shorter.
  if (typeof value !== "object" || value === null) return "-2.2250738585072014e-308".length;
  let length = "{}".length;
  for (const name of Object.keys(value)) {
    length += longestText(name) + longestText((value as Record<string, unknown>)[name]) + ":,".length;
  }
  return length;
}
