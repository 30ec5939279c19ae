import type { Authentication } from "./authentication";
import { parseAuthConfig } from "./auth/providers";
import type { DeploymentEnvironment, VariableChange } from "./environment";
import type { Runtime } from "./functions/runtime";
import { ApiError } from "./http/apiError";
import { bundleApp, type Bundle } from "./loader/bundle";
import { watchFolder } from "./loader/watch";
import { explainStartFailure } from "./startError";
import type { LiveQueries } from "./sync/liveQueries";

type Parts = {
  readonly appFolder: string;
  readonly runtime: Runtime;
  readonly environment: DeploymentEnvironment;
  readonly authentication: Authentication;
  readonly liveQueries: LiveQueries;
};

/**
 * Puts the app into force, and again when its folder or its environment has changed: one after the other, never two at once.
 * What can't be loaded leaves in force what was.
 */
export class AppLoading {
  /** To be done whenever another version of the app has come into force. */
  onReloaded: () => Promise<void> = () => Promise.resolve();
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: Parts) {}

  /** Loads a bundle of the app. Rejects with what `explainStartFailure` explains. */
  async load(bundle: Bundle): Promise<void> {
    const { runtime, environment, authentication, liveQueries } = this.parts;
    const app = runtime.prepare(bundle, environment.variables);
    const providers = app.authConfig === null ? [] : parseAuthConfig(JSON.parse(app.authConfig));
    await runtime.use(app);
    authentication.use(providers);
    liveQueries.rerunAll();
  }

  /** Changes the environment and loads the app with it. Throws {@link ApiError} and changes nothing if that can't be. */
  async setEnvironment(changes: readonly VariableChange[]): Promise<void> {
    const { runtime, environment } = this.parts;
    try {
      await this.#inTurn(() => environment.update(changes, () => this.#reload(runtime.app.bundle)));
    } catch (error) {
      throw new ApiError(400, "InvalidEnvironment", describe(error));
    }
  }

  /** Loads the app anew whenever its folder changes, and tells how that went. Gives what ends it. */
  watch(onReload: (result: { readonly problem: string | null }) => void): () => Promise<void> {
    const { appFolder } = this.parts;
    return watchFolder(appFolder, async () => {
      try {
        await this.#inTurn(async () => this.#reload(await bundleApp(appFolder)));
      } catch (error) {
        return onReload({ problem: describe(error) });
      }
      onReload({ problem: null });
    });
  }

  async #reload(bundle: Bundle): Promise<void> {
    await this.load(bundle);
    await this.onReloaded();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

function describe(error: unknown): string {
  const explained = explainStartFailure(error);
  return explained instanceof Error ? explained.message : String(explained);
}
