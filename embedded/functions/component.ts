import type { Database } from "../transaction/database";
import { ROOT } from "../transaction/catalog";
import { ActionRealm, type ActionHost } from "./actionRealm";
import { CRONS_MODULE, HTTP_MODULE, SCHEMA_MODULE } from "./bundle";
import { readCrons, type CronSpec, type ExportedCrons } from "./cronSpecs";
import type { Definition } from "./definitions";
import { describeThrown, type Failure } from "./failure";
import {
  describeFunction,
  type ComponentPath,
  type FunctionInfo,
  type LoadedComponent,
  type RegisteredFunction,
} from "./loadedApp";
import { loading } from "./loading";
import type { FunctionPath } from "./paths";
import { Realm } from "./realm";
import { Schema } from "./schema";
import type { TableNames } from "./validate";

export type ComponentOptions = {
  readonly path: ComponentPath;
  readonly definition: Definition;
  /** What its functions see as `process.env`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly database: Database;
  readonly actionHost: ActionHost;
};

/**
 * The app itself, or one component in it: functions, schema and crons of its own, realms in which they run, and the components
 * that it has in turn.
 */
export class Component implements LoadedComponent {
  readonly path: ComponentPath;
  readonly definition: Definition;
  readonly functions: ReadonlyMap<FunctionPath, FunctionInfo>;
  readonly schema: Schema;
  /** By their names. */
  readonly crons: ReadonlyMap<string, CronSpec>;
  readonly children = new Map<string, Component>();
  /** Which child gets the HTTP requests under a path, which ends in a slash. */
  readonly httpMounts = new Map<string, Component>();
  #actions: ActionRealm | null = null;
  #realms: Realm[] = [];

  /** Loads all modules of the bundle. Throws `AppLoadError`. */
  constructor(private readonly options: ComponentOptions) {
    const { path, definition, database } = options;
    const { bundle } = definition;
    this.path = path;
    this.definition = definition;
    const tables: TableNames = { tableName: (number) => database.catalog.tableName(path, number) };
    const functions = new Map<FunctionPath, FunctionInfo>();
    const nodeModules = new Set(bundle.nodeModules);
    for (const module of bundle.functionModules) {
      // What only actions use is evaluated only where they run: http.ts may pull in large packages.
      const forActions = nodeModules.has(module) || module === HTTP_MODULE;
      const exports = this.#loading(module, () => (forActions ? this.actions : this.realm(0)).load(module));
      for (const [exportName, value] of Object.entries(exports)) {
        const info = this.#loading(module, () => describeFunction(this, module, exportName, value, tables));
        if (info) functions.set(info.path, info);
      }
    }
    this.functions = functions;
    this.schema = this.#loading(SCHEMA_MODULE, () => new Schema(this.#exportSchema(), tables));
    this.crons = this.#loading(CRONS_MODULE, () => this.#exportCrons());
  }

  get isRoot(): boolean {
    return this.path === ROOT;
  }

  /** Where its actions run. Made when it is first needed, as many components have none. */
  get actions(): ActionRealm {
    const { environment, actionHost } = this.options;
    return (this.#actions ??= new ActionRealm(this.definition.bundle, environment, actionHost));
  }

  /** The paths, such as "lib.js", of its modules that may hold functions. */
  get functionModules(): readonly string[] {
    return this.definition.bundle.functionModules;
  }

  /** The realm for calls within `depth` others that run in this component. */
  realm(depth: number): Realm {
    return (this.#realms[depth] ??= new Realm(this.definition.script, this.options.environment));
  }

  /** Throws the realms away: a call in them was cut off, and nobody knows what it left behind. */
  renewRealms(): void {
    this.#realms = [];
  }

  /** The registered function itself, in a realm. */
  inRealm(realm: Realm | ActionRealm, { module, exportName }: FunctionInfo): RegisteredFunction {
    return realm.load(module)[exportName] as RegisteredFunction;
  }

  hasModule(module: string): boolean {
    return this.functionModules.includes(module);
  }

  action(info: FunctionInfo): RegisteredFunction {
    return this.inRealm(this.actions, info);
  }

  describe(thrown: unknown): Failure {
    return describeThrown(thrown, this.definition.mapFrames);
  }

  /** The routes of its http.ts; those of a path prefix end in a star. */
  httpRoutes(): { method: string; path: string }[] {
    return (this.actions.router()?.getRoutes() ?? []).map(([path, method]) => ({ method, path }));
  }

  #exportSchema(): string | null {
    if (!this.definition.bundle.hasSchema) return null;
    const schema = this.realm(0).load(SCHEMA_MODULE)["default"] as { export?(): string } | undefined;
    if (typeof schema?.export !== "function")
      throw new Error("schema.ts must export a schema as its default export");
    return schema.export();
  }

  #exportCrons(): ReadonlyMap<string, CronSpec> {
    if (!this.hasModule(CRONS_MODULE)) return new Map();
    const exported = this.realm(0).load(CRONS_MODULE)["default"] as ExportedCrons | undefined;
    return readCrons(exported, this.functions);
  }

  #loading<T>(module: string, load: () => T): T {
    return loading(this.path, module, this.definition.mapFrames, load);
  }
}
