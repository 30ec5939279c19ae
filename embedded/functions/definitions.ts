/** What convex.config says: which components the app and its components are made of. */
import type { ValidatorJSON } from "convex/values";
import type { Script } from "node:vm";
import { identifierProblem } from "../values/fields";
import { CONFIG_MODULE, IMPORT_DEFINITION, type AppBundle, type DefinitionBundle } from "./bundle";
import type { AppDeclarations } from "./declarations";
import type { FrameMapper } from "./failure";
import { AppLoadError, loading } from "./loading";
import { compileBundle, NO_DATABASE, Realm, type RealmHost } from "./realm";
import { frameMapper } from "./sourceFrames";
import { compileValidator, type Validate } from "./validate";
import { evaluated, stillTrue, type Evaluated } from "./variableReads";

/** A definition as it was bundled, and what it declares. */
export type Definition = {
  readonly bundle: DefinitionBundle & Partial<Pick<AppBundle, "node" | "nodeModules">>;
  /** For whatever realms it takes. */
  readonly script: Script;
  readonly mapFrames: FrameMapper;
  /** What it is called where nobody gives it another name; "" for the app. */
  readonly defaultName: string;
  readonly children: readonly ChildDeclaration[];
  /** The path, which ends in a slash, under which a child gets HTTP requests. By the child's name. */
  readonly httpMounts: ReadonlyMap<string, string>;
  /** The path, which ends in a slash, under which the app's own routes are. */
  readonly httpPrefix: string | null;
  readonly environment: ReadonlyMap<string, VariableDeclaration>;
  /** What `export()` of its convex.config gave; `null` without one. */
  readonly exported: Exported | null;
  /** The same with what it depends on. */
  readonly declared: Evaluated<Exported> | null;
};

export type ChildDeclaration = {
  readonly name: string;
  readonly definitionPath: string;
  /** What each of its variables is: a value, or a variable of the parent. */
  readonly environment: ReadonlyMap<string, { readonly value: string } | { readonly variable: string }>;
};

export type VariableDeclaration = { readonly isOptional: boolean; readonly check: Validate };

/** What `defineApp` and `defineComponent` export. */
export type Exported = {
  name?: string;
  httpPrefix?: string;
  childComponents: {
    name: string;
    path: string;
    env: [string, { type: "value"; value: string } | { type: "envVar"; name: string }][] | null;
  }[];
  httpMounts: Record<string, string>;
  envVars?: [string, { value: string; optional?: boolean }][];
};

const CHILD_REFERENCE = "_reference/childComponent/";

/** The definitions of an app, each evaluated once, those that it imports before it. */
export class Definitions {
  readonly #bundles: ReadonlyMap<string, Definition["bundle"]>;
  readonly #known = new Map<string, Definition>();
  /** Those that wait for what they import. */
  readonly #evaluating = new Set<string>();

  constructor(
    app: AppBundle,
    /** What the app's own convex.config may read; those of components may read nothing. */
    private readonly environment: Readonly<Record<string, string>>,
    /** What is known of them. */
    private readonly declared: AppDeclarations["definitions"],
  ) {
    const bundles: Definition["bundle"][] = [app, ...app.components];
    this.#bundles = new Map(bundles.map((bundle) => [bundle.definitionPath, bundle]));
  }

  /** Throws {@link AppLoadError}. */
  get(definitionPath: string): Definition {
    let definition = this.#known.get(definitionPath);
    if (!definition) {
      if (this.#evaluating.has(definitionPath)) throw new AppLoadError("Found cyclic definition dependency");
      this.#evaluating.add(definitionPath);
      definition = this.#evaluate(definitionPath);
      this.#evaluating.delete(definitionPath);
      this.#known.set(definitionPath, definition);
    }
    return definition;
  }

  #evaluate(definitionPath: string): Definition {
    const bundle = this.#bundles.get(definitionPath);
    if (!bundle) throw new AppLoadError(`Component definition not found: ${definitionPath}`);
    const script = compileBundle(bundle);
    const mapFrames = frameMapper(bundle);
    const loaded = { bundle, script, mapFrames };
    if (!bundle.hasConfig) return { ...loaded, ...NOTHING };
    return loading(definitionPath, CONFIG_MODULE, mapFrames, () => {
      const environment = definitionPath === "" ? this.environment : {};
      const declared =
        stillTrue(this.declared[definitionPath], environment) ??
        evaluated(environment, (onRead) => {
          const realm = new Realm(script, environment, onRead);
          return exportOf(realm, new DefinitionHost(this), definitionPath);
        });
      return { ...loaded, ...read(declared.value), exported: declared.value, declared };
    });
  }
}

