/** How functions are addressed. */

/** A function's address in one canonical form: "meetings/lifecycle:addParticipant", "messages:default". */
export type FunctionPath = string;

/**
 * The canonical form of a path as clients write it: "a/b:f", "a/b.js:f", "a/b" (its default export).
 * `null` for what can't be a path.
 */
export function canonicalPath(written: string): FunctionPath | null {
  const colon = written.indexOf(":");
  const modulePart = colon === -1 ? written : written.slice(0, colon);
  const name = colon === -1 ? "default" : written.slice(colon + 1);
  const module = modulePart.endsWith(".js") ? modulePart.slice(0, -3) : modulePart;
  const components = module.split("/");
  if (!components.every((component) => /^[A-Za-z0-9_.]+$/.test(component) && /[A-Za-z0-9]/.test(component)))
    return null;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return null;
  return `${module}:${name}`;
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
