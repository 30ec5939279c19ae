import type { Database } from "../transaction/database";
import { ROOT } from "../transaction/catalog";
import { ActionRealm, type ActionHost } from "./actionRealm";
import { CRONS_MODULE, HTTP_MODULE, SCHEMA_MODULE } from "./bundle";
import { exportCrons, readCrons, type CronSpec } from "./cronSpecs";
import {
  checkValidators,
  declarationOf,
  declaredFunction,
  type ComponentDeclarations,
  type FunctionDeclaration,
} from "./declarations";
import type { Definition } from "./definitions";
import { describeThrown, type Failure } from "./failure";
import type { ComponentPath, FunctionInfo, LoadedComponent, RegisteredFunction } from "./loadedApp";
import { loading } from "./loading";
import type { FunctionPath } from "./paths";
import { Realm } from "./realm";
import { Schema } from "./schema";
import type { TableNames } from "./validate";
import { evaluated, type Evaluated, type OnVariableRead } from "./variableReads";

export type ComponentOptions = {
  readonly path: ComponentPath;
  readonly definition: Definition;
  /** What its functions see as `process.env`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly database: Database;
  readonly actionHost: ActionHost;
  /** What its modules declare in this environment; `null` when they have to be evaluated. */
  readonly declared: Evaluated<ComponentDeclarations> | null;
};

/**
 * The app itself, or one component in it: functions, schema and crons of its own, realms in which they run, and the components
 * that it has in turn.
 */
export class Component implements LoadedComponent {
  readonly path: ComponentPath;
  readonly definition: Definition;
  readonly declarations: Evaluated<ComponentDeclarations>;
  readonly functions: ReadonlyMap<FunctionPath, FunctionInfo>;
  readonly schema: Schema;
  /** By their names. */
  readonly crons: ReadonlyMap<string, CronSpec>;
  readonly children = new Map<string, Component>();
  /** Which child gets the HTTP requests under a path, which ends in a slash. */
  readonly httpMounts = new Map<string, Component>();
  #actions: ActionRealm | null = null;
  #realms: Realm[] = [];

  /** Loads all modules of the bundle, unless it is known what they declare. Throws `AppLoadError`. */
  constructor(private readonly options: ComponentOptions) {
    const { path, definition, database, environment, declared } = options;
    this.path = path;
    this.definition = definition;
    const tables: TableNames = { tableName: (number) => database.catalog.tableName(path, number) };
    this.declarations = declared ?? evaluated(environment, (onRead) => this.#evaluate(onRead));
    const { functions, schema, crons } = this.declarations.value;
    this.functions = new Map(
      functions.map((declaration) => {
        const info = declaredFunction(this, declaration, tables);
        return [info.path, info];
      }),
    );
    this.schema = this.#loading(SCHEMA_MODULE, () => new Schema(schema, tables));
    this.crons = this.#loading(CRONS_MODULE, () =>
      crons === null ? new Map<string, CronSpec>() : readCrons(crons, this.functions),
    );
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

  /** Evaluates all modules, in the realms in which they then run. */
  #evaluate(onVariableRead: OnVariableRead): ComponentDeclarations {
    const { environment, actionHost } = this.options;
    const { bundle, script } = this.definition;
    const realm = new Realm(script, environment, onVariableRead);
    this.#realms = [realm];
    const nodeModules = new Set(bundle.nodeModules);
    const functions: FunctionDeclaration[] = [];
    for (const module of bundle.functionModules) {
      // What only actions use is evaluated only where they run: http.ts may pull in large packages.
      const forActions = nodeModules.has(module) || module === HTTP_MODULE;
      if (forActions) this.#actions ??= new ActionRealm(bundle, environment, actionHost, onVariableRead);
      const place = (forActions && this.#actions) || realm;
      this.#loading(module, () => {
        for (const [exportName, value] of Object.entries(place.load(module))) {
          const declaration = declarationOf(module, exportName, value);
          if (declaration === null) continue;
          checkValidators(declaration);
          functions.push(declaration);
        }
      });
    }
    return {
      functions,
      schema: bundle.hasSchema ? this.#loading(SCHEMA_MODULE, () => exportSchema(realm)) : null,
      crons: this.hasModule(CRONS_MODULE)
        ? this.#loading(CRONS_MODULE, () => exportCrons(realm.load(CRONS_MODULE)["default"]))
        : null,
    };
  }

  #loading<T>(module: string, load: () => T): T {
    return loading(this.path, module, this.definition.mapFrames, load);
  }
}

function exportSchema(realm: Realm): string {
  const schema = realm.load(SCHEMA_MODULE)["default"] as { export?(): string } | undefined;
  if (typeof schema?.export !== "function") {
    throw new Error("schema.ts must export a schema as its default export");
  }
  return schema.export();
}
