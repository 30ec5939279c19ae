/** Runs one call in its realm, and the calls that it makes to other functions. */
import type { Blobs } from "../storage/blobs";
import type { Database } from "../transaction/database";
import { DeveloperError, InvalidCursorError } from "../transaction/errors";
import type { Json, JsonObject } from "../values/json";
import type { App } from "./app";
import { checkReturn, couldNotFind } from "./checks";
import { failure } from "./failure";
import type { FileUrls } from "./fileUrls";
import { FrameDatabase, timed } from "./frameDatabase";
import type { ComponentPath } from "./loadedApp";
import type { LogLevel } from "./logLines";
import {
  enterNested,
  leaveNested,
  NestedCallError,
  RUN_FUNCTION,
  type Invoked,
  type NestedRequest,
} from "./nestedCalls";
import type { RealmDatabase, RealmHost, RealmResult, SyscallProblem } from "./realm";
import { performSyscall, type CallFrame, type SyscallHost } from "./syscalls";

/** Invokes functions. Whoever calls {@link invoke} commits or drops the transaction. */
export class Invoker {
  readonly #host: SyscallHost;

  constructor(
    private readonly database: Database,
    private readonly app: () => App,
    cursorSecret: Buffer,
    fileUrls: FileUrls,
    blobs: Blobs,
  ) {
    this.#host = { cursorSecret, app, fileUrls, blobs };
  }

  /** Runs a function in a realm where no other runs, and checks what it returns. Throws what is the runtime's own fault. */
  invoke(frame: CallFrame, args: Json): Invoked {
    const { function: info } = frame;
    const component = this.app().components.get(info.component.path);
    // Another version of the app may have come into force since the call came.
    if (!component) return { failure: failure(couldNotFind(info.path)) };
    const startedAt = performance.now();
    const realm = component.realm(callersWithin(component.path, frame.parent));
    const host = new FrameHost((operation, request) => this.#perform(frame, operation, request), frame);
    let result: RealmResult;
    try {
      const registered = component.inRealm(realm, info);
      // The first call of a module makes the realm and evaluates the module with all that it imports: not the function's time.
      frame.transaction.usage.operationsMs += performance.now() - startedAt;
      result = realm.run(registered, args, frame.nowMs, host);
    } catch (error) {
      // A module may fail when a new realm evaluates it: that is the app's error like any other.
      return { failure: component.describe(error) };
    }
    if (host.fault !== null) throw host.fault;
    if (result.state === "stuck") return { failure: failure("Returned promise will never resolve") };
    if (result.state === "threw") return { failure: component.describe(result.value) };
    const { text: value, json } = result.value;
    const problem = checkReturn(info, value, json);
    return problem === null ? { value } : { failure: problem };
  }

  #perform(frame: CallFrame, operation: string, request: string): string {
    const args = JSON.parse(request) as JsonObject;
    if (operation === RUN_FUNCTION) return this.callNested(frame, args as NestedRequest);
    return timed(frame, () => performSyscall(frame, operation, args, this.#host));
  }

  /** Calls another function in the name of a call that runs. Throws what that call should see. */
  callNested(frame: CallFrame, request: NestedRequest): string {
    const { database } = this;
    const nested = enterNested(frame, request, { database, app: this.app() });
    return leaveNested(nested, this.invoke(nested.frame, nested.args));
  }
}

/** How many of the calls that have led to a frame run in a component. */
function callersWithin(component: ComponentPath, frame: CallFrame | null): number {
  let callers = 0;
  for (let caller = frame; caller !== null; caller = caller.parent) {
    if (caller.function.component.path === component) callers++;
  }
  return callers;
}

/** What a realm gets to see of the call that runs in it. */
class FrameHost implements RealmHost {
  /** The first error of the runtime itself, if there was one. */
  fault: Error | null = null;
  readonly database: RealmDatabase;

  constructor(
    private readonly perform: (operation: string, request: string) => string,
    private readonly frame: CallFrame,
  ) {
    this.database = new FrameDatabase(frame, (error) => this.#problemOf(error));
  }

  log(level: LogLevel, values: readonly unknown[]): void {
    this.frame.logs.add(level, values);
  }

  chance(): void {
    this.frame.observed.chance = true;
  }

  syscall(operation: string, request: string): string | SyscallProblem {
    try {
      return this.perform(operation, request);
    } catch (error) {
      return this.#problemOf(error);
    }
  }

  #problemOf(error: unknown): SyscallProblem {
    if (error instanceof DeveloperError) return problemOf(error);
    this.fault ??= error instanceof Error ? error : new Error("A syscall failed", { cause: error });
    return { message: "Internal error" };
  }
}

function problemOf(error: DeveloperError): SyscallProblem {
  const data =
    error instanceof NestedCallError || error instanceof InvalidCursorError ? error.data : undefined;
  return data === undefined ? { message: error.message } : { message: error.message, data };
}
