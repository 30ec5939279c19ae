import type { Authentication } from "./authentication";
import { parseAuthConfig } from "./auth/providers";
import type { AppSlot, LoadedApp } from "./deploy/appSlot";
import type { DeploymentEnvironment, VariableChange } from "./environment";
import type { Runtime } from "./functions/runtime";
import { Turns } from "./functions/turns";
import { ApiError } from "./http/apiError";
import type { AppSource } from "./loader/appSource";
import type { Bundle } from "./loader/bundle";
import { EMPTY_BUNDLE } from "./loader/pushedModules";
import { watchFolder } from "./loader/watch";
import { explainStartFailure } from "./startError";
import type { LiveQueries } from "./sync/liveQueries";
import type { IndexBuild } from "./transaction/indexBuild";

type Parts = {
  readonly runtime: Runtime;
  readonly environment: DeploymentEnvironment;
  readonly authentication: Authentication;
  readonly liveQueries: LiveQueries;
};

/** After a start there is more to do at first; and then what V8 has compiled is what is really called. */
const KEEP_AFTER_MS = 500;

/**
 * Puts the app into force, and again when its folder or its environment has changed or one was pushed: one after the other,
 * never two at once. What can't be loaded leaves in force what was.
 */
export class AppLoading implements AppSlot {
  /** To be done whenever another version of the app has come into force. */
  onReloaded: () => Promise<void> = () => Promise.resolve();
  #inForce: LoadedApp | null = null;
  readonly #turns = new Turns();
  #keeping: NodeJS.Timeout | undefined;

  constructor(private readonly parts: Parts) {}

  get inForce(): LoadedApp {
    if (this.#inForce === null) throw new Error("No app is loaded yet");
    return this.#inForce;
  }

  get variables(): Readonly<Record<string, string>> {
    return this.parts.environment.variables;
  }

  /** Loads a bundle of the app. Rejects with what `explainStartFailure` explains. */
  async load(bundle: Bundle): Promise<void> {
    const loaded = this.prepare(bundle);
    const { runtime } = this.parts;
    if (this.#inForce?.app.schemas === loaded.app.schemas) {
      // Nothing is to be checked or built, so a push that does that goes on.
      runtime.replace(loaded.app);
      this.#use(loaded);
      return this.onReloaded();
    }
    const build = runtime.begin(loaded.app);
    await build.done;
    await this.adopt(loaded, build);
  }

  /** Begins without an app, until one is pushed. The database stays as it is. */
  loadNothing(): void {
    const loaded = this.prepare(EMPTY_BUNDLE);
    this.parts.runtime.adoptWithoutSchema(loaded.app);
    this.#inForce = loaded;
  }

  prepare(bundle: Bundle): LoadedApp {
    const app = this.parts.runtime.prepare(bundle, this.variables);
    return { app, providers: app.authConfig === null ? [] : parseAuthConfig(JSON.parse(app.authConfig)) };
  }

  begin({ app }: LoadedApp): IndexBuild {
    return this.parts.runtime.begin(app);
  }

  async adopt(
    loaded: LoadedApp,
    build: IndexBuild,
    writes: readonly (readonly [string, string | null])[] = [],
  ): Promise<void> {
    const before = this.#inForce;
    const adopted = this.parts.runtime.adopt(loaded.app, build, writes);
    // With the app, not after it: no call may see the one with the other's providers.
    this.#use(loaded);
    try {
      await adopted;
    } catch (error) {
      if (before) this.#use(before);
      throw error;
    }
    await this.onReloaded();
  }

  /** Changes the environment and loads the app with it. Throws {@link ApiError} and changes nothing if that can't be. */
  async setEnvironment(changes: readonly VariableChange[]): Promise<void> {
    const { runtime, environment } = this.parts;
    try {
      await this.inTurn(() => environment.update(changes, () => this.load(runtime.app.bundle)));
    } catch (error) {
      throw new ApiError(400, "InvalidEnvironment", describe(error));
    }
  }

  /** Loads the app anew whenever its folder changes, and tells how that went. Gives what ends it. */
  watch(
    source: AppSource,
    onReload: (result: { readonly problem: string | null }) => void,
  ): () => Promise<void> {
    return watchFolder(source.folder, async () => {
      try {
        await this.inTurn(async () => this.load(await source.bundle()));
      } catch (error) {
        return onReload({ problem: describe(error) });
      }
      this.keep(source);
      onReload({ problem: null });
    });
  }

  /** Has the source of the app in force keep, a little later, what was learned by loading it. */
  keep(source: Pick<AppSource, "keep">): void {
    clearTimeout(this.#keeping);
    this.#keeping = setTimeout(() => {
      const { app } = this.inForce;
      source.keep(app.bundle, app.learned);
    }, KEEP_AFTER_MS).unref();
  }

  /** Keeps nothing any more. */
  close(): void {
    clearTimeout(this.#keeping);
  }

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.next(work);
  }

  #use(loaded: LoadedApp): void {
    const { authentication, liveQueries } = this.parts;
    this.#inForce = loaded;
    authentication.use(loaded.providers);
    liveQueries.rerunAll();
  }
}

function describe(error: unknown): string {
  const explained = explainStartFailure(error);
  return explained instanceof Error ? explained.message : String(explained);
}
