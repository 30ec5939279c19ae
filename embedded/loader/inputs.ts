import path from "node:path";
import type { Plugin } from "esbuild";

/** What the script is called that imports all others. */
export const TABLE_FILE = "_app.js";

/** What a bundle is made from, by absolute paths: `files`, and all that lies in `folders`. */
export class Inputs {
  readonly files = new Set<string>();
  readonly folders = new Set<string>();
}

/** Adds all files that a build has read. */
export function collectInputs({ files }: Inputs): Plugin {
  return {
    name: "collect-inputs",
    setup(plugin) {
      plugin.initialOptions.metafile = true;
      const { absWorkingDir = process.cwd() } = plugin.initialOptions;
      plugin.onEnd(({ metafile }) => {
        for (const input of Object.keys(metafile?.inputs ?? {})) {
          // What a plugin makes up has a prefix.
          if (input !== TABLE_FILE && !/^[\w-]{2,}:/.test(input))
            files.add(path.resolve(absWorkingDir, input));
        }
      });
    },
  };
}
