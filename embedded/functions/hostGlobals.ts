/**
 * Takes away from queries and mutations that run in the process's own realm what they don't have on the server either. Everything
 * else in the process goes on using it, and may replace it, as tests do with timers and `fetch`. What is put in the place while
 * a query or mutation runs, by it or on its behalf, is there for it alone.
 */
const NAMES = ["fetch", "setTimeout", "setInterval", "setImmediate"] as const;

/** Gives the query or mutation in whose name the code runs that asks. */
type CurrentTransaction = () => object | null;

/** The accessors that are ours. */
const installed = new WeakSet<object>();

/** To be called before each query or mutation, as others may have put something else in the place. */
export function guardGlobals(current: CurrentTransaction): void {
  for (const name of NAMES) guard(name, current);
}

function guard(name: string, current: CurrentTransaction): void {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
  if (!descriptor?.configurable) return;
  const getter: unknown = Reflect.get(descriptor, "get");
  if (typeof getter === "function" && installed.has(getter)) return;
  let value = (globalThis as Record<string, unknown>)[name];
  const ownValues = new WeakMap<object, unknown>();
  const refuse = () => {
    throw new Error(
      `Can't use ${name} in queries and mutations. Please consider using an action. See https://docs.convex.dev/functions/actions for more details.`,
    );
  };
  const get = () => {
    const transaction = current();
    return transaction === null ? value : (ownValues.get(transaction) ?? refuse);
  };
  const set = (replacement: unknown) => {
    const transaction = current();
    if (transaction === null) value = replacement;
    else ownValues.set(transaction, replacement);
  };
  installed.add(get);
  Object.defineProperty(globalThis, name, {
    configurable: true,
    enumerable: descriptor.enumerable ?? true,
    get,
    set,
  });
}
