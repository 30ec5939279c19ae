import { createHash } from "node:crypto";
import path from "node:path";
import { BuildFile } from "./buildFile.js";
import { bundleApp, type Bundle } from "./bundle";
import { bundleDependencies, BundleFile, type Built } from "./bundleFile";
import { Inputs } from "./inputs";
import { partsOf, type Learned } from "./keptBundle";

/** It is made of files alone. */
const NO_ORIGIN = "";

/**
 * The folder of an app, as it is. With a folder for a cache, its bundle is kept there until the app or the runtime changes, and
 * with it what is learned of it.
 */
export class AppSource {
  readonly folder: string;
  readonly #file: BundleFile;
  #last: Built | null = null;

  constructor(folder: string, cacheFolder: string | null) {
    this.folder = path.resolve(folder);
    const name = `app-${createHash("sha256").update(this.folder).digest("hex").slice(0, 16)}`;
    this.#file = new BundleFile(
      cacheFolder === null ? null : new BuildFile(path.join(cacheFolder, name), { app: this.folder }),
    );
  }

  /** The bundle of the folder as it is. Throws `BundleError`. */
  async bundle(): Promise<Bundle> {
    this.#last = this.#file.read()?.read() ?? (await this.#build());
    return this.#last.bundle;
  }

  /** Keeps what was learned of the bundle that was given last, if there is more than is kept. */
  keep(bundle: Bundle, learned: Learned): void {
    if (this.#last?.bundle === bundle) this.#last = this.#file.keep(this.#last, learned);
  }

  async #build(): Promise<Built> {
    const draft = this.#file.begin();
    try {
      const inputs = new Inputs();
      const bundle = await bundleApp(this.folder, inputs);
      const sources = draft?.record(bundleDependencies(inputs.files, inputs.folders)) ?? null;
      draft?.keep(sources, partsOf(bundle, NO_ORIGIN, null));
      return { bundle, sources, origin: NO_ORIGIN, isKept: false };
    } catch (error) {
      draft?.discard();
      throw error;
    }
  }
}
