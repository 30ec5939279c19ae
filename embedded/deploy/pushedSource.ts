import { createHash } from "node:crypto";
import path from "node:path";
import { BuildFile } from "../loader/buildFile.js";
import type { Bundle } from "../loader/bundle";
import { bundleDependencies, BundleFile, type Built } from "../loader/bundleFile";
import type { Learned } from "../loader/keptBundle";
import { bundlePushed } from "../loader/pushedModules";
import type { Source } from "../loader/sources.js";
import type { Database } from "../transaction/database";
import { readKeptApp, type KeptApp } from "./keptApp";

/**
 * The app that was pushed last, as a deployment has it in its database. Its bundle is kept in a folder until another one is pushed or
 * the runtime changes, and with it what is learned of it.
 */
export class PushedSource {
  readonly #file: BundleFile;
  /** The runtime's files when it was started. */
  #sources: readonly Source[] | null = null;
  #last: Built | null = null;

  constructor(
    private readonly database: Database,
    cacheFolder: string,
  ) {
    this.#file = new BundleFile(new BuildFile(path.join(cacheFolder, "pushed"), {}));
  }

  /** Its bundle, for the start of a server; `null` when nothing was pushed yet. */
  async bundle(): Promise<Bundle | null> {
    const kept = this.#file.read();
    this.#sources = kept?.sources ?? this.#recordRuntime();
    const app = readKeptApp(this.database);
    if (app === null) return null;
    const origin = originOf(app);
    this.#last = (kept?.origin === origin ? kept.read() : null) ?? {
      bundle: await bundlePushed([...app.modules.values()]),
      sources: this.#sources,
      origin,
      isKept: false,
    };
    return this.#last.bundle;
  }

  /** Keeps what was learned of the app in force, which is the one that was pushed last, if there is more than is kept. */
  keep(bundle: Bundle, learned: Learned): void {
    const built = this.#last?.bundle === bundle ? this.#last : this.#pushedSince(bundle);
    this.#last = built && this.#file.keep(built, learned);
  }

  #pushedSince(bundle: Bundle): Built | null {
    const app = readKeptApp(this.database);
    return app && { bundle, sources: this.#sources, origin: originOf(app), isKept: false };
  }

  #recordRuntime(): readonly Source[] | null {
    const draft = this.#file.begin();
    const sources = draft?.record(bundleDependencies([], [])) ?? null;
    draft?.discard();
    return sources;
  }
}

/** The modules of an app, in a few characters that differ when one of them does. */
function originOf({ modules }: KeptApp): string {
  const all = [...modules].map(([key, { sha256, environment }]) => [key, sha256, environment]);
  return createHash("sha256")
    .update(JSON.stringify(all.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1))))
    .digest("base64");
}
