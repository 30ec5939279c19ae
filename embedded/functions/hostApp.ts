import type { Database } from "../transaction/database";
import type { ActionFrame, ActionHost, HttpRouter } from "./actionRealm";
import { describeFunction, type FunctionInfo, type LoadedApp, type RegisteredFunction } from "./app";
import { HTTP_MODULE } from "./bundle";
import { describeThrown, type Failure } from "./failure";
import { runInHostRealm } from "./hostRealm";
import { canonicalPath, type FunctionPath } from "./paths";
import { Schema } from "./schema";
import { splitPath } from "./schedulerSyscalls";

/** An app's modules by their paths, such as "messages.js". Each is loaded when a function of it is first called. */
export type ModuleLoaders = ReadonlyMap<string, () => Promise<Record<string, unknown>>>;

/** An app whose modules are evaluated in the process's own realm by somebody else, such as a test runner. */
export class HostApp implements LoadedApp {
  readonly functions = new Map<FunctionPath, FunctionInfo>();
  readonly schema: Schema;
  readonly actions: LoadedApp["actions"] = {
    run: (frame, call) => runInHostRealm(this.#actionCall(frame), call),
    router: () => this.#router,
  };
  readonly #registered = new Map<FunctionPath, RegisteredFunction>();
  readonly #loaded = new Map<string, Promise<void>>();
  #router: HttpRouter | null = null;

  /** `schema`: what `defineSchema(...).export()` gives. */
  constructor(
    private readonly modules: ModuleLoaders,
    schema: string | null,
    private readonly database: Database,
    readonly actionHost: ActionHost,
  ) {
    this.schema = new Schema(schema, database);
  }

  hasModule(module: string): boolean {
    return this.modules.has(module);
  }

  action(info: FunctionInfo): RegisteredFunction {
    return this.registered(info);
  }

  /** The registered function itself. */
  registered({ path }: FunctionInfo): RegisteredFunction {
    const registered = this.#registered.get(path);
    if (!registered) throw new Error(`There is no function ${path}`);
    return registered;
  }

  describe(thrown: unknown): Failure {
    return { ...describeThrown(thrown, () => ""), cause: thrown };
  }

  /** Loads the module of a function that is about to be called, if there is one. Throws what the module throws. */
  async load(path: string): Promise<void> {
    const canonical = canonicalPath(path);
    if (canonical !== null) await this.#loadModule(splitPath(canonical)[0]);
  }

  /** The same for the address in a request to the runtime, if it holds one. */
  async loadFor(request: string): Promise<void> {
    const { name } = JSON.parse(request) as { name?: unknown };
    if (typeof name === "string") await this.load(name);
  }

  async loadRouter(): Promise<void> {
    await this.#loadModule(HTTP_MODULE);
  }

  /** Adds a function of its own, which no module holds. */
  add(module: string, exportName: string, value: unknown): FunctionInfo | null {
    const tables = { tableName: (number: number) => this.database.catalog.tableByNumber(number)?.name };
    const info = describeFunction(module, exportName, value, tables);
    if (info) {
      this.functions.set(info.path, info);
      this.#registered.set(info.path, value as RegisteredFunction);
    }
    return info;
  }

  remove({ path }: FunctionInfo): void {
    this.functions.delete(path);
    this.#registered.delete(path);
  }

  #loadModule(module: string): Promise<void> {
    let loading = this.#loaded.get(module);
    if (!loading) {
      loading = this.#evaluate(module);
      this.#loaded.set(module, loading);
    }
    return loading;
  }

  async #evaluate(module: string): Promise<void> {
    const exports = await this.modules.get(module)?.();
    if (!exports) return;
    for (const [exportName, value] of Object.entries(exports)) this.add(module, exportName, value);
    if (module === HTTP_MODULE) this.#router = routerOf(exports);
  }

  #actionCall(frame: ActionFrame) {
    return {
      syscall: (operation: string) => {
        throw new Error(`Unknown operation ${operation} in an action`);
      },
      asyncSyscall: async (operation: string, args: string) => {
        await this.loadFor(args);
        return this.actionHost.syscall(frame, operation, args);
      },
      jsSyscall: (operation: string, args: Record<string, unknown>) =>
        this.actionHost.jsSyscall(operation, args),
    };
  }
}

function routerOf(exports: Record<string, unknown>): HttpRouter {
  const router = exports["default"] as HttpRouter | undefined;
  if (router?.isRouter !== true) throw new Error("http.ts must export an httpRouter() as its default export");
  return router;
}
