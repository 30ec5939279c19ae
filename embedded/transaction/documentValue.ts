/** What every document may hold, whatever its table says, and where its system fields stand. */
import { checkValue, MAX_DOCUMENT_NESTING, type Json, type JsonObject } from "../values/json";
import { formatBytes } from "../values/size";
import { DeveloperError } from "./errors";

/** The largest document, in bytes of Convex's size formula. */
export const MAX_DOCUMENT_BYTES = 1024 * 1024;

export function documentTooLarge(size: number): string {
  return `Value is too large (${formatBytes(size)} > maximum size ${formatBytes(MAX_DOCUMENT_BYTES)})`;
}

const UNDERSCORE = 95;

/** The size of a document's fields. Throws {@link DeveloperError} for what is no Convex value. */
export function requireLegal(value: JsonObject, maxNesting = MAX_DOCUMENT_NESTING): number {
  try {
    return checkValue(value, { allowCommitTs: true, maxNesting });
  } catch (error) {
    throw new DeveloperError((error as Error).message);
  }
}

/** Throws {@link DeveloperError} if a field has the name of a system field. */
export function requireUserFields(value: JsonObject): void {
  for (const field in value) {
    if (field.charCodeAt(0) !== UNDERSCORE) continue;
    throw new DeveloperError(
      `Field '${field}' starts with an underscore, which is only allowed for system fields like '_id'`,
    );
  }
}

/** A document's fields in the order in which Convex gives them: by name. */
export function withSystemFields(value: JsonObject, id: string, creationTime: number): JsonObject {
  const document: JsonObject = {};
  let isPlaced = false;
  // No other field begins with an underscore, so these two are neighbours.
  const place = () => {
    document["_creationTime"] = creationTime;
    document["_id"] = id;
    isPlaced = true;
  };
  for (const name of sortedNames(value)) {
    if (!isPlaced && name > "_") place();
    document[name] = value[name] as Json;
  }
  if (!isPlaced) place();
  return document;
}

/** The names of fields in order, in which they mostly are already. */
function sortedNames(value: JsonObject): string[] {
  const names = Object.keys(value);
  for (let i = 1; i < names.length; i++) {
    if ((names[i - 1] as string) > (names[i] as string)) return names.sort();
  }
  return names;
}
