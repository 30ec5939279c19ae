/** Clients that are connected and do not read are cut off after a time, which is short here. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { AppLoading } from "../../embedded/appLoading";
import { Authentication } from "../../embedded/authentication";
import { Imports } from "../../embedded/deploy/imports";
import { Pushes } from "../../embedded/deploy/pushes";
import { Exports } from "../../embedded/deploy/snapshotExport";
import { DeploymentEnvironment } from "../../embedded/environment";
import { ANONYMOUS } from "../../embedded/functions/caller";
import { Disclosure } from "../../embedded/functions/disclosure";
import { FileUrls } from "../../embedded/functions/fileUrls";
import { Intake } from "../../embedded/http/intake";
import { closeServer, createApiServer, listen } from "../../embedded/http/server";
import { BlobStore } from "../../embedded/storage/blobStore";
import { LiveQueries } from "../../embedded/sync/liveQueries";
import { serveSockets } from "../../embedded/sync/sockets";
import { startRuntime } from "./harness";

const faults: unknown[] = [];
const onFault = (error: unknown) => faults.push(error);
let folder: string;
let server: Server;
let port: number;
let closeSockets: () => void;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "stalled-"));
  const { runtime, database } = await startRuntime();
  const intake = new Intake();
  const disclosure = new Disclosure(false);
  const ready = Promise.resolve();
  const anonymous = () => Promise.resolve(ANONYMOUS);
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
  server = createApiServer({
    pushes: new Pushes(database, loading, () => undefined, onFault),
    exports: await Exports.open(database, blobs, path.join(folder, "exports"), onFault),
    imports: await Imports.open(parts, path.join(folder, "imports"), onFault),
    runtime,
    blobs,
    fileUrls: new FileUrls(randomBytes(32)),
    authenticate: anonymous,
    identify: anonymous,
    setEnvironment: () => Promise.resolve(),
    version: "test",
    instanceName: "test",
    mounts: [],
    intake,
    disclosure,
    ready,
    onFault,
    unreadMs: 100,
  });
  closeSockets = serveSockets(server, {
    liveQueries,
    call: (kind, call) => runtime.call(kind, call),
    authenticate: () => Promise.resolve({ caller: ANONYMOUS, expiresAtMs: Infinity }),
    timestamp: () => database.timestamp,
    durable: () => database.durable(),
    intake,
    disclosure,
    ready,
    onFault,
    pingMs: 10,
  });
  port = await listen(server, 0, "127.0.0.1");
});

afterEach(async () => {
  closeSockets();
  await closeServer(server);
  await rm(folder, { recursive: true, force: true });
  expect(faults.splice(0)).toEqual([]);
});

test("a socket whose client answers no pings is closed, one whose client does stays open", async () => {
  const url = `ws://127.0.0.1:${port}/api/1.48.0/sync`;
  const answering = new WebSocket(url);
  await once(answering, "open");
  const silent = new WebSocket(url, { autoPong: false });
  const [code] = (await once(silent, "close")) as [number];
  expect(code).toBe(1006);
  expect(answering.readyState).toBe(WebSocket.OPEN);
  answering.close();
  await once(answering, "close");
});

test("a connection whose client reads nothing of an answer is closed, with the rest of the answer unsent", async () => {
  const length = 15_000_000;
  const body = JSON.stringify({ path: "misbehave:large", args: { length, salt: 0 } });
  const accepted = once(server, "connection");
  const client = connect({ port, host: "127.0.0.1" });
  client.pause();
  const head = `Host: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  client.write(`POST /api/query HTTP/1.1\r\n${head}\r\n\r\n${body}`);
  const [connection] = (await accepted) as [NodeJS.EventEmitter];
  await once(connection, "close");
  let received = 0;
  client.on("error", () => undefined);
  client.on("data", (chunk: Buffer) => (received += chunk.length));
  client.resume();
  await once(client, "close");
  expect(received).toBeLessThan(length);
});

test("a connection that waits for its next request after an answer stays open", async () => {
  const client = connect({ port, host: "127.0.0.1" });
  const request = "GET /version HTTP/1.1\r\nHost: x\r\n\r\n";
  for (let i = 0; i < 2; i++) {
    client.write(request);
    const [answer] = (await once(client, "data")) as [Buffer];
    expect(answer.toString()).toContain("200 OK");
  }
  client.destroy();
});
