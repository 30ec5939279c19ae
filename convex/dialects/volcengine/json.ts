/**
 * JSON with whole numbers of 64 bits, as the service's ids are: JavaScript's own numbers are exact to 2^53 - 1 only.
 */

/**
 * Texts, to leave them alone, and whole numbers that `JSON.parse` would refuse or change: with zeros before them, or of more than
 * 15 digits. A text that does not end is taken to the end, so that nothing is looked at twice.
 */
const TEXT_OR_LONG = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"?|(?<![\d.eE+-])-?(?:0+\d+|[1-9]\d{15,})(?![\d.eE])/g;

/** Parses JSON; long whole numbers become texts of their digits. Throws what `JSON.parse` throws. */
export function parseJson(text: string, reviver?: (key: string, value: unknown) => unknown): unknown {
  const withTexts = text.replace(TEXT_OR_LONG, (found) => (found.startsWith('"') ? found : `"${found}"`));
  return JSON.parse(withTexts, reviver);
}

/** JSON of a value whose long numbers are bigints; fields that are undefined are left out. */
export function toJson(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(toJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${toJson(field)}`).join(",")}}`;
}
