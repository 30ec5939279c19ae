import type { Server as HttpServer } from "node:http";
import path from "node:path";
import { getHeapStatistics } from "node:v8";
import { AppLoading } from "./appLoading";
import { Authentication } from "./authentication";
import { loadDevelopmentIssuer, type DevelopmentIssuer } from "./auth/developmentIssuer";
import { keepSecret, keepAdminKey, removeAddress, writeAddress } from "./dataFiles";
import { removeDeletedBlobs, removeOrphanedBlobs, watchDeletedFiles } from "./functions/files";
import { Imports } from "./deploy/imports";
import { Pushes } from "./deploy/pushes";
import { Exports } from "./deploy/snapshotExport";
import { PushedSource } from "./deploy/pushedSource";
import { Disclosure } from "./functions/disclosure";
import { FileUrls } from "./functions/fileUrls";
import { Intake } from "./http/intake";
import { Runtime } from "./functions/runtime";
import { closeServer, createApiServer, createSiteServer, listen, type HttpOptions } from "./http/server";
import type { StaticMount } from "./http/staticFiles";
import { AppSource } from "./loader/appSource";
import { systemClock } from "./scheduler/clock";
import { Scheduler } from "./scheduler/scheduler";
import { DeploymentEnvironment } from "./environment";
import { explainStartFailure } from "./startError";
import { BlobStore } from "./storage/blobStore";
import { openDataFolder } from "./storage/dataFolder";
import { LogStore } from "./storage/logStore";
import { LiveQueries } from "./sync/liveQueries";
import { serveSockets } from "./sync/sockets";
import { Database } from "./transaction/database";
import { removeOrphans, type BuildProgress } from "./transaction/indexBuild";

export { userIdForEmail, type DevelopmentIssuer } from "./auth/developmentIssuer";
export { readAdminKey } from "./dataFiles";
export type { StaticMount } from "./http/staticFiles";
export type { BuildProgress } from "./transaction/indexBuild";
export { StartError } from "./startError";

export type ServerOptions = {
  /**
   * The folder of the Convex app, usually `convex`: what is in it counts at each start. Without one the deployment serves the app
   * that was pushed to it last (`npx convex deploy`), and none until the first push.
   */
  readonly appFolder?: string;
  /**
   * Where the bundle of the app folder is kept, to be used at the next start if nothing has changed of which it was made. Whoever can
   * write there can run code in the server. Without one the folder is bundled at each start.
   */
  readonly cacheFolder?: string;
  /** Where everything durable lies. It is made if it is not there. */
  readonly dataFolder: string;
  /** The address to bind; 127.0.0.1 by default. */
  readonly host?: string;
  /** The port of the function API, 3210 by default; 0 lets the system choose. */
  readonly port?: number;
  /** The port of the app's HTTP routes, 3211 by default; 0 lets the system choose. */
  readonly sitePort?: number;
  /** The deployment's environment variables. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The admin key; by default a random one. It is kept in the data folder. */
  readonly adminKey?: string;
  /**
   * Loads the app anew whenever its folder changes, and tells how that went; sockets stay open. A version that can't be loaded
   * (`problem`: one line) leaves the one before it in force.
   */
  readonly onReload?: (result: { readonly problem: string | null }) => void;
  /** Told whenever an app that was pushed has come into force. With an app folder that lasts until it changes or the next start. */
  readonly onPush?: () => void;
  /** Told every second how far it is when documents are checked and indexes built for a new version of the app. */
  readonly onBuild?: (progress: BuildProgress) => void;
  /** Tells clients neither messages of errors nor what functions log; the data of a `ConvexError` they get. Off by default. */
  readonly redactLogsToClient?: boolean;
  /** Files to serve on the site origin. */
  readonly mounts?: readonly StaticMount[];
  /**
   * Told what functions log, how those have failed that nobody waits for, and which runs of crons were skipped.
   * `path`: the function, the route of an HTTP action, or the name of a cron.
   */
  readonly onLog?: (path: string, lines: readonly string[]) => void;
  /** Told of errors that neither app nor client is to blame for. They hold no tokens. */
  readonly onFault?: (error: unknown) => void;
};

