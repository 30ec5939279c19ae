import { createHash } from "node:crypto";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { BuildFile } from "./buildFile.js";
import { bundleApp, type Bundle } from "./bundle";
import { Inputs } from "./inputs";
import { partsOf, readBundle, type Learned } from "./keptBundle";
import { dependenciesOf, type Source } from "./sources.js";

/** The runtime itself: another version of it may bundle, compile or read an app in another way. */
const RUNTIME_FOLDER = fileURLToPath(new URL("..", import.meta.url));

/** A bundle, what it was made from (null when that can't be said), and whether a file holds it as it is. */
type Built = {
  readonly bundle: Bundle;
  readonly sources: readonly Source[] | null;
  readonly isKept: boolean;
};

/**
 * The folder of an app, as it is. With a folder for a cache, its bundle is kept there until the app or the runtime changes, and
 * with it what is learned of it.
 */
export class AppSource {
  readonly folder: string;
  readonly #file: BuildFile | null;
  #last: Built | null = null;

  constructor(folder: string, cacheFolder: string | null) {
    this.folder = path.resolve(folder);
    const name = `app-${createHash("sha256").update(this.folder).digest("hex").slice(0, 16)}`;
    this.#file =
      cacheFolder === null ? null : new BuildFile(path.join(cacheFolder, name), { app: this.folder });
  }

  /** The bundle of the folder as it is. Throws `BundleError`. */
  async bundle(): Promise<Bundle> {
    this.#last = this.#readKept() ?? (await this.#build());
    return this.#last.bundle;
  }

  /** Keeps what was learned of the bundle that was given last, if there is more than is kept. */
  keep(bundle: Bundle, learned: Learned): void {
    const built = this.#last;
    if (built?.bundle !== bundle || !built.sources) return;
    if (built.isKept && bundle.declarations === learned.declarations && !learned.isV8CodeRejected) return;
    const draft = this.#file?.begin();
    const sources = draft?.renew(built.sources) ?? null;
    draft?.keep(sources, partsOf(bundle, learned));
    this.#last = { bundle, sources, isKept: true };
  }

  #readKept(): Built | null {
    const kept = this.#file?.read();
    const bundle = kept && readBundle(kept);
    return bundle ? { bundle, sources: kept.sources, isKept: !kept.isTouched } : null;
  }

  async #build(): Promise<Built> {
    const draft = this.#file?.begin() ?? null;
    try {
      const inputs = new Inputs();
      const bundle = await bundleApp(this.folder, inputs);
      const paths = draft && dependenciesOf(inputs.files, [...inputs.folders, RUNTIME_FOLDER]);
      const sources = paths && (draft?.record(paths) ?? null);
      draft?.keep(sources, partsOf(bundle, null));
      return { bundle, sources, isKept: false };
    } catch (error) {
      draft?.discard();
      throw error;
    }
  }
}
