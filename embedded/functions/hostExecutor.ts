import type { Database } from "../transaction/database";
import type { Limits } from "../transaction/limits";
import { Transaction } from "../transaction/transaction";
import type { Json, JsonObject } from "../values/json";
import type { Call, Outcome } from "./calls";
import { checkArgs, checkReturn, findFunction } from "./checks";
import type { Failure } from "./failure";
import type { HostApp } from "./hostApp";
import type { FunctionInfo } from "./loadedApp";
import { currentCall, runInHostRealm, type ConvexGlobal } from "./hostRealm";
import { LogLines } from "./logLines";
import { enterNested, leaveNested, RUN_FUNCTION, type Invoked, type NestedRequest } from "./nestedCalls";
import { Observations } from "./observations";
import { performSyscall, type CallFrame, type SyscallHost } from "./syscalls";
import { Turns } from "./turns";

export type HostExecutorOptions = {
  readonly database: Database;
  readonly app: () => HostApp;
  readonly syscalls: SyscallHost;
  readonly limits: Limits;
};

/**
 * Runs queries and mutations of a {@link HostApp}. What they wait for need not be there at once, as in realms of their own; so
 * that each of them still has the database for itself, one begins when the one before it has ended.
 */
export class HostExecutor {
  readonly #turns = new Turns();

  constructor(private readonly options: HostExecutorOptions) {}

  /** Runs a query or mutation. Rejects only with errors of the runtime itself. */
  run(kind: "query" | "mutation", call: Call): Promise<Outcome> {
    return this.#turns.next(() => this.#run(kind, call));
  }

  /**
   * Does something of the runtime's own in a transaction: in that of the function that asks for it, or in one of its own, which
   * it commits.
   */
  async transact<T>(work: (transaction: Transaction) => T): Promise<T> {
    const inside = this.current();
    if (inside) return work(inside.frame.transaction.within(null, null));
    return this.#turns.next(async () => {
      const transaction = this.#transaction();
      const result = work(transaction);
      transaction.commit();
      await this.options.database.durable();
      return result;
    });
  }

  /** The query or mutation in whose name the code runs that asks. */
  current(): TransactionCall | null {
    const call = currentCall();
    return call instanceof TransactionCall && call.executor === this && call.inTransaction ? call : null;
  }

  /** Runs a function in a frame and checks what it returns. Whoever calls this commits or drops the transaction. */
  async invoke(frame: CallFrame, args: Json): Promise<Invoked> {
    const app = this.options.app();
    const { function: info } = frame;
    const call = new TransactionCall(this, frame, this.options);
    let value: string;
    try {
      value = await runInHostRealm(call, () => invokeRegistered(app, info, args));
    } catch (thrown) {
      return { failure: info.component.describe(thrown) };
    } finally {
      await call.close();
    }
    const problem = checkReturn(info, value);
    return problem === null ? { value } : { failure: problem };
  }

  async #run(kind: "query" | "mutation", call: Call): Promise<Outcome> {
    const { app, database } = this.options;
    const logs = new LogLines();
    const failed = (path: string, problem: Failure): Outcome => {
      return { ok: false, path, failure: problem, logs: logs.lines };
    };
    const found = findFunction(app(), call, kind);
    if (!("kind" in found)) return failed(call.path, found);
    const { path } = found;
    const args = checkArgs(found, call.args);
    if ("message" in args) return failed(path, args);
    const transaction = this.#transaction();
    const { component } = found;
    const nowMs = Date.now();
    const enclosure = call.enclosure ?? null;
    const known = enclosure && transaction.usage.exempt(() => enclosure.before(transaction, nowMs));
    if (known !== null) return { ok: true, path, value: known, logs: logs.lines };
    const frame: CallFrame = {
      transaction: transaction.within(component.path, kind === "mutation" ? component.schema : null),
      function: found,
      parent: null,
      mayWrite: kind === "mutation",
      caller: call.caller,
      logs,
      nowMs,
      scheduledJob: call.scheduledJob ?? null,
      depth: 0,
      streams: new Map(),
      page: { previousEnd: null, end: null },
      observed: new Observations(),
      storedBlobs: [],
    };
    const result = await this.invoke(frame, args.value);
    if ("failure" in result) return failed(path, result.failure);
    const value = kind === "mutation" ? transaction.resolveTimestamps(result.value) : result.value;
    if (enclosure) transaction.usage.exempt(() => enclosure.after(transaction, value, nowMs));
    if (kind === "mutation") transaction.commit();
    await database.durable();
    return { ok: true, path, value, logs: logs.lines };
  }

  #transaction(): Transaction {
    const transaction = new Transaction(this.options.database, null);
    transaction.usage.limits = this.options.limits;
    return transaction;
  }
}

function invokeRegistered(app: HostApp, info: FunctionInfo, args: Json): Promise<string> {
  const registered = app.components.get(info.component.path)?.registered(info);
  const call = info.kind === "mutation" ? registered?.invokeMutation : registered?.invokeQuery;
  if (!call) throw new Error(`${info.path} can't be invoked`);
  return call(JSON.stringify([args]));
}

/**
 * A query or mutation that runs. What it asks for is done in the order in which it asks, one after another, so that nothing
 * comes between the beginning of a nested mutation and its undoing.
 */
class TransactionCall implements ConvexGlobal {
  readonly #turns = new Turns();
  #isOpen = true;

  constructor(
    readonly executor: HostExecutor,
    readonly frame: CallFrame,
    private readonly options: HostExecutorOptions,
  ) {}

  get inTransaction(): boolean {
    return this.#isOpen;
  }

  syscall(operation: string, text: string): string {
    this.#requireOpen(operation);
    return performSyscall(this.frame, operation, JSON.parse(text) as JsonObject, this.options.syscalls);
  }

  asyncSyscall(operation: string, text: string): Promise<string> {
    return this.#turns.next(async () => {
      this.#requireOpen(operation);
      const request = JSON.parse(text) as NestedRequest & JsonObject;
      await this.options.app().loadFor(this.frame.function.component, request);
      if (operation === RUN_FUNCTION) return this.#callNested(request);
      return performSyscall(this.frame, operation, request, this.options.syscalls);
    });
  }

  jsSyscall(operation: string, args: Record<string, unknown>): Promise<unknown> {
    return this.#turns.next(() => {
      this.#requireOpen(operation);
      const { function: info, caller, logs, scheduledJob } = this.frame;
      const frame = { component: info.component, path: info.path, caller, logs, scheduledJob };
      return this.options.app().actionHost.jsSyscall(frame, operation, args);
    });
  }

  /** Waits for what the function has not waited for: it is part of the transaction all the same. */
  async close(): Promise<void> {
    await this.#turns.idle();
    this.#isOpen = false;
  }

  async #callNested(request: NestedRequest): Promise<string> {
    const { database, app } = this.options;
    const nested = enterNested(this.frame, request, { database, app: app() });
    return leaveNested(nested, await this.executor.invoke(nested.frame, nested.args));
  }

  #requireOpen(operation: string): void {
    if (!this.#isOpen)
      throw new Error(`${this.frame.function.path} has ended and can't do ${operation} any more`);
  }
}
