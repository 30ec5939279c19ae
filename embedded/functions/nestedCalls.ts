/** Calls of a function by another one, in the transaction of the calling one. */
import type { Database } from "../transaction/database";
import { DeveloperError } from "../transaction/errors";
import { Transaction, type Savepoint } from "../transaction/transaction";
import type { Json } from "../values/json";
import type { FunctionInfo, FunctionKind, LoadedApp } from "./app";
import { checkArgs, couldNotFind, wrongKind } from "./checks";
import type { Failure } from "./failure";
import { canonicalPath } from "./paths";
import type { CallFrame, FunctionAddress } from "./syscalls";

/** The operation by which a query or mutation calls another one. */
export const RUN_FUNCTION = "1.0/runUdf";

const MAX_CALL_DEPTH = 8;

/** What the operation is given. */
export type NestedRequest = FunctionAddress & {
  readonly udfType: "query" | "mutation" | "snapshotQuery";
  readonly args?: Json;
};

/** What came of a function: its result as JSON text, or how it failed. */
export type Invoked = { readonly value: string } | { readonly failure: Failure };

/** A nested call that may begin. */
export type NestedCall = { readonly frame: CallFrame; readonly args: Json; readonly savepoint: Savepoint };

/** Checks a call of another function and gives it a frame. Throws what the caller should see. */
export function enterNested(
  frame: CallFrame,
  request: NestedRequest,
  { database, app }: { readonly database: Database; readonly app: LoadedApp },
): NestedCall {
  const kind = request.udfType === "mutation" ? "mutation" : "query";
  if (kind === "mutation" && !frame.mayWrite) {
    throw new DeveloperError("Cannot call a mutation function from a query function");
  }
  if (frame.depth + 1 > MAX_CALL_DEPTH) {
    throw new DeveloperError(
      `Cross component call depth limit exceeded. Functions can call each other at most ${MAX_CALL_DEPTH} levels deep.`,
    );
  }
  const found = resolve(app, request, kind);
  const checked = checkArgs(found, request.args ?? {});
  if ("message" in checked) throw new DeveloperError(checked.message);
  // A snapshot query sees what is committed and nothing of what its mutation has written.
  const transaction =
    request.udfType === "snapshotQuery" ? new Transaction(database, null) : frame.transaction;
  return {
    frame: {
      ...frame,
      transaction,
      function: found,
      mayWrite: kind === "mutation",
      depth: frame.depth + 1,
      streams: new Map(),
      page: { previousEnd: null, end: null },
    },
    args: checked.value,
    savepoint: transaction.savepoint(),
  };
}

/** Ends a nested call: undoes what it has written if it failed, and then throws what the caller should see. */
export function leaveNested({ frame, savepoint }: NestedCall, result: Invoked): string {
  if ("value" in result) return result.value;
  frame.transaction.rollback(savepoint);
  throw new NestedCallError(result.failure);
}

function resolve(app: LoadedApp, address: FunctionAddress, kind: FunctionKind): FunctionInfo {
  if (address.name === undefined) {
    throw new DeveloperError("Components and function handles are not available in this runtime yet.");
  }
  const path = canonicalPath(address.name);
  const found = path === null ? undefined : app.functions.get(path);
  if (!found) throw new DeveloperError(couldNotFind(address.name));
  const wrong = wrongKind(found, kind);
  if (wrong) throw new DeveloperError(wrong.message);
  return found;
}

/** A function that another function called has failed; the calling one may catch this. */
export class NestedCallError extends DeveloperError {
  readonly data: Json | undefined;
  constructor({ message, data }: Failure) {
    super(message);
    this.data = data;
  }
}
