/** Makes one script of the modules that the official command line has bundled and pushed. */
import { builtinModules } from "node:module";
import path from "node:path";
import type { Plugin } from "esbuild";
import type { Bundle } from "./bundle";
import { DEFINITION_NAMESPACE, loadDefinitions } from "./componentImports";
import { asyncHooks, bundleTable } from "./esbuild";

/** A module as it is pushed: `source` is an ES module whose packages are bundled into it or into other modules of the push. */
export type PushedModule = {
  /** The definition of a component that it is part of, as the bundler names it; "" for the app's own. */
  readonly definitionPath: string;
  /** Such as "meetings/lifecycle.js". */
  readonly path: string;
  readonly source: string;
  readonly sourceMap: string | null;
  readonly environment: "isolate" | "node";
};

export const SCHEMA_PATH = "schema.js";
export const CONFIG_PATH = "convex.config.js";
const AUTH_CONFIG_PATH = "auth.config.js";
/** What the official bundler has convex.config import in the place of another one: the path of that definition, in base64url. */
const DEFINITION_IMPORT = /^\.\/_componentDeps\/([\w-]+)$/;
/** Where the official bundler puts what several modules share. */
const SHARED_FOLDER = "_deps/";

/** Bundles the modules of an app and of its components, schemas and convex.config among them. Throws `BundleError`. */
export async function bundlePushed(modules: readonly PushedModule[]): Promise<Bundle> {
  const byDefinition = new Map<string, PushedModule[]>([["", []]]);
  for (const module of modules) {
    const { definitionPath } = module;
    byDefinition.set(definitionPath, [...(byDefinition.get(definitionPath) ?? []), module]);
  }
  const { "": app, ...components } = Object.fromEntries(
    await Promise.all(
      [...byDefinition].map(async ([path, own]) => [path, await bundleDefinition(path, own)] as const),
    ),
  );
  const sorted = Object.values(components).sort((a, b) => (a.definitionPath < b.definitionPath ? -1 : 1));
  return { ...(app ?? EMPTY_BUNDLE), components: sorted };
}

async function bundleDefinition(
  definitionPath: string,
  modules: readonly PushedModule[],
): Promise<Omit<Bundle, "components">> {
  const own = modules.filter((module) => !module.path.startsWith(SHARED_FOLDER));
  const paths = (environment: PushedModule["environment"]) =>
    own.filter((module) => module.environment === environment).map((module) => module.path);
  const isolate = modules.filter((module) => module.environment === "isolate");
  const node = modules.filter((module) => module.environment === "node");
  const [isolateBundle, nodeBundle] = await Promise.all([
    bundleTable(paths("isolate"), { platform: "browser", plugins: [asyncHooks, pushedFiles(isolate)] }),
    paths("node").length > 0
      ? bundleTable(paths("node"), { platform: "node", plugins: [nodeBuiltins, pushedFiles(node)] })
      : null,
  ]);
  const all = own.map((module) => module.path);
  return {
    ...isolateBundle,
    definitionPath,
    node: nodeBundle,
    functionModules: all.filter((file) => ![SCHEMA_PATH, AUTH_CONFIG_PATH, CONFIG_PATH].includes(file)),
    nodeModules: paths("node"),
    hasSchema: all.includes(SCHEMA_PATH),
    hasConfig: all.includes(CONFIG_PATH),
    hasAuthConfig: all.includes(AUTH_CONFIG_PATH),
  };
}

/** An app without any module: that of a deployment to which nothing was pushed yet. */
export const EMPTY_BUNDLE: Bundle = {
  definitionPath: "",
  code: "exports.modules = {};",
  sourceMap: '{"version":3,"sources":[],"names":[],"mappings":""}',
  node: null,
  functionModules: [],
  nodeModules: [],
  hasSchema: false,
  hasConfig: false,
  hasAuthConfig: false,
  components: [],
};

const NAMESPACE = "pushed";

/** Finds modules among those that were pushed, and nowhere else: a push reads no file of this machine. */
function pushedFiles(modules: readonly PushedModule[]): Plugin {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  return {
    name: "pushed-files",
    setup(plugin) {
      plugin.onResolve({ filter: /.*/ }, ({ path: written, importer, namespace }) => {
        const definition = importer === CONFIG_PATH ? DEFINITION_IMPORT.exec(written)?.[1] : undefined;
        if (definition !== undefined) {
          return { path: Buffer.from(definition, "base64url").toString(), namespace: DEFINITION_NAMESPACE };
        }
        const from = namespace === NAMESPACE ? path.posix.dirname(importer) : "";
        const found = path.posix.join(from, written);
        if (!written.startsWith(".") || !byPath.has(found)) {
          return { errors: [{ text: `Could not find ${JSON.stringify(written)} among the pushed modules` }] };
        }
        return { path: found, namespace: NAMESPACE };
      });
      loadDefinitions(plugin);
      plugin.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path: file }) => {
        const { source, sourceMap } = byPath.get(file) as PushedModule;
        const map = sourceMap === null ? null : fromAppFolder(sourceMap, path.posix.dirname(file));
        const comment = map === null ? "" : `\n//# sourceMappingURL=${dataUrl(map)}`;
        return { contents: source + comment, loader: "js" };
      });
    },
  };
}

/** A source map whose sources are relative to a folder, with them relative to the app's own; `null` for what is none. */
function fromAppFolder(sourceMap: string, folder: string): string | null {
  try {
    const map = JSON.parse(sourceMap) as { sources: string[] };
    return JSON.stringify({ ...map, sources: map.sources.map((source) => path.posix.join(folder, source)) });
  } catch {
    return null;
  }
}

function dataUrl(sourceMap: string): string {
  return `data:application/json;base64,${Buffer.from(sourceMap).toString("base64")}`;
}

const nodeBuiltins: Plugin = {
  name: "node-builtins",
  setup(plugin) {
    const builtin = new Set(builtinModules);
    plugin.onResolve({ filter: /^[^.]/ }, ({ path: name }) =>
      name.startsWith("node:") || builtin.has(name) ? { path: name, external: true } : undefined,
    );
  },
};
