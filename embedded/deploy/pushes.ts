/**
 * Pushes of the official command line: the modules are loaded and the database made to fit while the app in force goes on; then
 * the new app comes into force in one commit. A push that does not get so far leaves nothing.
 */
import { AuthConfigError } from "../auth/providers";
import { MissingVariableError } from "../functions/app";
import { AppLoadError } from "../functions/loading";
import { BundleError } from "../loader/bundle";
import { bundlePushed } from "../loader/pushedModules";
import type { Database } from "../transaction/database";
import { OvertakenError, SchemaMismatchError, type IndexBuild } from "../transaction/indexBuild";
import type { Json } from "../values/json";
import { analyzeDefinitions, checkedComponent } from "./analysis";
import type { AppSlot, LoadedApp } from "./appSlot";
import {
  authInfo,
  indexDiffs,
  NO_DIFFERENCES,
  pushDifferences,
  type FinishPushDiff,
  type IndexDiff,
} from "./differences";
import { keepingWrites, moduleKey, readKeptApp, withHash, type KeptApp, type KeptModule } from "./keptApp";
import { parsePushRequest, type PushRequest } from "./pushRequest";
import { PushError } from "./pushError";
import { evaluateSchema } from "./schemaEvaluation";

/** A push of which nobody has heard for so long is given up. */
const ABANDON_MS = 10 * 60 * 1000;
/** The longest that a request may wait for a build. */
const MAX_WAIT_MS = 60_000;

type Prepared = { readonly kept: KeptApp; readonly loaded: LoadedApp };

type Pending = Prepared & {
  readonly id: string;
  readonly build: IndexBuild;
  readonly indexes: Readonly<Record<string, IndexDiff>>;
  readonly environment: string;
};

/** What `wait_for_schema` answers. */
export type SchemaStatus =
  | {
      type: "inProgress";
      components: Record<
        string,
        { schemaValidationComplete: boolean; indexesComplete: number; indexesTotal: number }
      >;
    }
  | { type: "failed"; error: string; componentPath: string; tableName: string | null }
  | { type: "raceDetected" }
  | { type: "complete" };

export class Pushes {
  #pending: Pending | null = null;
  #expiry: NodeJS.Timeout | undefined;
  #started = 0;

  constructor(
    private readonly database: Database,
    private readonly slot: AppSlot,
    /** To be done when a pushed app has come into force. */
    private readonly onPushed: () => void,
    private readonly onFault: (error: unknown) => void,
  ) {}

  /** The modules that need not be sent again if they have not changed. */
  configHashes() {
    const kept = readKeptApp(this.database);
    return {
      config: { functions: kept?.functions ?? "convex/" },
      moduleHashes: [...(kept?.modules.values() ?? [])]
        .filter((module) => module.definitionPath === "")
        .map(({ path, sha256: hash, environment }) => ({ path, hash, environment })),
      udfServerVersion: kept?.udfServerVersion ?? null,
      nodeVersion: null,
      nodeDependencies: [],
    };
  }

  canonicalUrls() {
    const { CONVEX_CLOUD_URL: convexCloudUrl, CONVEX_SITE_URL: convexSiteUrl } = this.slot.variables;
    return { convexCloudUrl, convexSiteUrl };
  }

  /** What a push would do to the indexes. */
  async evaluate(body: Json) {
    const { loaded } = await this.#prepare(parsePushRequest(body));
    return { schemaChange: schemaChange(null, indexDiffs(this.database, loaded.app)) };
  }

  /** What a push would have to check and to build. */
  async evaluateSchema(body: Json) {
    const { loaded } = await this.#prepare(parsePushRequest(body));
    return evaluateSchema(this.database, this.slot.inForce.app, loaded.app);
  }

  /** Loads a pushed app and begins to make the database fit. Throws {@link PushError}. */
  async start(body: Json) {
    const environment = JSON.stringify(this.slot.variables);
    const prepared = await this.#prepare(parsePushRequest(body));
    const { loaded } = prepared;
    const indexes = indexDiffs(this.database, loaded.app);
    this.#pending = {
      ...prepared,
      id: `push-${++this.#started}-${Date.now().toString(36)}`,
      build: this.slot.begin(loaded),
      indexes,
      environment,
    };
    this.#expireLater();
    return {
      // The values stay here: whether they have changed is known without the client's help.
      environmentVariables: {},
      externalDepsId: null,
      componentDefinitionPackages: {},
      appAuth: loaded.providers.map(authInfo),
      analysis: analyzeDefinitions(loaded.app, prepared.kept.udfServerVersion),
      app: checkedComponent(loaded.app.root),
      schemaChange: schemaChange(this.#pending.id, indexes),
    };
  }

