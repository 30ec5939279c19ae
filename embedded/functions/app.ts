import type { ValidatorJSON } from "convex/values";
import type { Script } from "node:vm";
import type { Database } from "../transaction/database";
import { ActionRealm, type ActionHost } from "./actionRealm";
import { AUTH_CONFIG_MODULE, CRONS_MODULE, HTTP_MODULE, SCHEMA_MODULE, type AppBundle } from "./bundle";
import { readCrons, type CronSpec, type ExportedCrons } from "./cronSpecs";
import { describeThrown, failureText, type Failure, type FrameMapper } from "./failure";
import type { FunctionPath } from "./paths";
import { compileBundle, Realm } from "./realm";
import { Schema } from "./schema";
import { frameMapper } from "./sourceFrames";
import { compileValidator, type TableNames, type Validate } from "./validate";

export type FunctionKind = "query" | "mutation" | "action";

/** A registered function of the app. */
export type FunctionInfo = {
  readonly path: FunctionPath;
  readonly module: string;
  readonly exportName: string;
  readonly kind: FunctionKind;
  readonly isPublic: boolean;
  readonly args: ValidatorJSON;
  readonly returns: ValidatorJSON | null;
  readonly checkArgs: Validate;
  readonly checkReturns: Validate;
};

/** What the convex package makes of a function. */
export type RegisteredFunction = {
  isQuery?: true;
  isMutation?: true;
  isAction?: true;
  isPublic?: true;
  exportArgs?: () => string;
  exportReturns?: () => string;
  invokeQuery?: (args: string) => Promise<string>;
  invokeMutation?: (args: string) => Promise<string>;
  invokeAction?: (requestId: string, args: string) => Promise<string>;
};

/** An app as those see it who run its functions, wherever its code lies. */
export interface LoadedApp {
  readonly functions: ReadonlyMap<FunctionPath, FunctionInfo>;
  /** Where actions run. */
  readonly actions: Pick<ActionRealm, "run" | "router">;
  /** Whether the app has this module, such as "messages.js". */
  hasModule(module: string): boolean;
  /** The registered action itself. */
  action(info: FunctionInfo): RegisteredFunction;
  /** Says of what a function threw how the call failed. */
  describe(thrown: unknown): Failure;
}

/** The app can't be loaded. The message says which module and why, for the developer's eyes. */
export class AppLoadError extends Error {
  override readonly name = "AppLoadError";
}

/** The app needs an environment variable that is not set. */
export class MissingVariableError extends Error {
  override readonly name = "MissingVariableError";
  constructor(variable: string) {
    super(`Environment variable ${variable} is used in auth config file but its value was not set`);
  }
}

/** The loaded app: its functions, schema and auth config, and the realms in which it runs. */
export class App implements LoadedApp {
  readonly functions: ReadonlyMap<FunctionPath, FunctionInfo>;
  readonly schema: Schema;
  /** The default export of auth.config, as JSON text; `null` when there is none. */
  readonly authConfig: string | null;
  /** By their names. */
  readonly crons: ReadonlyMap<string, CronSpec>;
  readonly actions: ActionRealm;
  readonly #mapFrames: FrameMapper;
  readonly #script: Script;
  /** One realm for each depth of nested calls. */
  #realms: Realm[] = [];

