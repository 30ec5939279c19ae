/** The servers of the cloud origin alone, over the functions of the fixture app, with what a test wants to have in its hands. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { AppLoading } from "../../embedded/appLoading";
import { Authentication } from "../../embedded/authentication";
import { Imports } from "../../embedded/deploy/imports";
import { Pushes } from "../../embedded/deploy/pushes";
import { Exports } from "../../embedded/deploy/snapshotExport";
import { DeploymentEnvironment } from "../../embedded/environment";
import { ANONYMOUS, type Caller } from "../../embedded/functions/caller";
import { Disclosure } from "../../embedded/functions/disclosure";
import { FileUrls } from "../../embedded/functions/fileUrls";
import { Intake } from "../../embedded/http/intake";
import { closeServer, createApiServer, listen } from "../../embedded/http/server";
import { BlobStore } from "../../embedded/storage/blobStore";
import { LiveQueries } from "../../embedded/sync/liveQueries";
import { serveSockets } from "../../embedded/sync/sockets";
import { startRuntime } from "./harness";

export type ApiServer = {
  readonly server: Server;
  readonly port: number;
  /** What the runtime says is its own fault: a test expects nothing. */
  readonly faults: readonly unknown[];
  close(): Promise<void>;
};

/** @param options who calls, nobody by default, and the times after which clients are cut off */
export async function startApiServer({
  unreadMs = 100,
  pingMs = 10,
  authenticate = () => ANONYMOUS,
}: {
  unreadMs?: number;
  pingMs?: number;
  authenticate?: (authorization: string | undefined) => Caller | Promise<Caller>;
} = {}): Promise<ApiServer> {
  const faults: unknown[] = [];
  const onFault = (error: unknown) => faults.push(error);
  const folder = await mkdtemp(path.join(tmpdir(), "api-"));
  const { runtime, database } = await startRuntime();
  const intake = new Intake();
  const disclosure = new Disclosure(false);
  const ready = Promise.resolve();
  const liveQueries = new LiveQueries({
    evaluate: (run) => runtime.evaluate(run),
    onCommit: (listener) => database.onCommit(listener),
    onLoss: (listener) => database.onLoss(listener),
    maxLength: Infinity,
  });
  const environment = new DeploymentEnvironment(database, {});
  const authentication = new Authentication(false);
  const loading = new AppLoading({ runtime, environment, authentication, liveQueries });
  const blobs = await BlobStore.open(folder);
  const parts = {
    database,
    blobs,
    slot: loading,
    giveUpBuild: () => runtime.giveUp(),
    onReplaced: () => undefined,
  };
  const server = createApiServer({
    pushes: new Pushes(database, loading, () => undefined, onFault),
    exports: await Exports.open(database, blobs, path.join(folder, "exports"), onFault),
    imports: await Imports.open(parts, path.join(folder, "imports"), onFault),
    runtime,
    blobs,
    fileUrls: new FileUrls(randomBytes(32)),
    authenticate,
    identify: () => Promise.resolve(ANONYMOUS),
    setEnvironment: () => Promise.resolve(),
    version: "test",
    instanceName: "test",
    mounts: [],
    intake,
    disclosure,
    ready,
    onFault,
    unreadMs,
  });
  const closeSockets = serveSockets(server, {
    liveQueries,
    call: (kind, call) => runtime.call(kind, call),
    authenticate: () => Promise.resolve({ caller: ANONYMOUS, expiresAtMs: Infinity }),
    timestamp: () => database.timestamp,
    durable: () => database.durable(),
    intake,
    disclosure,
    ready,
    onFault,
    pingMs,
  });
  const port = await listen(server, 0, "127.0.0.1");
  let closed: Promise<void> | undefined;
  const close = async () => {
    closeSockets();
    await closeServer(server);
    await rm(folder, { recursive: true, force: true });
  };
  return { server, port, faults, close: () => (closed ??= close()) };
}
