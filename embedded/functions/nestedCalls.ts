/** Calls of a function by another one, in the transaction of the calling one. */
import type { Database } from "../transaction/database";
import { DeveloperError } from "../transaction/errors";
import { METRICS, type Limits } from "../transaction/limits";
import { Transaction } from "../transaction/transaction";
import type { Savepoint } from "../transaction/transactionState";
import { isObject, type Json } from "../values/json";
import { locate, type FunctionAddress } from "./addresses";
import { callerWithin } from "./caller";
import type { FunctionInfo, FunctionKind, LoadedApp, LoadedComponent } from "./loadedApp";
import { checkArgs, couldNotFind, wrongKind } from "./checks";
import type { Failure } from "./failure";
import { Observations } from "./observations";
import type { CallFrame } from "./syscalls";

/** The operation by which a query or mutation calls another one. */
export const RUN_FUNCTION = "1.0/runUdf";

const MAX_CALL_DEPTH = 8;

/** What the operation is given. */
export type NestedRequest = FunctionAddress & {
  readonly udfType: "query" | "mutation" | "snapshotQuery";
  readonly args?: Json;
  /** How much it may use, as the function gave it. */
  readonly transactionLimits?: Json;
};

/** What came of a function: its result as JSON text, or how it failed. */
export type Invoked = { readonly value: string } | { readonly failure: Failure };

/** A nested call that may begin. */
export type NestedCall = {
  readonly frame: CallFrame;
  readonly args: Json;
  readonly savepoint: Savepoint;
  /** Those of the caller. */
  readonly limits: Limits;
  readonly caller: CallFrame;
  readonly request: NestedRequest;
  /** How much the transaction had read before. */
  readonly readsBefore: number;
};

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
      "Cross component call depth limit exceeded. Do you have an infinite loop in your app?",
    );
  }
  const caller = frame.function.component;
  const found = resolve(app, caller, request, kind);
  const checked = checkArgs(found, request.args ?? {}, { allowCommitTs: frame.mayWrite });
  if ("message" in checked) throw new DeveloperError(checked.message);
  // A snapshot query sees what is committed and nothing of what its mutation has written.
  const shared = request.udfType === "snapshotQuery" ? new Transaction(database, null) : frame.transaction;
  const { component } = found;
  const { limits } = shared.usage;
  if (request.transactionLimits !== undefined)
    shared.usage.restrict(requireBudget(request.transactionLimits));
  const transaction = shared.within(component.path, kind === "mutation" ? component.schema : null);
  return {
    frame: {
      ...frame,
      transaction,
      function: found,
      parent: frame,
      caller: callerWithin(frame.caller, caller, component),
      mayWrite: kind === "mutation",
      depth: frame.depth + 1,
      streams: new Map(),
      page: { previousEnd: null, end: null },
      observed: new Observations(),
    },
    args: checked.value,
    savepoint: transaction.savepoint(),
    limits,
    caller: frame,
    request,
    readsBefore: transaction.readCount,
  };
}

/** Ends a nested call: undoes what it has written if it failed, and then throws what the caller should see. */
export function leaveNested(
  { frame, savepoint, limits, caller, request, readsBefore }: NestedCall,
  result: Invoked,
): string {
  frame.transaction.usage.limits = limits;
  const reads = { from: readsBefore, to: frame.transaction.readCount };
  const value = "value" in result ? result.value : null;
  caller.observed.addNested(frame.observed, () => JSON.stringify(request), value, reads);
  if ("value" in result) {
    frame.transaction.release();
    return result.value;
  }
  frame.transaction.rollback(savepoint);
  throw new NestedCallError(result.failure);
}

function requireBudget(given: Json): Partial<Limits> {
  const budget = isObject(given) ? given : null;
  const isAmount = (amount: Json | undefined) => Number.isSafeInteger(amount) && (amount as number) >= 0;
  if (budget && METRICS.every((metric) => budget[metric] === undefined || isAmount(budget[metric]))) {
    return budget as Partial<Limits>;
  }
  throw new DeveloperError(
    "Invalid argument `transactionLimits` for `runUdf`: expected whole numbers that are not negative",
  );
}

function resolve(
  app: LoadedApp,
  from: LoadedComponent,
  address: FunctionAddress,
  kind: FunctionKind,
): FunctionInfo {
  const { path, info } = locate(app, from, address);
  if (!info) throw new DeveloperError(couldNotFind(path));
  const wrong = wrongKind(info, kind);
  if (wrong) throw new DeveloperError(wrong.message);
  return info;
}

/** A function that another function called has failed; the calling one may catch this. */
export class NestedCallError extends DeveloperError {
  readonly data: Json | undefined;
  constructor({ message, data }: Failure) {
    super(message);
    this.data = data;
  }
}