export type Server = {
  /** The cloud origin: functions. */
  readonly url: string;
  /** The site origin: the app's HTTP routes. */
  readonly siteUrl: string;
  readonly adminKey: string;
  /** Signs development tokens; `null` when the environment names a real WorkOS client. */
  readonly developmentIssuer: DevelopmentIssuer | null;
  /**
   * Takes no more requests, answers those under way, and closes the database. Rejects when the data folder could not be tidied up,
   * as on a disk that is read-only by now: all is closed, and what was answered is kept, as after a crash.
   */
  close(): Promise<void>;
};

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 3210;
const DEFAULT_SITE_PORT = 3211;

/** The version of Convex whose behaviour this runtime has. */
const CONVEX_VERSION = "1.48.0";
const INSTANCE_NAME = "embedded";
/** What of the memory for objects live queries and their results may take. */
const LIVE_RESULTS_SHARE = 0.25;

/** The folder of stored files, in the data folder. */
const BLOB_FOLDER = "files";
/** The last export, and uploads that are to be imported, in the data folder. */
const EXPORT_FOLDER = "exports";
const IMPORT_FOLDER = "imports";
/** What is made of the app that was pushed last, in the data folder: where it is missing it is made anew. */
const CACHE_FOLDER = "cache";

/**
 * Starts a Convex deployment in this process. Rejects with a {@link StartError} when the data folder, the app or a port
 * can't be used; then nothing is left open and nothing was overwritten.
 */
