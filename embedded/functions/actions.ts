/** Runs actions and HTTP actions: they may wait for the outside world, and reach the database through other functions. */
import { buffer } from "node:stream/consumers";
import type { Blobs } from "../storage/blobs";
import { InDoubtError } from "../storage/store";
import { DeveloperError } from "../transaction/errors";
import type { Transaction } from "../transaction/transaction";
import type { Json } from "../values/json";
import type { ActionFrame, ActionHost } from "./actionRealm";
import { functionHandle, locate, type FunctionAddress } from "./addresses";
import { callerWithin, identityTextOf, type Caller } from "./caller";
import type { Call, Outcome } from "./calls";
import { checkArgs, checkReturn, couldNotFind, findFunction, unknownOperation } from "./checks";
import { DEPLOYMENT } from "./deployment";
import type { Executor } from "./executor";
import type { Failure } from "./failure";
import { addFile, deleteFile, fileMetadata, fileUrl, findFile, requireDigest } from "./files";
import type { FileUrls } from "./fileUrls";
import type { LogEntry, RecordCall } from "./functionLog";
import { routeRequest } from "./httpRouting";
import type { ComponentPath, LoadedApp, LoadedComponent } from "./loadedApp";
import { LogLines } from "./logLines";
import { displayPath } from "./paths";
import { cancelBySyscall, scheduleBySyscall } from "./schedulerSyscalls";

interface Frame extends ActionFrame {
  readonly component: LoadedComponent;
  readonly caller: Caller;
  /** The function's path, or the HTTP action's route. */
  readonly path: string;
  /** The id of the scheduled function that this call is, or descends from. */
  readonly scheduledJob: string | null;
}

/** What came of an HTTP action. `null`: the app has no such route, or no http.ts at all. */
export type HttpOutcome =
  | {
      readonly ok: true;
      readonly response: Response;
      readonly logs: readonly string[];
      readonly path: string;
    }
  | {
      readonly ok: false;
      readonly failure: Failure;
      readonly logs: readonly string[];
      readonly path: string;
    };

export class Actions implements ActionHost {
  constructor(
    private readonly executor: Pick<Executor, "run" | "transact">,
    private readonly app: () => LoadedApp,
    private readonly blobs: Blobs,
    private readonly fileUrls: FileUrls,
    /** Told of the calls that actions make. */
    private readonly record: RecordCall,
  ) {}

  /** Runs an action. Never rejects. */
  async run(call: Call): Promise<Outcome> {
    const found = findFunction(this.app(), call, "action");
    if (!("kind" in found)) return { ok: false, path: call.path, failure: found, logs: [] };
    const { path, component } = found;
    const args = checkArgs(found, call.args);
    if ("message" in args) return { ok: false, path, failure: args, logs: [] };
    const frame: Frame = {
      component,
      caller: call.caller,
      logs: new LogLines(),
      path,
      scheduledJob: call.scheduledJob ?? null,
    };
    const logs = frame.logs.lines;
    try {
      const value = await component.actions.run(frame, async () => {
        const invoke = component.action(found).invokeAction;
        if (!invoke) throw new Error(`${path} can't be invoked`);
        return invoke("", JSON.stringify([args.value]));
      });
      const problem = checkReturn(found, value);
      return problem === null ? { ok: true, path, value, logs } : { ok: false, path, failure: problem, logs };
    } catch (thrown) {
      return { ok: false, path, failure: component.describe(thrown), logs };
    }
  }

  /** Runs the HTTP action for a request. Never rejects. `null` when no route matches; `undefined` when there are none. */
  async http(request: Request, caller: Caller): Promise<HttpOutcome | null | undefined> {
    const { root, httpPrefix } = this.app();
    const method = request.method === "HEAD" ? "GET" : request.method;
    const found = routeRequest(root, httpPrefix, method, new URL(request.url).pathname);
    if (!found) return found;
    const { component, handler, route } = found;
    const path = `${method} ${route}`;
    const frame: Frame = {
      component,
      caller: callerWithin(caller, root, component),
      logs: new LogLines(),
      path,
      scheduledJob: null,
    };
    const logs = frame.logs.lines;
    try {
      const response = await component.actions.run(frame, () => handler.invokeHttpAction(request));
      if (!(response instanceof Response)) throw new Error("HTTP actions must return a Response");
      return { ok: true, path, response, logs };
    } catch (thrown) {
      return { ok: false, path, failure: component.describe(thrown), logs };
    }
  }

