import { ROOT } from "../transaction/catalog";
import type { Database } from "../transaction/database";
import type { ActionFrame, HttpRouter } from "./actionRealm";
import type { FunctionAddress } from "./addresses";
import { HTTP_MODULE } from "./bundle";
import { declarationOf, declaredFunction } from "./declarations";
import { describeThrown, type Failure } from "./failure";
import type { HostApp } from "./hostApp";
import { runInHostRealm, runOutsideOfCalls, type ConvexGlobal } from "./hostRealm";
import {
  type ComponentPath,
  type FunctionInfo,
  type LoadedComponent,
  type RegisteredFunction,
} from "./loadedApp";
import type { FunctionPath } from "./paths";
import { Schema } from "./schema";
import { splitPath } from "./schedulerSyscalls";
import type { TableNames } from "./validate";

/** Modules by their paths, such as "messages.js". Each is loaded when a function of it is first called. */
export type ModuleLoaders = ReadonlyMap<string, () => Promise<Record<string, unknown>>>;

/** The code of the app or of a component. `schema`: what `defineSchema(...).export()` gives, or `null`. */
export type HostCode = { readonly modules: ModuleLoaders; readonly schema: string | null };

/** The app itself or a component of a {@link HostApp}. */
export class HostComponent implements LoadedComponent {
  readonly functions = new Map<FunctionPath, FunctionInfo>();
  readonly schema: Schema;
  readonly httpMounts = new Map<string, LoadedComponent>();
  readonly actions: LoadedComponent["actions"] = {
    run: (frame, call) => runInHostRealm(this.#actionCall(frame), call),
    router: () => this.#router,
  };
  readonly #tables: TableNames;
  readonly #registered = new Map<FunctionPath, RegisteredFunction>();
  readonly #loaded = new Map<string, Promise<void>>();
  readonly #modules: ModuleLoaders;
  #router: HttpRouter | null = null;

  constructor(
    private readonly app: HostApp,
    readonly path: ComponentPath,
    { modules, schema }: HostCode,
    database: Database,
  ) {
    this.#modules = modules;
    this.#tables = { tableName: (number) => database.catalog.tableName(path, number) };
    this.schema = new Schema(schema, this.#tables);
  }

  get isRoot(): boolean {
    return this.path === ROOT;
  }

  get children(): ReadonlyMap<string, LoadedComponent> {
    const prefix = this.isRoot ? "" : `${this.path}/`;
    const children = new Map<string, LoadedComponent>();
    for (const [path, component] of this.app.components) {
      const name = path.slice(prefix.length);
      if (path.startsWith(prefix) && name !== "" && !name.includes("/")) children.set(name, component);
    }
    return children;
  }

  hasModule(module: string): boolean {
    return this.#modules.has(module);
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

  /** Loads the module of a function, if there is one. Throws what the module throws. */
  load(path: FunctionPath): Promise<void> {
    return this.#loadModule(splitPath(path)[0]);
  }

  loadRouter(): Promise<void> {
    return this.#loadModule(HTTP_MODULE);
  }

  /** Adds a function of its own, which no module holds. */
  add(module: string, exportName: string, value: unknown): FunctionInfo | null {
    const declaration = declarationOf(module, exportName, value);
    if (declaration === null) return null;
    const info = declaredFunction(this, declaration, this.#tables);
    this.functions.set(info.path, info);
    this.#registered.set(info.path, value as RegisteredFunction);
    return info;
  }

  remove({ path }: FunctionInfo): void {
    this.functions.delete(path);
    this.#registered.delete(path);
  }

  #loadModule(module: string): Promise<void> {
    let loading = this.#loaded.get(module);
    if (!loading) {
      loading = runOutsideOfCalls(() => this.#evaluate(module));
      this.#loaded.set(module, loading);
    }
    return loading;
  }

  async #evaluate(module: string): Promise<void> {
    const exports = await this.#modules.get(module)?.();
    if (!exports) return;
    for (const [exportName, value] of Object.entries(exports)) this.add(module, exportName, value);
    if (module === HTTP_MODULE) this.#router = routerOf(exports);
  }

  #actionCall(frame: ActionFrame): ConvexGlobal {
    const { app } = this;
    return {
      inTransaction: false,
      syscall: (operation) => {
        throw new Error(`Unknown operation ${operation} in an action`);
      },
      asyncSyscall: async (operation, args) => {
        await app.loadFor(this, JSON.parse(args) as FunctionAddress);
        return app.actionHost.syscall(frame, operation, args);
      },
      jsSyscall: (operation, args) => app.actionHost.jsSyscall(frame, operation, args),
    };
  }
}

function routerOf(exports: Record<string, unknown>): HttpRouter {
  const router = exports["default"] as HttpRouter | undefined;
  if (router?.isRouter !== true) throw new Error("http.ts must export an httpRouter() as its default export");
  return router;
}
