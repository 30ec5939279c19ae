/** Bundles an app's folder, and the components that it uses, by the rules of the official bundler (convex/src/bundler). */
import { existsSync } from "node:fs";
import path from "node:path";
import type { BuildOptions } from "esbuild";
import { componentImports, definitionPath } from "./componentImports";
import { convexPackage } from "./convexPackage";
import { configFile, entryPoints, hasUseNode } from "./entryPoints";
import { asyncHooks, BundleError, bundleFiles, modulePath } from "./esbuild";
import { collectInputs, Inputs } from "./inputs";

export { BundleError } from "./esbuild";

/** What `functions/bundle.ts` takes as a definition. */
export type DefinitionBundle = {
  readonly definitionPath: string;
  readonly code: string;
  readonly sourceMap: string;
  readonly functionModules: readonly string[];
  readonly hasSchema: boolean;
  readonly hasConfig: boolean;
  v8Code?(script: string): Uint8Array | null;
};

/** What `functions/bundle.ts` takes as an app. */
export type Bundle = DefinitionBundle & {
  readonly node: { readonly code: string; readonly sourceMap: string } | null;
  readonly nodeModules: readonly string[];
  readonly hasAuthConfig: boolean;
  readonly components: readonly DefinitionBundle[];
  readonly declarations?: string;
};

/**
 * Bundles the app in `folder` (usually `convex/`) with its components. Throws {@link BundleError}. `inputs` is told what it is made from.
 */
export async function bundleApp(folder: string, inputs = new Inputs()): Promise<Bundle> {
  const root = path.resolve(folder);
  if (!existsSync(root)) throw new BundleError(`There is no folder ${root} to load an app from`);
  inputs.folders.add(root);
  const entries = [...entryPoints(root)];
  const authConfig = configFile(root, "auth.config");
  const nodeFiles = entries.filter((file) => hasUseNode(root, file));
  const isolateFiles = entries.filter((file) => !nodeFiles.includes(file));
  const components = new Components(root, inputs);
  const [definition, node] = await Promise.all([
    bundleDefinition(components, root, isolateFiles, authConfig === null ? [] : [authConfig]),
    nodeFiles.length > 0
      ? bundleFiles(root, nodeFiles, {
          platform: "node",
          packages: "external",
          plugins: [collectInputs(inputs)],
        })
      : null,
  ]);
  return {
    ...definition,
    functionModules: entries.map(modulePath),
    node,
    nodeModules: nodeFiles.map(modulePath),
    hasAuthConfig: authConfig !== null,
    components: await components.all(),
  };
}

/** The components of an app, each bundled as soon as it is met, however often that is. */
class Components {
  readonly #bundles = new Map<string, Promise<DefinitionBundle>>();

  constructor(
    private readonly appFolder: string,
    private readonly inputs: Inputs,
  ) {}

  definitionPath(folder: string): string {
    return definitionPath(this.appFolder, folder);
  }

  /** Settings for a build that may meet components. */
  get options(): BuildOptions {
    return {
      platform: "browser",
      plugins: [
        asyncHooks,
        convexPackage,
        componentImports(this.appFolder, this.#meet),
        collectInputs(this.inputs),
      ],
    };
  }

  /** The bundles of all that were met, also while others were bundled; sorted by their paths. */
  async all(): Promise<DefinitionBundle[]> {
    const bundles: DefinitionBundle[] = [];
    // A map goes on to entries that come while it is iterated.
    for (const bundle of this.#bundles.values()) bundles.push(await bundle);
    return bundles.sort((a, b) => (a.definitionPath < b.definitionPath ? -1 : 1));
  }

  readonly #meet = (folder: string): void => {
    if (this.#bundles.has(folder)) return;
    const bundle = this.#bundle(folder);
    this.#bundles.set(folder, bundle);
    // It is awaited later: until then its failure is not unhandled.
    bundle.catch(() => undefined);
  };

  async #bundle(folder: string): Promise<DefinitionBundle> {
    this.inputs.folders.add(folder);
    const entries = [...entryPoints(folder)];
    const nodeFile = entries.find((file) => hasUseNode(folder, file));
    if (nodeFile !== undefined) {
      throw new BundleError(
        `"use node" directive is not supported in components. Remove it from the component at: ${path.join(folder, nodeFile)}.`,
      );
    }
    return bundleDefinition(this, folder, entries, []);
  }
}

async function bundleDefinition(
  components: Components,
  root: string,
  entries: readonly string[],
  more: readonly string[],
): Promise<DefinitionBundle> {
  const schema = configFile(root, "schema");
  const config = configFile(root, "convex.config");
  const configs = [schema, config].filter((file) => file !== null);
  return {
    ...(await bundleFiles(root, [...entries, ...configs, ...more], components.options)),
    definitionPath: components.definitionPath(root),
    functionModules: entries.map(modulePath),
    hasSchema: schema !== null,
    hasConfig: config !== null,
  };
}