  async syscall(actionFrame: ActionFrame, operation: string, text: string): Promise<string> {
    const frame = actionFrame as Frame;
    const args = JSON.parse(text) as Record<string, Json> & FunctionAddress;
    switch (operation) {
      case "1.0/actions/query":
        return this.#inner("Query", this.executor.run("query", this.#call(frame, args)));
      case "1.0/actions/mutation":
        return this.#inner("Mutation", this.executor.run("mutation", this.#call(frame, args)));
      case "1.0/actions/action":
        return this.#inner("Action", this.run(this.#call(frame, args)));
      case "1.0/actions/schedule":
        return this.#transact(frame.component, (transaction) =>
          scheduleBySyscall(transaction, this.app(), frame.component, args, {
            nowMs: Date.now(),
            scheduledJob: frame.scheduledJob,
          }),
        );
      case "1.0/actions/cancel_job":
        return this.#transact(frame.component, (transaction) =>
          cancelBySyscall(transaction, args, Date.now()),
        );
      case "1.0/getUserIdentity":
        return identityTextOf(frame.caller);
      case "1.0/storageGetUrl":
        return this.#transact(frame.component, (transaction) =>
          fileUrl(transaction, storageId(args), this.fileUrls),
        );
      case "1.0/storageGetMetadata":
        return this.#transact(frame.component, (transaction) => fileMetadata(transaction, storageId(args)));
      case "1.0/storageGenerateUploadUrl":
        return JSON.stringify(this.fileUrls.upload(frame.component.path));
      case "1.0/storageDelete":
        await this.#transact(frame.component, (transaction) => deleteFile(transaction, storageId(args)));
        return "null";
      case "1.0/getFunctionMetadata":
        return JSON.stringify({ name: displayPath(frame.path), componentPath: frame.component.path });
      case "1.0/getDeploymentMetadata":
        return JSON.stringify(DEPLOYMENT);
      case "1.0/createFunctionHandle":
        return functionHandle(this.app(), frame.component, args);
      default:
        throw new DeveloperError(unknownOperation(operation));
    }
  }

  async #inner(udfType: LogEntry["udfType"], call: Promise<Outcome>): Promise<string> {
    const startedAt = performance.now();
    const outcome = await call;
    this.record(udfType, outcome, startedAt);
    return resultOf(outcome);
  }

  /** `storage.store` and `storage.get` of actions: they pass blobs, which JSON can't hold. */
  async jsSyscall(
    actionFrame: ActionFrame,
    operation: string,
    args: Record<string, unknown>,
  ): Promise<unknown> {
    const { component } = actionFrame as Frame;
    switch (operation) {
      case "storage/storeBlob":
        return this.#storeBlob(component, args["blob"], args["options"] as { sha256?: string } | undefined);
      case "storage/getBlob":
        return this.#getBlob(component, storageId(args));
      default:
        throw new DeveloperError(unknownOperation(operation));
    }
  }

  async #storeBlob(
    component: LoadedComponent,
    blob: unknown,
    options: { sha256?: string } | undefined,
  ): Promise<string> {
    if (!(blob instanceof Blob)) {
      throw new DeveloperError(
        "store() expects a Blob. If you are trying to store a Request, `await request.blob()` will give you the correct input.",
      );
    }
    return this.storeFile(component.path, blob.stream(), blob.type || null, options?.sha256 ?? null);
  }

  async #getBlob(component: LoadedComponent, id: string): Promise<Blob | null> {
    const file = await this.#transact(component, (transaction) => findFile(transaction, id));
    if (file === null) return null;
    const bytes = await buffer(this.blobs.read(file.blobKey));
    return new Blob([new Uint8Array(bytes)], { type: file.contentType ?? "" });
  }

  /**
   * Stores a file of a component and gives its id once it is on disk. `sha256` (hex or base64), if given, must be that of the content.
   * Throws {@link DeveloperError} if it is not.
   */
  async storeFile(
    component: ComponentPath,
    source: AsyncIterable<Uint8Array>,
    contentType: string | null,
    sha256: string | null,
  ): Promise<string> {
    const blob = await this.blobs.put(source);
    try {
      requireDigest(blob, sha256);
      return await this.executor.transact((transaction) =>
        addFile(transaction.within(component, null), blob, contentType),
      );
    } catch (error) {
      // Where it is in doubt whether there is a document of it, or the disk takes nothing, the next start does that.
      if (!(error instanceof InDoubtError)) await this.blobs.remove(blob.key).catch(() => undefined);
      throw error;
    }
  }

  #call(frame: Frame, args: Record<string, Json> & FunctionAddress): Call {
    const { component, path, info } = locate(this.app(), frame.component, args);
    if (!info) throw new DeveloperError(couldNotFind(path));
    return {
      component: component.path,
      path,
      args: args["args"] ?? {},
      caller: callerWithin(frame.caller, frame.component, component),
      scheduledJob: frame.scheduledJob,
      internalAllowed: true,
    };
  }

  /** Does something in a transaction of its own, as a component sees it, and commits it. */
  #transact<T>({ path }: LoadedComponent, work: (transaction: Transaction) => T): Promise<T> {
    return this.executor.transact((transaction) => work(transaction.within(path, null)));
  }
}

function storageId(args: Record<string, unknown>): string {
  const id = args["storageId"];
  if (typeof id !== "string") throw new DeveloperError("Invalid argument `storageId`: expected a string");
  return id;
}

/** The result for the calling action, or an error that carries a ConvexError's data as the convex package expects it. */
function resultOf(outcome: Outcome): string {
  if (outcome.ok) return outcome.value;
  const { message, data } = outcome.failure;
  throw Object.assign(new Error(message), data === undefined ? {} : { data });
}
