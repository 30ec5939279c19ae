/** Bundles an app's folder by the rules of the official bundler (convex/src/bundler), but into one script. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { build, type BuildFailure, type BuildOptions, type Message, type Plugin } from "esbuild";

/** The app can't be bundled. The message is one line that names the file and the place. */
export class BundleError extends Error {
  override readonly name = "BundleError";
}

/** What `functions/bundle.ts` takes as an app. */
export type Bundle = {
  readonly code: string;
  readonly sourceMap: string;
  readonly node: { readonly code: string; readonly sourceMap: string } | null;
  readonly functionModules: readonly string[];
  readonly nodeModules: readonly string[];
  readonly hasSchema: boolean;
  readonly hasAuthConfig: boolean;
};

const EXTENSIONS = [".js", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".jsx"];

/** Bundles the app in `folder` (usually `convex/`). Throws {@link BundleError}. */
export async function bundleApp(folder: string): Promise<Bundle> {
  const root = path.resolve(folder);
  if (!existsSync(root)) throw new BundleError(`There is no folder ${root} to load an app from`);
  const entries = [...entryPoints(root)];
  const schema = configFile(root, "schema");
  const authConfig = configFile(root, "auth.config");
  const isNode = (file: string) => hasUseNode(readFileSync(path.join(root, file), "utf8"));
  const nodeFiles = entries.filter(isNode);
  const isolateFiles = entries.filter((file) => !nodeFiles.includes(file));
  const config = [schema, authConfig].filter((file) => file !== null);
  const [isolate, node] = await Promise.all([
    bundleFiles(root, [...isolateFiles, ...config], { platform: "browser", plugins: [asyncHooks] }),
    nodeFiles.length > 0 ? bundleFiles(root, nodeFiles, { platform: "node", packages: "external" }) : null,
  ]);
  return {
    ...isolate,
    node,
    functionModules: entries.map(modulePath),
    nodeModules: nodeFiles.map(modulePath),
    hasSchema: schema !== null,
    hasAuthConfig: authConfig !== null,
  };
}

/** The files of the app that are modules of it, relative to its folder, sorted. */
function* entryPoints(root: string, folder = ""): Generator<string, void, undefined> {
  const here = readdirSync(path.join(root, folder), { withFileTypes: true });
  for (const entry of here.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) {
      const isComponent = existsSync(path.join(root, file, "convex.config.ts"));
      if (file !== "_generated" && entry.name !== "node_modules" && !isComponent)
        yield* entryPoints(root, file);
    } else if (entry.isFile() && isModule(root, file)) {
      yield file;
    }
  }
}

function isModule(root: string, file: string): boolean {
  const name = path.basename(file);
  const extension = path.extname(file);
  if (!EXTENSIONS.includes(extension)) return false;
  if (name.startsWith(".") || name.startsWith("#") || file.includes(" ")) return false;
  if (name === "schema.ts" || name === "schema.js") return false;
  if (name.split(".").length > 2) return false;
  // A TypeScript file without import or export is not a module.
  return (
    !extension.startsWith(".ts") || /^\s*(import|export)/m.test(readFileSync(path.join(root, file), "utf8"))
  );
}

function configFile(root: string, name: string): string | null {
  return [`${name}.ts`, `${name}.js`].find((file) => existsSync(path.join(root, file))) ?? null;
}

function hasUseNode(source: string): boolean {
  return /^(?:\s|\/\/.*|\/\*[\s\S]*?\*\/)*["']use node["']/.test(source);
}

/** "meetings/lifecycle.ts" is the module "meetings/lifecycle.js". */
function modulePath(file: string): string {
  return `${file.slice(0, -path.extname(file).length)}.js`;
}

function bundleFiles(root: string, files: readonly string[], options: BuildOptions): Promise<Script> {
  const project = path.dirname(root);
  return bundleTable(
    files,
    { ...options, absWorkingDir: project },
    root,
    path.join(project, "out", "app.js"),
  );
}

/** A script, and its source map as JSON. */
type Script = { code: string; sourceMap: string };

/**
 * Bundles files into a script that sets `exports.modules`, see `functions/bundle.ts`. Throws {@link BundleError}.
 * `root`: the folder in which the files are found.
 */
export async function bundleTable(
  files: readonly string[],
  options: BuildOptions,
  root = process.cwd(),
  outfile = path.join(root, "app.js"),
): Promise<Script> {
  const table = files.map(
    (file) => `${JSON.stringify(modulePath(file))}: () => require(${JSON.stringify(`./${file}`)})`,
  );
  try {
    const result = await build({
      stdin: {
        contents: `exports.modules = {${table.join(",\n")}};`,
        resolveDir: root,
        sourcefile: "_app.js",
      },
      bundle: true,
      write: false,
      outfile,
      format: "cjs",
      target: "esnext",
      jsx: "automatic",
      conditions: ["convex", "module"],
      treeShaking: true,
      define: { "process.env.NODE_ENV": '"production"' },
      sourcemap: "external",
      sourcesContent: false,
      logLevel: "silent",
      ...options,
    });
    const text = (extension: string) =>
      result.outputFiles?.find((file) => file.path.endsWith(extension))?.text ?? "";
    return { code: text(".js"), sourceMap: text(".map") };
  } catch (error) {
    const [first] = (error as Partial<BuildFailure>).errors ?? [];
    throw first ? new BundleError(describe(first)) : error;
  }
}

function describe({ text, location }: Message): string {
  return location ? `${location.file}:${location.line}:${location.column + 1}: ${text}` : text;
}

/** Convex's runtime offers `AsyncLocalStorage` as a global; packages import it from Node's module. */
export const asyncHooks: Plugin = {
  name: "async-hooks",
  setup(plugin) {
    plugin.onResolve({ filter: /^(node:)?async_hooks$/ }, ({ path: file }) => ({
      path: file,
      namespace: "async-hooks",
    }));
    plugin.onLoad({ filter: /.*/, namespace: "async-hooks" }, () => ({
      contents:
        "export const { AsyncLocalStorage, AsyncResource } = globalThis; export default { AsyncLocalStorage, AsyncResource };",
      loader: "js",
    }));
  },
};
