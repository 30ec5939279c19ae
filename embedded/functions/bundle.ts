/** What the loader hands over: the app as one script, and how to find a place of it in its sources. */
export type AppBundle = {
  /**
   * The body of a CommonJS module. It sets `module.exports.modules` to an object from module path ("meetings/lifecycle.js")
   * to a function that evaluates the module, once, and gives its exports.
   */
  readonly code: string;
  /** Source map (version 3) of `code`, as JSON. Its sources are relative to a folder beside the app's own. */
  readonly sourceMap: string;
  /** The same for the modules that start with "use node"; their packages are not bundled. */
  readonly node: { readonly code: string; readonly sourceMap: string } | null;
  /** Paths of the modules that may hold functions. */
  readonly functionModules: readonly string[];
  readonly nodeModules: readonly string[];
  readonly hasSchema: boolean;
  readonly hasAuthConfig: boolean;
};

export const SCHEMA_MODULE = "schema.js";
export const AUTH_CONFIG_MODULE = "auth.config.js";
export const CRONS_MODULE = "crons.js";
export const HTTP_MODULE = "http.js";

export type ModuleTable = Record<string, () => Record<string, unknown>>;

/** The name under which the bundle's code shows in stack traces. */
export const BUNDLE_FILE = "convex-app.js";
