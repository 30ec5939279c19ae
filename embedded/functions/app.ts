import type { Database } from "../transaction/database";
import { ROOT } from "../transaction/catalog";
import type { ActionHost } from "./actionRealm";
import { AUTH_CONFIG_MODULE, type AppBundle } from "./bundle";
import { Component } from "./component";
import type { AppDeclarations, ComponentDeclarations } from "./declarations";
import { Definitions, type ChildDeclaration, type Definition, type Exported } from "./definitions";
import { FunctionHandles } from "./functionHandles";
import type { ComponentPath, LoadedApp } from "./loadedApp";
import { AppLoadError, loading } from "./loading";
import { Realm } from "./realm";
import { isV8CodeRejected, v8CodeOf } from "./script";
import { evaluated, stillTrue, type Evaluated } from "./variableReads";

/** The app needs an environment variable that is not set. */
export class MissingVariableError extends Error {
  override readonly name = "MissingVariableError";
  constructor(
    readonly variable: string,
    readonly where: "auth config file" | "convex.config",
  ) {
    super(`Environment variable ${variable} is used in ${where} but its value was not set`);
  }
}

export type AppOptions = {
  readonly bundle: AppBundle;
  /** The deployment's environment variables. */
  readonly environment: Readonly<Record<string, string>>;
  readonly database: Database;
  readonly actionHost: ActionHost;
  /** With which function handles are made. */
  readonly handleSecret: Buffer;
};

/** The loaded app: the tree of its components, of which the app itself is the root. */
export class App implements LoadedApp {
  readonly bundle: AppBundle;
  readonly environment: Readonly<Record<string, string>>;
  readonly root: Component;
  /** All of them, the root too, parents before their children. */
  readonly components: ReadonlyMap<ComponentPath, Component>;
  /** The path, which ends in a slash, under which the app's own HTTP routes are. */
  readonly httpPrefix: string | null;
  readonly handles: FunctionHandles;
  readonly #authConfig: Evaluated<string | null>;
  readonly #declared: AppDeclarations | null;

