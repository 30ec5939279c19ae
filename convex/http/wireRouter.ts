import type { WireOperation } from "../contract/wire";

/** The operation that a request asks for, and its path parameters as they were sent. */
export interface WireMatch<Name extends string> {
  name: Name;
  pathParameters: Record<string, string>;
}

/**
 * Finds the operation of another system's wire, whose path has to fit as a whole. Empty segments do not count, since an endpoint
 * that a client is told of may end in a slash.
 *
 * @param path Below the place where the system is mounted, still encoded.
 */
export function matchOperation<Name extends string>(
  operations: Readonly<Record<Name, WireOperation>>,
  { method, path, query }: { method: string; path: string; query: URLSearchParams },
): WireMatch<Name> | null {
  const segments = decodeSegments(path);
  if (segments === null) return null;
  for (const [name, operation] of Object.entries(operations) as [Name, WireOperation][]) {
    if (operation.method !== method || !selects(operation, operations, query)) continue;
    const pathParameters = fit(operation.path.split("/").filter(Boolean), segments);
    if (pathParameters) return { name, pathParameters };
  }
  return null;
}

/** The parameters of the query that an operation has. */
export function queryOf({ queryParameters }: WireOperation, query: URLSearchParams): Record<string, string> {
  return Object.fromEntries(
    Object.keys(queryParameters).flatMap((field) => {
      const value = query.get(field);
      return value === null ? [] : [[field, value] as const];
    }),
  );
}

/** An operation without a selection is meant when the query names none of the fields by which the others are selected. */
function selects(
  { select }: WireOperation,
  operations: Readonly<Record<string, WireOperation>>,
  query: URLSearchParams,
): boolean {
  if (select) return Object.entries(select).every(([field, value]) => query.get(field) === value);
  return Object.values(operations).every((other) =>
    Object.keys(other.select ?? {}).every((field) => !query.has(field)),
  );
}

function fit(names: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (names.length !== segments.length) return null;
  const parameters: Record<string, string> = {};
  for (const [index, name] of names.entries()) {
    const segment = segments[index] ?? "";
    if (name.startsWith("{")) parameters[name.slice(1, -1)] = segment;
    else if (name !== segment) return null;
  }
  return parameters;
}

function decodeSegments(path: string): string[] | null {
  try {
    return path.split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    return null;
  }
}
