/** How functions are addressed. */

/** A function's address in one canonical form: "meetings/lifecycle:addParticipant", "messages:default". */
export type FunctionPath = string;

/** Parts of letters, digits, `_` and `.`, each with at least one letter or digit. In one go, as every call passes here. */
const MODULE = /^[_.]*[A-Za-z0-9][\w.]*(?:\/[_.]*[A-Za-z0-9][\w.]*)*$/;
const NAME = /^[A-Za-z_]\w*$/;

/**
 * The canonical form of a path as clients write it: "a/b:f", "a/b.js:f", "a/b" (its default export).
 * `null` for what can't be a path.
 */
export function canonicalPath(written: string): FunctionPath | null {
  const colon = written.indexOf(":");
  const modulePart = colon === -1 ? written : written.slice(0, colon);
  const name = colon === -1 ? "default" : written.slice(colon + 1);
  const module = modulePart.endsWith(".js") ? modulePart.slice(0, -3) : modulePart;
  if (!MODULE.test(module) || !NAME.test(name)) return null;
  return colon !== -1 && module === modulePart ? written : `${module}:${name}`;
}

/** The path as messages show it: without ":default". */
export function displayPath(path: FunctionPath): string {
  return path.endsWith(":default") ? path.slice(0, -":default".length) : path;
}

/** "meetings/lifecycle:addParticipant" as Convex's type errors show it: "meetings/lifecycle.js:addParticipant". */
export function modulePath(path: FunctionPath): string {
  const colon = path.indexOf(":");
  return `${path.slice(0, colon)}.js${path.slice(colon)}`;
}
