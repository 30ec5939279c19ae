// @ts-check
/** Makes one script of scripts/server.ts and all that it imports. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

/** Modules go on finding what lies beside their sources: files, and native code. @type {import("esbuild").Plugin} */
const ownUrls = {
  name: "own-urls",
  setup(plugin) {
    plugin.onLoad({ filter: /[\\/](embedded|scripts|lmdb)[\\/].*\.[jt]s$/ }, async ({ path: file }) => {
      const source = await readFile(file, "utf8");
      const url = JSON.stringify(pathToFileURL(file).href);
      return { contents: source.replaceAll("import.meta.url", url), loader: "ts" };
    });
  },
};

/**
 * `code`: the body of a CommonJS module. `inputs`: the absolute paths of the files of which it was made.
 *
 * @param {string} project
 * @param {string} entry
 */
export async function compileServer(project, entry) {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    absWorkingDir: project,
    outfile: path.join(project, "server.js"),
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    // A script that is no file can't import.
    supported: { "dynamic-import": false },
    // Only needed when the app has to be bundled.
    external: ["esbuild"],
    plugins: [ownUrls],
    sourcemap: "external",
    sourcesContent: false,
    legalComments: "none",
    logLevel: "error",
  });
  /** @param {string} extension */
  const text = (extension) => outputFiles.find((file) => file.path.endsWith(extension))?.text ?? "";
  return {
    code: text(".js"),
    sourceMap: text(".map"),
    inputs: Object.keys(metafile.inputs).map((file) => path.join(project, file)),
  };
}
