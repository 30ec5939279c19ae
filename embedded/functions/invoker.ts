/** Runs one call in its realm, and the calls that it makes to other functions. */
import type { Database } from "../transaction/database";
import { DeveloperError, InvalidCursorError } from "../transaction/errors";
import { Transaction } from "../transaction/transaction";
import type { Json } from "../values/json";
import type { App, FunctionInfo, FunctionKind } from "./app";
import { checkArgs, checkReturn, couldNotFind, unknownOperation, wrongKind } from "./checks";
import { describeThrown, failure, type Failure } from "./failure";
import type { FileUrls } from "./fileUrls";
import type { LogLevel } from "./logLines";
import { canonicalPath } from "./paths";
import type { RealmHost, RealmResult, SyscallProblem } from "./realm";
import {
  SYSCALLS,
  type CallFrame,
  type FunctionAddress,
  type NestedKind,
  type SyscallHost,
} from "./syscalls";

const MAX_CALL_DEPTH = 8;

/** Invokes functions. Whoever calls {@link invoke} commits or drops the transaction. */
export class Invoker {
  readonly #host: SyscallHost;

  constructor(
    private readonly database: Database,
    private readonly app: () => App,
    cursorSecret: Buffer,
    fileUrls: FileUrls,
  ) {
    this.#host = {
      cursorSecret,
      app,
      fileUrls,
      callNested: (frame, kind, address, args) => this.#callNested(frame, kind, address, args),
    };
  }

  /** Runs a function in the realm of its depth, and checks what it returns. Throws what is the runtime's own fault. */
  invoke(frame: CallFrame, args: Json): { value: string } | { failure: Failure } {
    const app = this.app();
    const realm = app.realm(frame.depth);
    const { function: info } = frame;
    const host = new FrameHost(frame, this.#host);
    let result: RealmResult;
    try {
      const registered = app.inRealm(realm, info);
      const argsText = JSON.stringify([args]);
      const call = info.kind === "mutation" ? registered.invokeMutation : registered.invokeQuery;
      if (!call) throw new Error(`${info.path} can't be invoked`);
      result = realm.run(() => call(argsText), frame.nowMs, host);
    } catch (error) {
      // A module may fail when a new realm evaluates it: that is the app's error like any other.
      return { failure: describeThrown(error, app.mapFrames) };
    }
    if (host.fault !== null) throw host.fault;
    if (result.state === "stuck") return { failure: failure("Returned promise will never resolve") };
    if (result.state === "threw") return { failure: describeThrown(result.value, app.mapFrames) };
    const value = result.value as string;
    const problem = checkReturn(info, value);
    return problem === null ? { value } : { failure: problem };
  }

  #callNested(frame: CallFrame, nested: NestedKind, address: FunctionAddress, args: Json): string {
    const kind = nested === "mutation" ? "mutation" : "query";
    if (kind === "mutation" && !frame.mayWrite) {
      throw new DeveloperError("Cannot call a mutation function from a query function");
    }
    if (frame.depth + 1 > MAX_CALL_DEPTH) {
      throw new DeveloperError(
        `Cross component call depth limit exceeded. Functions can call each other at most ${MAX_CALL_DEPTH} levels deep.`,
      );
    }
    const found = this.#resolve(address, kind);
    const checked = checkArgs(found, args);
    if ("message" in checked) throw new DeveloperError(checked.message);
    // A snapshot query sees what is committed and nothing of what its mutation has written.
    const transaction = nested === "snapshotQuery" ? new Transaction(this.database, null) : frame.transaction;
    const savepoint = transaction.savepoint();
    const result = this.invoke(
      {
        ...frame,
        transaction,
        function: found,
        mayWrite: kind === "mutation",
        depth: frame.depth + 1,
        streams: new Map(),
        page: { previousEnd: null, end: null },
      },
      checked.value,
    );
    if ("failure" in result) {
      transaction.rollback(savepoint);
      throw new NestedCallError(result.failure);
    }
    return result.value;
  }

  #resolve(address: FunctionAddress, kind: FunctionKind): FunctionInfo {
    if (address.name === undefined) {
      throw new DeveloperError("Components and function handles are not available in this runtime yet.");
    }
    const path = canonicalPath(address.name);
    const found = path === null ? undefined : this.app().functions.get(path);
    if (!found) throw new DeveloperError(couldNotFind(address.name));
    const wrong = wrongKind(found, kind);
    if (wrong) throw new DeveloperError(wrong.message);
    return found;
  }
}

/** What a realm gets to see of the call that runs in it. */
class FrameHost implements RealmHost {
  /** The first error of the runtime itself, if there was one. */
  fault: Error | null = null;

  constructor(
    private readonly frame: CallFrame,
    private readonly host: SyscallHost,
  ) {}

  log(level: LogLevel, values: readonly unknown[]): void {
    this.frame.logs.add(level, values);
  }

  syscall(operation: string, text: string): string | SyscallProblem {
    try {
      const handler = SYSCALLS[operation];
      if (!handler) throw new DeveloperError(unknownOperation(operation));
      return handler(this.frame, JSON.parse(text) as never, this.host);
    } catch (error) {
      if (error instanceof DeveloperError) return problemOf(error);
      this.fault ??= error instanceof Error ? error : new Error("A syscall failed", { cause: error });
      return { message: "Internal error" };
    }
  }
}

/** A function that another function called has failed; the calling one may catch this. */
class NestedCallError extends DeveloperError {
  readonly data: Json | undefined;
  constructor({ message, data }: Failure) {
    super(message);
    this.data = data;
  }
}

function problemOf(error: DeveloperError): SyscallProblem {
  const data =
    error instanceof NestedCallError || error instanceof InvalidCursorError ? error.data : undefined;
  return data === undefined ? { message: error.message } : { message: error.message, data };
}
