import path from "node:path";
import type { Plugin, PluginBuild } from "esbuild";

/** Marks what this plugin resolves itself, so that it is not asked again. */
const RESOLVING = Symbol("resolving");

/** The runtime's own operation for it; see functions/bundle.ts. */
const IMPORT_DEFINITION = "importDefinition";

/**
 * In the place of the convex.config of a component, which only the component itself has, an importing convex.config gets
 * what the runtime gives for it. `found` is told the folder of each component that is imported.
 */
export function componentImports(appFolder: string, found: (folder: string) => void): Plugin {
  return {
    name: "component-imports",
    setup(plugin) {
      plugin.onResolve(
        { filter: /convex\.config/ },
        async ({ path: specifier, kind, importer, resolveDir, pluginData }) => {
          if (pluginData === RESOLVING || !/[\\/]convex\.config\.[jt]s$/.test(importer)) return undefined;
          for (const candidate of candidates(specifier)) {
            const options = { kind, importer, resolveDir, pluginData: RESOLVING };
            const { path: file, errors } = await plugin.resolve(candidate, options);
            if (errors.length > 0) continue;
            const folder = path.dirname(file);
            found(folder);
            return { path: definitionPath(appFolder, folder), namespace: DEFINITION_NAMESPACE };
          }
          return undefined;
        },
      );
      loadDefinitions(plugin);
    },
  };
}

/** Where imports of definitions are resolved to: to the path of the definition. */
export const DEFINITION_NAMESPACE = "definition";

/** Makes a plugin give what is in {@link DEFINITION_NAMESPACE}. */
export function loadDefinitions(plugin: PluginBuild): void {
  plugin.onLoad({ filter: /.*/, namespace: DEFINITION_NAMESPACE }, ({ path: definition }) => ({
    contents: `export default JSON.parse(Convex.syscall("${IMPORT_DEFINITION}", ${JSON.stringify(definition)}));`,
    loader: "js",
  }));
}

/** How a definition is known: its folder, relative to the app's, with forward slashes. */
export function definitionPath(appFolder: string, folder: string): string {
  return path.relative(appFolder, folder).split(path.sep).join(path.posix.sep);
}

/** TypeScript is imported under the name of the JavaScript that it will be. */
function candidates(specifier: string): string[] {
  const extension = path.extname(specifier);
  if (extension === ".js") return [specifier, `${specifier.slice(0, -extension.length)}.ts`];
  return extension === ".ts" ? [specifier] : [specifier, `${specifier}.js`, `${specifier}.ts`];
}
