import type { AuthProvider } from "../auth/providers";
import type { App } from "../functions/app";
import type { Bundle } from "../loader/bundle";
import type { IndexBuild } from "../transaction/indexBuild";

/** An app with the providers of its auth config. */
export type LoadedApp = { readonly app: App; readonly providers: readonly AuthProvider[] };

/** The place of the app that is in force, and how another one comes there. */
export interface AppSlot {
  readonly inForce: LoadedApp;
  /** The deployment's environment variables. */
  readonly variables: Readonly<Record<string, string>>;
  /** Loads an app, which changes nothing yet. Throws `AppLoadError` and `AuthConfigError`. */
  prepare(bundle: Bundle): LoadedApp;
  /** Begins to check documents and build indexes for it, in the place of what was begun before. */
  begin(loaded: LoadedApp): IndexBuild;
  /** Puts it into force, with `writes` in the same commit, when its build is done. */
  adopt(
    loaded: LoadedApp,
    build: IndexBuild,
    writes: readonly (readonly [string, string | null])[],
  ): Promise<void>;
  /** Does what puts an app into force while nothing else does. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}