  /** Loads a bundle, and all modules of which it does not know what they declare. Throws {@link AppLoadError}. */
  constructor(private readonly options: AppOptions) {
    const { bundle, environment, handleSecret } = options;
    this.bundle = bundle;
    this.environment = environment;
    this.#declared =
      bundle.declarations === undefined ? null : (JSON.parse(bundle.declarations) as AppDeclarations);
    const definitions = new Definitions(bundle, environment, this.#declared?.definitions ?? {});
    const definition = definitions.get("");
    checkOwnEnvironment(definition, environment);
    const components = new Map<ComponentPath, Component>();
    this.root = this.#instantiate(definitions, definition, ROOT, environment, components);
    this.components = components;
    this.httpPrefix = definition.httpPrefix;
    this.handles = new FunctionHandles(components, handleSecret);
    this.#authConfig =
      stillTrue(this.#declared?.authConfig, environment) ??
      loading(ROOT, AUTH_CONFIG_MODULE, definition.mapFrames, () => this.#exportAuthConfig(definition));
  }

  /** The default export of auth.config, as JSON text; `null` when there is none. */
  get authConfig(): string | null {
    return this.#authConfig.value;
  }

  /** What has been learned by loading it, to be given with the bundle at another start. */
  get learned() {
    const bundles = [this.bundle, ...this.bundle.components];
    return {
      declarations: JSON.stringify(this.#declarations),
      isV8CodeRejected: bundles.some(isV8CodeRejected),
      v8CodeOf,
    };
  }

  get #declarations(): AppDeclarations {
    const definitions: Record<string, Evaluated<Exported>> = {};
    const components: Record<ComponentPath, Evaluated<ComponentDeclarations>> = {};
    for (const [path, { definition, declarations }] of this.components) {
      components[path] = declarations;
      if (definition.declared) definitions[definition.bundle.definitionPath] = definition.declared;
    }
    return { definitions, components, authConfig: this.#authConfig };
  }

  /** All schemas as text, by which those of two apps are compared. */
  get schemas(): string {
    return JSON.stringify([...this.components].map(([path, { schema }]) => [path, schema.exported]));
  }

  /** Throws the realms away: a call in them was cut off, and nobody knows what it left behind. */
  renewRealms(): void {
    for (const component of this.components.values()) component.renewRealms();
  }

  #instantiate(
    definitions: Definitions,
    definition: Definition,
    path: ComponentPath,
    environment: Readonly<Record<string, string>>,
    components: Map<ComponentPath, Component>,
  ): Component {
    const { database, actionHost } = this.options;
    const declared = stillTrue(this.#declared?.components[path], environment);
    const component = new Component({ path, definition, environment, database, actionHost, declared });
    components.set(path, component);
    for (const declared of definition.children) {
      const childPath = path === ROOT ? declared.name : `${path}/${declared.name}`;
      const child = this.#instantiate(
        definitions,
        definitions.get(declared.definitionPath),
        childPath,
        this.#environmentOf(childPath, declared, definition, definitions, environment),
        components,
      );
      component.children.set(declared.name, child);
      const mount = definition.httpMounts.get(declared.name);
      if (mount !== undefined) component.httpMounts.set(mount, child);
    }
    return component;
  }

  /** What a component sees of the environment: what its parent gives it, and where the deployment is. */
  #environmentOf(
    path: ComponentPath,
    { definitionPath, environment: bindings }: ChildDeclaration,
    parent: Definition,
    definitions: Definitions,
    parentEnvironment: Readonly<Record<string, string>>,
  ): Record<string, string> {
    const declared = definitions.get(definitionPath).environment;
    const environment: Record<string, string> = {};
    for (const name of ["CONVEX_CLOUD_URL", "CONVEX_SITE_URL"]) {
      const value = this.environment[name];
      if (value !== undefined) environment[name] = value;
    }
    for (const [name, binding] of bindings) {
      const declaration = declared.get(name);
      if (!declaration) throw new AppLoadError(`Component "${path}" has no env var named "${name}"`);
      if ("variable" in binding && !parent.environment.has(binding.variable)) {
        throw new AppLoadError(
          `Component "${path}" env var "${name}" references undeclared parent env var ${binding.variable}`,
        );
      }
      const value = "value" in binding ? binding.value : parentEnvironment[binding.variable];
      if (value === undefined) continue;
      const problem = declaration.check(value);
      if (problem !== null) {
        throw new AppLoadError(`Component "${path}" has an invalid value for env var "${name}": ${problem}`);
      }
      environment[name] = value;
    }
    for (const [name, { isOptional }] of declared) {
      if (!isOptional && !(name in environment)) {
        throw new AppLoadError(`Component "${path}" is missing required env var "${name}"`);
      }
    }
    return environment;
  }

  #exportAuthConfig({ script }: Definition): Evaluated<string | null> {
    const { bundle, environment } = this;
    return evaluated(environment, (onRead) => {
      if (!bundle.hasAuthConfig) return null;
      // A realm of its own, in which an environment variable that is not set is an error, as it is for Convex.
      const realm = new Realm(script, environment, (name) => {
        onRead(name);
        if (name !== null && environment[name] === undefined) {
          throw new MissingVariableError(name, "auth config file");
        }
      });
      return JSON.stringify(realm.load(AUTH_CONFIG_MODULE)["default"] ?? null);
    });
  }
}

/** Checks the variables that the app itself declares. Throws {@link AppLoadError}. */
function checkOwnEnvironment(
  { environment: declared }: Definition,
  environment: Readonly<Record<string, string>>,
): void {
  for (const [name, { isOptional, check }] of declared) {
    const value = environment[name];
    if (value === undefined) {
      if (isOptional) continue;
      const cause = new MissingVariableError(name, "convex.config");
      throw new AppLoadError(`Failed to load convex.config.js: ${cause.message}`, { cause });
    }
    const problem = check(value);
    if (problem !== null) {
      throw new AppLoadError(
        `Environment variable ${name} does not match its declared validator: ${problem}`,
      );
    }
  }
}
