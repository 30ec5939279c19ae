/** What a call has to be like, and what is said of one that is not. */
import { checkValue, isObject, type Json } from "../values/json";
import { formatBytes } from "../values/size";
import { ROOT } from "../transaction/catalog";
import type { FunctionInfo, FunctionKind, LoadedApp } from "./loadedApp";
import type { Call } from "./calls";
import { failure, type Failure } from "./failure";
import { canonicalPath, displayPath, modulePath } from "./paths";

const MAX_ARGS_BYTES = 16 * 1024 * 1024;
const MAX_RETURN_BYTES = 16 * 1024 * 1024;

/** The function that a call means; undefined when there is none, or none that may be called so. */
export function lookUp(
  app: Pick<LoadedApp, "components">,
  { component = ROOT, path: written, internalAllowed }: Call,
): FunctionInfo | undefined {
  const path = canonicalPath(written);
  if (path === null || (component !== ROOT && !internalAllowed)) return undefined;
  const found = app.components.get(component)?.functions.get(path);
  return found && (found.isPublic || internalAllowed) ? found : undefined;
}

/** The function that a call means, or what is wrong with the call. */
export function findFunction(
  app: Pick<LoadedApp, "components">,
  call: Call,
  kind: FunctionKind,
): FunctionInfo | Failure {
  const found = lookUp(app, call);
  if (found) return wrongKind(found, kind) ?? found;
  return failure(
    `Could not find public function for '${displayPath(canonicalPath(call.path) ?? call.path)}'.`,
  );
}

export function couldNotFind(path: string): string {
  return `Could not find function for '${displayPath(path)}'. Did you forget to run \`npx convex dev\`?`;
}

const KIND_NAMES: Record<FunctionKind, string> = { query: "Query", mutation: "Mutation", action: "Action" };

/** What is wrong with calling a function as another kind, or `null`. */
export function wrongKind(found: FunctionInfo, expected: FunctionKind): Failure | null {
  if (found.kind === expected) return null;
  return failure(
    `Trying to execute ${modulePath(found.path)} as ${KIND_NAMES[expected]}, but it is defined as ${KIND_NAMES[found.kind]}.`,
  );
}

/**
 * Checks the arguments of a call and gives the one object that a function gets. `allowCommitTs`: whether they may hold the
 * timestamp of a commit that is still to come, as those from a mutation may.
 */
export function checkArgs(
  info: FunctionInfo,
  args: Json,
  { allowCommitTs = false } = {},
): { value: Json } | Failure {
  const value = Array.isArray(args) ? (args[0] ?? {}) : args;
  if (!isObject(value))
    return failure("ArgumentValidationError: Arguments for a Convex function must be an object.");
  let size: number;
  try {
    size = checkValue(value, { allowCommitTs });
  } catch (error) {
    return failure(`ArgumentValidationError: ${(error as Error).message}`);
  }
  if (size > MAX_ARGS_BYTES) {
    return failure(
      `Arguments for ${modulePath(info.path)} are too large (actual: ${formatBytes(size)}, limit: ${formatBytes(MAX_ARGS_BYTES)})`,
    );
  }
  const problem = info.checkArgs(value);
  return problem === null ? { value } : failure(`ArgumentValidationError: ${problem}`);
}

/** Checks what a function returned. `text` comes from `convexToJson`, which knows no limits. `json`: what it says, if that is known. */
export function checkReturn(info: FunctionInfo, text: string, json?: Json): Failure | null {
  const isSurelyLegal = text.length <= info.legalReturnChars;
  if (isSurelyLegal && info.returns === null) return null;
  const value = json ?? (JSON.parse(text) as Json);
  const problem = isSurelyLegal ? null : limitProblem(value);
  if (problem !== null) return failure(`Function ${modulePath(info.path)} return value ${problem}`);
  const mismatch = info.returns === null ? null : info.checkReturns(value);
  return mismatch === null ? null : failure(`ReturnsValidationError: ${mismatch}`);
}

function limitProblem(value: Json): string | null {
  try {
    // Queries can't make a timestamp that is still to come, but within a mutation they may have read one.
    const size = checkValue(value, { allowCommitTs: true });
    if (size <= MAX_RETURN_BYTES) return null;
    return `is too large (actual: ${formatBytes(size)}, limit: ${formatBytes(MAX_RETURN_BYTES)})`;
  } catch (error) {
    return `invalid: ${(error as Error).message}`;
  }
}

export function unknownOperation(operation: string): string {
  if (operation === "1.0/actions/vectorSearch") return "Vector search is not available in this runtime yet.";
  return `Unknown operation ${operation}`;
}