  /** Loads all modules of a bundle. Throws {@link AppLoadError}. */
  constructor(
    readonly bundle: AppBundle,
    readonly environment: Readonly<Record<string, string>>,
    database: Database,
    actionHost: ActionHost,
  ) {
    this.#mapFrames = frameMapper(bundle.sourceMap);
    this.#script = compileBundle(bundle);
    this.actions = new ActionRealm(bundle, environment, actionHost);
    const tables: TableNames = { tableName: (number) => database.catalog.tableByNumber(number)?.name };
    const functions = new Map<FunctionPath, FunctionInfo>();
    const nodeModules = new Set(bundle.nodeModules);
    for (const module of bundle.functionModules) {
      // What only actions use is evaluated only where they run: http.ts may pull in large packages.
      const realm = nodeModules.has(module) || module === HTTP_MODULE ? this.actions : this.realm(0);
      const exports = this.#loading(module, () => realm.load(module));
      for (const [exportName, value] of Object.entries(exports)) {
        const info = this.#loading(module, () => describeFunction(module, exportName, value, tables));
        if (info) functions.set(info.path, info);
      }
    }
    this.functions = functions;
    this.schema = this.#loading(SCHEMA_MODULE, () => new Schema(this.#exportSchema(), database));
    this.crons = this.#loading(CRONS_MODULE, () => this.#exportCrons());
    this.authConfig = this.#loading(AUTH_CONFIG_MODULE, () => this.#exportAuthConfig());
  }

  /** The realm for calls that are nested `depth` deep. */
  realm(depth: number): Realm {
    return (this.#realms[depth] ??= new Realm(this.#script, this.environment));
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
    return this.bundle.functionModules.includes(module);
  }

  action(info: FunctionInfo): RegisteredFunction {
    return this.inRealm(this.actions, info);
  }

  describe(thrown: unknown): Failure {
    return describeThrown(thrown, this.#mapFrames);
  }

  /** The routes of http.ts; those of a path prefix end in a star. */
  httpRoutes(): { method: string; path: string }[] {
    return (this.actions.router()?.getRoutes() ?? []).map(([path, method]) => ({ method, path }));
  }

  #exportSchema(): string | null {
    if (!this.bundle.hasSchema) return null;
    const schema = this.realm(0).load(SCHEMA_MODULE)["default"] as { export?(): string } | undefined;
    if (typeof schema?.export !== "function")
      throw new Error("schema.ts must export a schema as its default export");
    return schema.export();
  }

  #exportCrons(): ReadonlyMap<string, CronSpec> {
    if (!this.bundle.functionModules.includes(CRONS_MODULE)) return new Map();
    const exported = this.realm(0).load(CRONS_MODULE)["default"] as ExportedCrons | undefined;
    return readCrons(exported, this.functions);
  }

  #exportAuthConfig(): string | null {
    if (!this.bundle.hasAuthConfig) return null;
    // A realm of its own, in which an environment variable that is not set is an error, as it is for Convex.
    const realm = new Realm(this.#script, this.environment, (name) => {
      throw new MissingVariableError(name);
    });
    return JSON.stringify(realm.load(AUTH_CONFIG_MODULE)["default"] ?? null);
  }

  #loading<T>(module: string, load: () => T): T {
    try {
      return load();
    } catch (thrown) {
      const text = failureText(this.describe(thrown)).trimEnd();
      throw new AppLoadError(`Failed to load ${module}: ${text}`, { cause: thrown });
    }
  }
}

const ANY: ValidatorJSON = { type: "any" };

/** What is to be known of an export, or `null` when it is no registered function. */
export function describeFunction(
  module: string,
  exportName: string,
  value: unknown,
  tables: TableNames,
): FunctionInfo | null {
  if (typeof value !== "function") return null;
  const registered = value as RegisteredFunction;
  const kind = registered.isQuery
    ? "query"
    : registered.isMutation
      ? "mutation"
      : registered.isAction
        ? "action"
        : null;
  if (kind === null) return null;
  const args = (registered.exportArgs ? JSON.parse(registered.exportArgs()) : ANY) as ValidatorJSON;
  const returns = (
    registered.exportReturns ? JSON.parse(registered.exportReturns()) : null
  ) as ValidatorJSON | null;
  return {
    path: `${module.slice(0, -".js".length)}:${exportName}`,
    module,
    exportName,
    kind,
    isPublic: registered.isPublic === true,
    args,
    returns,
    checkArgs: compileValidator(args, tables),
    checkReturns: compileValidator(returns ?? ANY, tables),
  };
}
