import { isObject, type Json } from "./json";

/** The value at a path such as "a.b" inside objects, or undefined where there is none. */
export function fieldAt(document: Json, path: string): Json | undefined {
  // A document is an object, never a `$` encoding: the usual path, of one name, asks no more of it.
  if (!path.includes(".")) return ownField(document, path);
  let value: Json | undefined = document;
  for (const name of path.split(".")) {
    if (value === undefined) return undefined;
    value = ownField(value, name);
  }
  return value;
}

function ownField(value: Json, name: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

const MAX_IDENTIFIER_LENGTH = 64;

/** Convex's words for why the text can't name a table, a field of a schema, an index or a function; null if it can. */
export function identifierProblem(text: string): string | null {
  if (text.length <= MAX_IDENTIFIER_LENGTH && /^[A-Za-z_]\w*$/.test(text) && !/^_+$/.test(text)) return null;
  const characters = Array.from(text);
  const first = characters[0];
  if (first === undefined) return "Identifier cannot be empty";
  if (!/[A-Za-z_]/.test(first)) {
    return `Invalid first character '${first}' in ${text}: Identifiers must start with an alphabetic character or underscore`;
  }
  const bad = characters.find((character) => !/\w/.test(character));
  if (bad !== undefined) {
    return `Identifier ${text} has invalid character '${bad}': Identifiers can only contain alphanumeric characters or underscores`;
  }
  if (text.length > MAX_IDENTIFIER_LENGTH) {
    return `Identifier is too long (${text.length} > maximum ${MAX_IDENTIFIER_LENGTH})`;
  }
  return `Identifier ${text} cannot have exclusively underscores`;
}
