import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { PushError } from "../deploy/pushError";
import { Watchdog } from "../functions/watchdog";
import { ApiError, refusalOf } from "./apiError";
import { authenticate, readJson, requireAdmin } from "./apiRequest";
import { handleCors } from "./cors";
import { handleDeployRequest, isDeployPath, type DeployApiOptions } from "./deployApi";
import { targetOf, type Exchange } from "./exchange";
import { handleApiRequest, type FunctionsApiOptions } from "./functionsApi";
import { handleHttpAction, type HttpActionsOptions } from "./httpActions";
import { Places } from "./places";
import { servePlainCalls } from "./plainCalls";
import { sendJson, sendJsonAndClose } from "./respond";
import { handleSnapshotRequest, isSnapshotPath, type SnapshotApiOptions } from "./snapshotApi";
import { serveStatic, type StaticMount } from "./staticFiles";

export type HttpOptions = FunctionsApiOptions &
  HttpActionsOptions &
  DeployApiOptions &
  SnapshotApiOptions & {
    /** Requests wait for this before they are answered. */
    readonly ready: Promise<void>;
    readonly mounts: readonly StaticMount[];
    /** Told of errors that no client is to blame for. */
    readonly onFault: (error: unknown) => void;
    /** After how long a client that reads nothing of its answer is cut off; two minutes by default. */
    readonly unreadMs?: number;
  };

const UNREAD_MS = 120_000;
/** A client that sends more requests on one connection without waiting for their answers is cut off. */
const MAX_PIPELINED = 100;

type Handler = (exchange: Exchange) => Promise<void> | void;

/** The server of the cloud origin: the function API, and the app's HTTP routes under /http. */
export function createApiServer(options: HttpOptions): Server {
  const server = serve(options, (exchange) => {
    const { request, response, url, path } = exchange;
    if (path === "/http" || path.startsWith("/http/")) {
      const inner = new URL(url);
      inner.pathname = path.slice("/http".length) || "/";
      return handleHttpAction(options, { request, response, url: inner });
    }
    if (handleCors(request, response) === "answered") return;
    const admin = async () => requireAdmin(await authenticate(options, exchange));
    if (isDeployPath(path)) return refusing(handleDeployRequest(options, exchange, admin));
    if (isSnapshotPath(path)) {
      const json = () => readJson(options, request);
      return refusing(handleSnapshotRequest(options, exchange, admin, json));
    }
    return handleApiRequest(options, exchange);
  });
  const closePlain = servePlainCalls(server, { ...options, unreadMs: options.unreadMs ?? UNREAD_MS });
  plain.set(server, closePlain);
  return server;
}

async function refusing(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PushError) throw new ApiError(error.status, error.code, error.message);
    throw error;
  }
}

/** The server of the site origin: the app's HTTP routes, and the mounted files. */
export function createSiteServer(options: HttpOptions): Server {
  return serve(options, async (exchange) => {
    const { request, response, path } = exchange;
    const mayBeFile = request.method === "GET" || request.method === "HEAD";
    if (mayBeFile && (await serveStatic(options.mounts, path, response))) return;
    return handleHttpAction(options, exchange);
  });
}

/** How many requests on a connection have no full answer yet. */
type Connection = { unanswered: number };

/** The answers that each server still owes. */
const owed = new WeakMap<Server, Places<ServerResponse>>();
/** What closes the connections of a server that it does not know of itself. */
const plain = new WeakMap<Server, () => void>();

function serve(options: HttpOptions, handle: Handler): Server {
  const responses = new Places<ServerResponse>();
  const connections = new WeakMap<Socket, Connection>();
  const server = createServer((request, response) => {
    const { socket } = request;
    let connection = connections.get(socket);
    if (!connection) connections.set(socket, (connection = { unanswered: 0 }));
    if (++connection.unanswered > MAX_PIPELINED) {
      socket.destroy();
      return;
    }
    cutOffUnread(socket, response, options.unreadMs ?? UNREAD_MS);
    const answered = responses.add(response);
    response.once("close", () => {
      connection.unanswered--;
      answered();
      if (!server.listening && responses.size === 0) server.closeAllConnections();
    });
    answer(options, request, response, handle).catch((error: unknown) => {
      // A client that has gone away is nobody's fault and gets no answer.
      if (socket.destroyed) return;
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const { status, headers, json } = refusalOf(error, options.onFault);
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      if (request.complete) sendJson(response, status, json);
      else sendJsonAndClose(request, response, status, json);
    });
  });
  server.on("connection", () => Watchdog.letIn());
  owed.set(server, responses);
  return server;
}

/** Closes the connection when an answer is there in full and the client reads nothing of it for so long. */
function cutOffUnread(socket: Socket, response: ServerResponse, unreadMs: number): void {
  response.once("prefinish", () => socket.setTimeout(unreadMs));
  // Node has set its own time for a connection that is kept, unless another request waits on it.
  response.once("finish", () => {
    if (socket.timeout === unreadMs) socket.setTimeout(0);
  });
}

async function answer(
  { ready }: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
  handle: Handler,
): Promise<void> {
  await ready;
  const { url, path } = targetOf(request.url ?? "/", request.headers.host ?? "localhost");
  await handle({ request, response, url, path });
}

/** Listens and gives the port, which the system chooses where `port` is 0. Rejects when the port is taken. */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** How long a server that is closing waits for the rest of requests that have not arrived in full. */
const UNFINISHED_MS = 2_000;

/** Stops listening, lets requests under way be answered, and closes all connections that have none. */
export function closeServer(server: Server): Promise<void> {
  const responses = owed.get(server) ?? new Places<ServerResponse>();
  return new Promise((resolve) => {
    const unfinished = setTimeout(() => {
      for (const { req } of responses) if (!req.complete) req.destroy();
    }, UNFINISHED_MS);
    server.close(() => {
      clearTimeout(unfinished);
      resolve();
    });
    plain.get(server)?.();
    if (responses.size === 0) server.closeAllConnections();
    else server.closeIdleConnections();
  });
}