const NOTHING = {
  defaultName: "",
  children: [],
  httpMounts: new Map<string, string>(),
  httpPrefix: null,
  environment: new Map<string, VariableDeclaration>(),
  exported: null,
  declared: null,
};

/** Gives a convex.config what it imports. */
class DefinitionHost implements RealmHost {
  /** Why an import could not be given: it is the cause of whatever the module throws. */
  problem: unknown = null;
  readonly database = NO_DATABASE;

  constructor(private readonly definitions: Definitions) {}

  syscall(operation: string, definitionPath: string) {
    if (operation !== IMPORT_DEFINITION) return { message: `${operation} can't be used in convex.config` };
    try {
      const { defaultName } = this.definitions.get(definitionPath);
      return JSON.stringify({ componentDefinitionPath: definitionPath, defaultName });
    } catch (error) {
      this.problem ??= error;
      return { message: "The component could not be loaded" };
    }
  }

  log(): void {
    // Nobody has called anything whose log this could be.
  }

  chance(): void {
    // Nor anything whose result could be kept.
  }
}

function exportOf(realm: Realm, host: DefinitionHost, definitionPath: string): Exported {
  let exports: Record<string, unknown>;
  try {
    exports = realm.load(CONFIG_MODULE, host);
  } catch (thrown) {
    throw host.problem ?? thrown;
  }
  const definition = exports["default"] as { export?: () => Exported; _isRoot?: boolean } | undefined;
  const isApp = definitionPath === "";
  if (typeof definition?.export !== "function" || definition._isRoot !== isApp) {
    const [where, what] = isApp
      ? ["your app", "defineApp"]
      : [`component \`${definitionPath}\``, "defineComponent"];
    throw new AppLoadError(
      `The default export of \`convex.config.ts\` in ${where} has an invalid value. Please make sure that it exports the return value of \`${what}()\` (\`import { ${what} } from 'convex/server'\`).`,
    );
  }
  return definition.export();
}

function read({ name = "", httpPrefix, childComponents, httpMounts, envVars = [] }: Exported) {
  const children = childComponents.map(({ name: childName, path, env }) => ({
    name: childName,
    definitionPath: path,
    environment: new Map(
      (env ?? []).map(([variable, binding]) => [
        variable,
        binding.type === "value" ? { value: binding.value } : { variable: binding.name },
      ]),
    ),
  }));
  for (const [i, child] of children.entries()) {
    const problem = identifierProblem(child.name);
    if (problem !== null) throw new Error(`A component can't have this name: ${problem}`);
    if (children.findIndex((other) => other.name === child.name) !== i) {
      throw new Error(`There are multiple child components with the same name: ${child.name}`);
    }
  }
  const mounts = Object.entries(httpMounts).map(
    ([path, reference]) => [reference.slice(CHILD_REFERENCE.length), path] as const,
  );
  return {
    defaultName: name,
    children,
    httpMounts: new Map(mounts),
    httpPrefix: httpPrefix ?? null,
    environment: new Map(envVars.map(([variable, declared]) => [variable, readVariable(variable, declared)])),
  };
}

function readVariable(
  name: string,
  { value, optional = false }: { value: string; optional?: boolean },
): VariableDeclaration {
  const validator = JSON.parse(value) as ValidatorJSON;
  if (!isStringLike(validator)) {
    throw new Error(
      `Env var \`${name}\` has a non-string validator. Component env vars must be declared with \`v.string()\`, \`v.literal("...")\`, or a union of those.`,
    );
  }
  return { isOptional: optional, check: compileValidator(validator, { tableName: () => undefined }) };
}

function isStringLike(validator: ValidatorJSON): boolean {
  if (validator.type === "literal") return typeof validator.value === "string";
  return validator.type === "string" || (validator.type === "union" && validator.value.every(isStringLike));
}
