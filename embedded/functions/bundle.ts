/** Functions, schema and configuration of the app or of a component's definition, as one script. */
export type DefinitionBundle = {
  /** Where the definition lies, relative to the app's folder; "" for the app itself. */
  readonly definitionPath: string;
  /**
   * The body of a CommonJS module. It sets `module.exports.modules` to an object from module path ("meetings/lifecycle.js")
   * to a function that evaluates the module, once, and gives its exports.
   */
  readonly code: string;
  /** Source map (version 3) of `code`, as JSON. Its sources are relative to a folder beside the definition's own. */
  readonly sourceMap: string;
  /** Paths of the modules that may hold functions. */
  readonly functionModules: readonly string[];
  readonly hasSchema: boolean;
  /** Whether it says in convex.config what components it has. That module asks for each with {@link IMPORT_DEFINITION}. */
  readonly hasConfig: boolean;
  /** What V8 has compiled of a script in another process, if that is known. It only saves time. */
  v8Code?(script: ScriptName): Uint8Array | null;
};

/** The scripts that are made of a bundle: its code for queries and mutations, the same for actions, and that for Node. */
export const SCRIPT_NAMES = ["queries", "actions", "node"] as const;
export type ScriptName = (typeof SCRIPT_NAMES)[number];

/** What the loader hands over: the app, and every definition of a component that it reaches. */
export type AppBundle = DefinitionBundle & {
  /** `code` and `sourceMap` of the modules that start with "use node"; their packages are not bundled. */
  readonly node: { readonly code: string; readonly sourceMap: string } | null;
  readonly nodeModules: readonly string[];
  readonly hasAuthConfig: boolean;
  readonly components: readonly DefinitionBundle[];
  /** What evaluating all modules has told in another process: {@link AppDeclarations} as JSON. */
  readonly declarations?: string;
};

export const SCHEMA_MODULE = "schema.js";
export const AUTH_CONFIG_MODULE = "auth.config.js";
export const CONFIG_MODULE = "convex.config.js";
export const CRONS_MODULE = "crons.js";
export const HTTP_MODULE = "http.js";

/** The operation by which convex.config has another definition, known by its path, instead of importing its module. */
export const IMPORT_DEFINITION = "importDefinition";

export type ModuleTable = Record<string, () => Record<string, unknown>>;

/** The name under which a bundle's code shows in stack traces: that of another bundle is none of its business. */
export function bundleFile({ definitionPath }: Pick<DefinitionBundle, "definitionPath">): string {
  if (definitionPath === "") return "convex-app.js";
  return `convex-component-${Buffer.from(definitionPath).toString("base64url")}.js`;
}
