import { randomBytes } from "node:crypto";
import { ROOT } from "../transaction/catalog";
import type { Database } from "../transaction/database";
import type { ActionFrame, ActionHost, HttpRouter } from "./actionRealm";
import { HTTP_MODULE } from "./bundle";
import { describeThrown, type Failure } from "./failure";
import { FunctionHandles } from "./functionHandles";
import { runInHostRealm } from "./hostRealm";
import {
  describeFunction,
  type ComponentPath,
  type FunctionInfo,
  type LoadedApp,
  type LoadedComponent,
  type RegisteredFunction,
} from "./loadedApp";
import { canonicalPath, type FunctionPath } from "./paths";
import { Schema } from "./schema";
import { splitPath } from "./schedulerSyscalls";

/** The modules of the app or of a component by their paths, such as "messages.js". */
export type ModuleLoaders = ReadonlyMap<string, () => Promise<Record<string, unknown>>>;

/** The code of the app or of a component. `schema`: what `defineSchema(...).export()` gives, or `null`. */
export type HostCode = { readonly modules: ModuleLoaders; readonly schema: string | null };

/**
 * An app whose modules are evaluated in the process's own realm by somebody else, such as a test runner. Each is loaded when a
 * function of it is first called, those of components all together.
 */
export class HostApp implements LoadedApp {
  readonly root: HostComponent;
  readonly components = new Map<ComponentPath, HostComponent>();
  readonly httpPrefix = null;
  readonly #handleSecret = randomBytes(32);

  constructor(
    code: HostCode,
    private readonly database: Database,
    readonly actionHost: ActionHost,
  ) {
    this.root = new HostComponent(this, ROOT, code, database);
    this.components.set(ROOT, this.root);
  }

  /** Modules may have been loaded since the last time. */
  get handles(): FunctionHandles {
    return new FunctionHandles(this.components, this.#handleSecret);
  }

  /** Adds a component. `path`: such as "a/b", where "a" is there already. */
  addComponent(path: ComponentPath, code: HostCode): HostComponent {
    const slash = path.lastIndexOf("/");
    const parent = this.components.get(path.slice(0, Math.max(slash, 0)));
    if (!parent) throw new Error(`There is no component that could have ${path}: register that one first`);
    const component = new HostComponent(this, path, code, this.database);
    this.components.set(path, component);
    parent.children.set(path.slice(slash + 1), component);
    return component;
  }

  /** Loads the modules of the function that a request of a component is addressed to. Throws what a module throws. */
  async loadFor(from: LoadedComponent, request: string): Promise<void> {
    const { name, reference, functionHandle } = JSON.parse(request) as Record<string, unknown>;
    if (typeof name === "string") await this.components.get(from.path)?.load(name);
    if (reference === undefined && functionHandle === undefined) return;
    for (const component of this.components.values()) if (!component.isRoot) await component.loadAll();
  }
}

/** The app itself, or one component in it. */
export class HostComponent implements LoadedComponent {
  readonly functions = new Map<FunctionPath, FunctionInfo>();
  readonly children = new Map<string, HostComponent>();
  readonly httpMounts = new Map<string, HostComponent>();
  readonly schema: Schema;
  readonly actions: LoadedComponent["actions"] = {
    run: (frame, call) => runInHostRealm(this.#actionCall(frame), call),
    router: () => this.#router,
  };
  readonly #modules: ModuleLoaders;
  readonly #tables: { tableName(number: number): string | undefined };
  readonly #registered = new Map<FunctionPath, RegisteredFunction>();
  readonly #loaded = new Map<string, Promise<void>>();
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

  /** Loads the module of a function that is about to be called, if there is one. Throws what the module throws. */
  async load(path: string): Promise<void> {
    const canonical = canonicalPath(path);
    if (canonical !== null) await this.#loadModule(splitPath(canonical)[0]);
  }

  async loadAll(): Promise<void> {
    for (const module of this.#modules.keys()) await this.#loadModule(module);
  }

  async loadRouter(): Promise<void> {
    await this.#loadModule(HTTP_MODULE);
  }

  /** Adds a function of its own, which no module holds. */
  add(module: string, exportName: string, value: unknown): FunctionInfo | null {
    const info = describeFunction(this, module, exportName, value, this.#tables);
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
    const exports = await this.#modules.get(module)?.();
    if (!exports) return;
    for (const [exportName, value] of Object.entries(exports)) this.add(module, exportName, value);
    if (module === HTTP_MODULE) this.#router = routerOf(exports);
  }

  #actionCall(frame: ActionFrame) {
    const { app } = this;
    return {
      syscall: (operation: string) => {
        throw new Error(`Unknown operation ${operation} in an action`);
      },
      asyncSyscall: async (operation: string, args: string) => {
        await app.loadFor(this, args);
        return app.actionHost.syscall(frame, operation, args);
      },
      jsSyscall: (operation: string, args: Record<string, unknown>) =>
        app.actionHost.jsSyscall(frame, operation, args),
    };
  }
}

function routerOf(exports: Record<string, unknown>): HttpRouter {
  const router = exports["default"] as HttpRouter | undefined;
  if (router?.isRouter !== true) throw new Error("http.ts must export an httpRouter() as its default export");
  return router;
}