  /** Waits until the database fits, or `timeoutMs` have passed. `schemaChange`: what {@link start} gave. */
  async waitForSchema(schemaChange: Json, timeoutMs: number): Promise<SchemaStatus> {
    const pending = this.#find(schemaChange);
    if (pending === null) return { type: "raceDetected" };
    this.#expireLater();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<"timeout">((resolve) => {
      timer = setTimeout(resolve, Math.min(timeoutMs, MAX_WAIT_MS), "timeout");
    });
    try {
      const done = pending.build.done.then(() => "done" as const);
      if ((await Promise.race([done, timeout])) === "done") return { type: "complete" };
      const { indexes, indexesDone } = pending.build.progress;
      const status = {
        schemaValidationComplete: false,
        indexesComplete: indexesDone,
        indexesTotal: indexes,
      };
      return { type: "inProgress", components: { "": status } };
    } catch (error) {
      if (error instanceof OvertakenError) return { type: "raceDetected" };
      if (!(error instanceof SchemaMismatchError)) throw error;
      return { type: "failed", error: error.message, componentPath: error.namespace, tableName: error.table };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Puts a pushed app into force. Throws {@link PushError} if that can't be: then what was in force stays. */
  async finish(schemaChange: Json, dryRun: boolean): Promise<FinishPushDiff> {
    const pending = this.#find(schemaChange);
    if (pending === null) throw overwritten();
    if (dryRun) {
      await this.#giveUp(pending);
      return NO_DIFFERENCES;
    }
    try {
      await pending.build.done;
      return await this.slot.inTurn(() => this.#adopt(pending));
    } catch (error) {
      if (error instanceof OvertakenError) throw overwritten();
      if (error instanceof SchemaMismatchError) throw refused("SchemaValidationFailed", error.message);
      throw error;
    }
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    if (this.#pending) await this.#giveUp(this.#pending);
  }

  async #adopt(pending: Pending): Promise<FinishPushDiff> {
    if (this.#pending !== pending) throw overwritten();
    if (pending.environment !== JSON.stringify(this.slot.variables)) {
      throw refused("RaceDetected", "Environment variables have changed during push");
    }
    const { loaded, kept, build, indexes } = pending;
    const before = this.slot.inForce;
    await this.slot.adopt(loaded, build, keepingWrites(this.database, kept));
    this.#forget(pending);
    this.onPushed();
    return pushDifferences(before, loaded, indexes);
  }

  async #prepare(request: PushRequest): Promise<Prepared> {
    const kept: KeptApp = {
      functions: request.functions,
      udfServerVersion: request.udfServerVersion,
      modules: this.#allModules(request),
    };
    try {
      return { kept, loaded: this.slot.prepare(await bundlePushed([...kept.modules.values()])) };
    } catch (error) {
      throw explain(error);
    }
  }

  #allModules({ changed, unchanged }: PushRequest): Map<string, KeptModule> {
    const modules = new Map(changed.map((module) => [moduleKey(module), withHash(module)]));
    if (unchanged.length === 0) return modules;
    const before = readKeptApp(this.database)?.modules;
    for (const { path, sha256, environment } of unchanged) {
      const module = before?.get(path);
      if (module?.sha256 !== sha256 || module.environment !== environment) {
        throw new PushError(
          "ExistingModuleHashConflict",
          `Another push has changed ${path} meanwhile: push again.`,
          409,
        );
      }
      modules.set(path, module);
    }
    return modules;
  }

  #find(schemaChange: Json): Pending | null {
    const { schemaIds } = schemaChange as { schemaIds?: Record<string, unknown> };
    return this.#pending?.id === schemaIds?.[""] ? this.#pending : null;
  }

  #expireLater(): void {
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.close().catch(this.onFault), ABANDON_MS).unref();
  }

  #giveUp(pending: Pending): Promise<void> {
    this.#forget(pending);
    return pending.build.abandon(new OvertakenError());
  }

  #forget(pending: Pending): void {
    if (this.#pending !== pending) return;
    this.#pending = null;
    clearTimeout(this.#expiry);
  }
}

function schemaChange(pushId: string | null, indexes: Readonly<Record<string, IndexDiff>>) {
  return { allocatedComponentIds: {}, schemaIds: { "": pushId }, indexDiffs: indexes };
}

function explain(error: unknown): unknown {
  if (error instanceof AppLoadError && error.cause instanceof MissingVariableError) {
    const { message, variable, where } = error.cause;
    return where === "convex.config"
      ? refused("MissingEnvironmentVariables", `Required environment variables are not set: ${variable}.`)
      : refused("AuthConfigMissingEnvironmentVariable", message);
  }
  if (error instanceof AppLoadError || error instanceof BundleError) {
    return refused(
      "InvalidModules",
      `Loading the pushed modules encountered the following error:\n${error.message}`,
    );
  }
  if (error instanceof AuthConfigError) return refused(error.code, error.message);
  return error;
}

function refused(code: string, message: string): PushError {
  return new PushError(code, `Hit an error while pushing:\n${message}`);
}

function overwritten(): PushError {
  return refused("RaceDetected", "Schema was overwritten by another push.");
}
