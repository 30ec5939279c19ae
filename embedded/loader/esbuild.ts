/** Makes one script of many modules. */
import path from "node:path";
import type { BuildFailure, BuildOptions, Message, Plugin } from "esbuild";
import { TABLE_FILE } from "./inputs";

/** The app can't be bundled. The message is one line that names the file and the place. */
export class BundleError extends Error {
  override readonly name = "BundleError";
}

/** A script, and its source map as JSON. */
export type Script = { code: string; sourceMap: string };

/** Bundles files of the folder `root` into one script, by the settings of the official bundler. Throws {@link BundleError}. */
export function bundleFiles(root: string, files: readonly string[], options: BuildOptions): Promise<Script> {
  const project = path.dirname(root);
  return bundleTable(
    files,
    { ...options, absWorkingDir: project },
    root,
    path.join(project, "out", "app.js"),
  );
}

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
  // Only here, as a start that has a bundle does without.
  const { build } = await import("esbuild");
  try {
    const result = await build({
      stdin: {
        contents: `exports.modules = {${table.join(",\n")}};`,
        resolveDir: root,
        sourcefile: TABLE_FILE,
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

/** "meetings/lifecycle.ts" is the module "meetings/lifecycle.js". */
export function modulePath(file: string): string {
  return `${file.slice(0, -path.extname(file).length)}.js`;
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
