/** Which environment variables modules read while they are evaluated. */
import { createHash } from "node:crypto";

/** Told the name of each variable that is read, set or not; null when all are listed. */
export type OnVariableRead = (name: string | null) => void;

/** An environment that tells what is read of it. What every object has is no variable. */
export function watchReads(
  environment: Record<string, string>,
  onRead: OnVariableRead,
): Record<string, string> {
  const tell = (name: string | symbol) => {
    if (typeof name === "string" && (Object.hasOwn(environment, name) || !(name in environment)))
      onRead(name);
  };
  return new Proxy(environment, {
    get(target, name) {
      tell(name);
      return Reflect.get(target, name) as unknown;
    },
    has(target, name) {
      tell(name);
      return Reflect.has(target, name);
    },
    getOwnPropertyDescriptor(target, name) {
      tell(name);
      return Reflect.getOwnPropertyDescriptor(target, name);
    },
    ownKeys(target) {
      onRead(null);
      return Reflect.ownKeys(target);
    },
  });
}

/**
 * What was found by evaluating modules, and on which variables it depends: digests of their values, null for those that were
 * not set. `variables` is null when it depends on all that there are.
 */
export type Evaluated<T> = {
  readonly value: T;
  readonly variables: Readonly<Record<string, string | null>> | null;
};

/** Evaluates modules that read an environment by way of the `onRead` that they are given. */
export function evaluated<T>(
  environment: Readonly<Record<string, string>>,
  evaluate: (onRead: OnVariableRead) => T,
): Evaluated<T> {
  let variables: Record<string, string | null> | null = {};
  const value = evaluate((name) => {
    if (name === null) variables = null;
    else if (variables) variables[name] = digest(environment[name]);
  });
  const read = variables;
  // What is read from now on is read by calls, of which nobody wants to know.
  variables = null;
  return { value, variables: read };
}

/** What was found, if evaluating would find the same with this environment, else null. */
export function stillTrue<T>(
  found: Evaluated<T> | undefined,
  environment: Readonly<Record<string, string>>,
): Evaluated<T> | null {
  if (!found?.variables) return null;
  const read = Object.entries(found.variables);
  return read.every(([name, value]) => digest(environment[name]) === value) ? found : null;
}

/** The values may be secrets, and this is kept. */
function digest(value: string | undefined): string | null {
  return value === undefined ? null : createHash("sha256").update(value).digest("base64");
}