export async function createServer(options: ServerOptions): Promise<Server> {
  const opened: (() => Promise<unknown>)[] = [];
  const closeAll = async () => {
    const failures: unknown[] = [];
    for (let close = opened.pop(); close; close = opened.pop()) {
      await close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  };
  try {
    return await start(options, opened, closeAll);
  } catch (error) {
    // The failure of the start is the one to tell.
    await closeAll().catch(() => undefined);
    throw explainStartFailure(error);
  }
}

async function start(
  options: ServerOptions,
  opened: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<Server> {
  const onFault = options.onFault ?? ((error: unknown) => console.error(error));
  const onLog = options.onLog ?? (() => undefined);
  const { appFolder, cacheFolder = null } = options;
  const source = appFolder === undefined ? null : new AppSource(appFolder, cacheFolder);
  const bundling = source?.bundle() ?? null;
  // It is awaited below: until then its failure is not unhandled.
  bundling?.catch(() => undefined);

  const folder = await openDataFolder(options.dataFolder);
  opened.push(() => folder.release());
  // It is that of a server that has crashed: nobody must be sent there.
  await removeAddress(folder.path);
  const given = options.environment ?? {};
  const developmentIssuer = given["WORKOS_CLIENT_ID"] ? null : await loadDevelopmentIssuer(folder.path);
  const database = await Database.open(await LogStore.open(folder.database));
  opened.push(() => database.close());
  await folder.keepDatabase();

  const blobs = await BlobStore.open(path.join(folder.path, BLOB_FOLDER));
  await removeDeletedBlobs(database, blobs);
  await removeOrphanedBlobs(database, blobs);
  await removeOrphans(database);
  const fileUrls = new FileUrls(await keepSecret(database, "uploadSecret"));
  const runtime = new Runtime({
    database,
    cursorSecret: await keepSecret(database, "cursorSecret"),
    blobs,
    fileUrls,
    onLog,
    onFault,
    onBuild: options.onBuild,
  });
  opened.push(() => runtime.giveUp());
  watchDeletedFiles(database, blobs, onFault);
  const liveQueries = new LiveQueries({
    evaluate: (run) => runtime.evaluate(run),
    onCommit: (listener) => database.onCommit(listener),
    onLoss: (listener) => database.onLoss(listener),
    maxLength: getHeapStatistics().heap_size_limit * LIVE_RESULTS_SHARE,
  });
  const redactsErrors = options.redactLogsToClient ?? false;
  const authentication = new Authentication(redactsErrors);
  const environment = new DeploymentEnvironment(database, { ...given, ...developmentIssuer?.environment });
  const loading = new AppLoading({ runtime, environment, authentication, liveQueries });
  const pushedSource = new PushedSource(database, path.join(folder.path, CACHE_FOLDER));
  const onPushed = () => {
    // What is pushed over a folder lasts until the next start.
    if (!source) loading.keep(pushedSource);
    options.onPush?.();
  };
  const pushes = new Pushes(database, loading, onPushed, onFault);
  const exports = await Exports.open(database, blobs, path.join(folder.path, EXPORT_FOLDER), onFault);
  const imports = await Imports.open(
    {
      database,
      blobs,
      slot: loading,
      giveUpBuild: () => runtime.giveUp(),
      onReplaced: () => liveQueries.rerunAll(),
    },
    path.join(folder.path, IMPORT_FOLDER),
    onFault,
  );
  let setReady = () => undefined as void;
  const intake = new Intake();
  const disclosure = new Disclosure(redactsErrors);
  const http: HttpOptions = {
    runtime,
    intake,
    disclosure,
    blobs,
    fileUrls,
    authenticate: (authorization, key) => authentication.authenticate(authorization, key),
    identify: (authorization) => authentication.identify(authorization),
    pushes,
    exports,
    imports,
    setEnvironment: (changes) => loading.setEnvironment(changes),
    // The ports are taken before the app is loaded, as it may read its own addresses: requests wait until then.
    ready: new Promise<void>((resolve) => (setReady = resolve)),
    version: CONVEX_VERSION,
    instanceName: INSTANCE_NAME,
    mounts: options.mounts ?? [],
    onFault,
  };
  const host = options.host ?? DEFAULT_HOST;
  const listening = async (server: HttpServer, port: number) => {
    const chosen = await listen(server, port, host);
    opened.push(() => closeServer(server));
    return `http://${host.includes(":") ? `[${host}]` : host}:${chosen}`;
  };
  const apiServer = createApiServer(http);
  const closeSockets = serveSockets(apiServer, {
    liveQueries,
    call: (kind, call) => runtime.call(kind, call),
    authenticate: (message) => authentication.authenticateSocket(message),
    timestamp: () => database.timestamp,
    durable: () => database.durable(),
    intake,
    disclosure,
    ready: http.ready,
    onFault,
  });
  const url = await listening(apiServer, options.port ?? DEFAULT_PORT);
  opened.push(() => Promise.resolve(closeSockets()));
  fileUrls.serveFrom(url);
  const siteUrl = await listening(createSiteServer(http), options.sitePort ?? DEFAULT_SITE_PORT);

  environment.fix({ CONVEX_CLOUD_URL: url, CONVEX_SITE_URL: siteUrl });
  const bundle = await (bundling ?? pushedSource.bundle());
  if (bundle === null) loading.loadNothing();
  else await loading.load(bundle);
  // Last, as a start that fails must not have changed the key.
  const adminKey = await keepAdminKey(folder.path, options.adminKey, INSTANCE_NAME);
  authentication.allowAdmin(adminKey);
  const scheduler = new Scheduler({ runtime, database, clock: systemClock, onLog, onFault });
  opened.push(() => scheduler.close());
  await scheduler.start();
  loading.onReloaded = () => scheduler.useApp();
  loading.keep(source ?? pushedSource);
  opened.push(() => Promise.resolve(loading.close()));
  if (source && options.onReload) opened.push(loading.watch(source, options.onReload));
  // Before the servers: requests that wait for a push are answered.
  opened.push(() => pushes.close());
  opened.push(() => imports.close());
  opened.push(() => exports.close());
  opened.push(() => Promise.resolve(runtime.log.close()));
  await writeAddress(folder.path, { url, siteUrl });
  opened.push(() => removeAddress(folder.path));
  setReady();
  return { url, siteUrl, adminKey, developmentIssuer, close };
}
