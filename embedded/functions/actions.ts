/** Runs actions and HTTP actions: they may wait for the outside world, and reach the database through other functions. */
import { DeveloperError } from "../transaction/errors";
import type { Database } from "../transaction/database";
import { Transaction } from "../transaction/transaction";
import type { Json } from "../values/json";
import type { ActionFrame, ActionHost } from "./actionRealm";
import type { App } from "./app";
import { identityOf, type Caller } from "./caller";
import { checkArgs, checkReturn, unknownOperation, type Call, type Executor, type Outcome } from "./executor";
import { describeThrown, type Failure } from "./failure";
import { LogLines } from "./logLines";
import { cancelBySyscall, scheduleBySyscall } from "./schedulerSyscalls";
import type { FunctionAddress } from "./syscalls";

interface Frame extends ActionFrame {
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
    private readonly executor: Executor,
    private readonly database: Database,
    private readonly app: () => App,
  ) {}

  /** Runs an action. Never rejects. */
  async run(call: Call): Promise<Outcome> {
    const found = this.executor.find(call, "action");
    if (!("kind" in found)) return { ok: false, path: call.path, failure: found, logs: [] };
    const { path } = found;
    const args = checkArgs(found, call.args);
    if ("message" in args) return { ok: false, path, failure: args, logs: [] };
    const app = this.app();
    const frame: Frame = {
      caller: call.caller,
      logs: new LogLines(),
      path,
      scheduledJob: call.scheduledJob ?? null,
    };
    const logs = frame.logs.lines;
    try {
      const value = await app.actions.run(frame, async () => {
        const invoke = app.inRealm(app.actions, found).invokeAction;
        if (!invoke) throw new Error(`${path} can't be invoked`);
        return invoke("", JSON.stringify([args.value]));
      });
      const problem = checkReturn(found, value);
      return problem === null ? { ok: true, path, value, logs } : { ok: false, path, failure: problem, logs };
    } catch (thrown) {
      return { ok: false, path, failure: describeThrown(thrown, app.mapFrames), logs };
    }
  }

  /** Runs the HTTP action for a request. Never rejects. `null` when no route matches; `undefined` without http.ts. */
  async http(request: Request, caller: Caller): Promise<HttpOutcome | null | undefined> {
    const app = this.app();
    const router = app.actions.router();
    if (router === null) return undefined;
    const method = request.method === "HEAD" ? "GET" : request.method;
    const found = router.lookup(new URL(request.url).pathname, method);
    if (!found) return null;
    const [handler, , route] = found;
    const path = `${method} ${route}`;
    const frame: Frame = { caller, logs: new LogLines(), path, scheduledJob: null };
    const logs = frame.logs.lines;
    try {
      const response = await app.actions.run(frame, () => handler.invokeHttpAction(request));
      return { ok: true, path, response, logs };
    } catch (thrown) {
      return { ok: false, path, failure: describeThrown(thrown, app.mapFrames), logs };
    }
  }

  async syscall(actionFrame: ActionFrame, operation: string, text: string): Promise<string> {
    const frame = actionFrame as Frame;
    const args = JSON.parse(text) as Record<string, Json> & FunctionAddress;
    switch (operation) {
      case "1.0/actions/query":
        return resultOf(await this.executor.run("query", this.#call(frame, args)));
      case "1.0/actions/mutation":
        return resultOf(await this.executor.run("mutation", this.#call(frame, args)));
      case "1.0/actions/action":
        return resultOf(await this.run(this.#call(frame, args)));
      case "1.0/actions/schedule":
        return this.#commit((transaction, nowMs) =>
          scheduleBySyscall(transaction, this.app(), args, { nowMs, scheduledJob: frame.scheduledJob }),
        );
      case "1.0/actions/cancel_job":
        return this.#commit((transaction, nowMs) => cancelBySyscall(transaction, args, nowMs));
      case "1.0/getUserIdentity":
        return JSON.stringify(identityOf(frame.caller));
      case "1.0/getFunctionMetadata":
        return JSON.stringify({ name: frame.path, componentPath: "" });
      default:
        throw new DeveloperError(unknownOperation(operation));
    }
  }

  /** Makes a change that is no part of a mutation; it is on disk when this resolves. */
  async #commit(change: (transaction: Transaction, nowMs: number) => string): Promise<string> {
    const transaction = new Transaction(this.database, null);
    const result = change(transaction, Date.now());
    transaction.commit();
    await this.database.durable();
    return result;
  }

  #call(frame: Frame, args: Record<string, Json> & FunctionAddress): Call {
    if (args.name === undefined) {
      throw new DeveloperError("Components and function handles are not available in this runtime yet.");
    }
    const { caller, scheduledJob } = frame;
    return { path: args.name, args: args["args"] ?? {}, caller, scheduledJob, internalAllowed: true };
  }
}

/** The result for the calling action, or an error that carries a ConvexError's data as the convex package expects it. */
function resultOf(outcome: Outcome): string {
  if (outcome.ok) return outcome.value;
  const { message, data } = outcome.failure;
  throw Object.assign(new Error(message), data === undefined ? {} : { data });
}
