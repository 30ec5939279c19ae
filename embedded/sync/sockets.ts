import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { Session, type SessionHost } from "./session";

/** The largest message: arguments of 16 MiB and what is around them. */
const MAX_MESSAGE_BYTES = 20 * 1024 * 1024;
/** A client that does not read what it is sent is cut off when this much waits for it. */
const MAX_UNREAD_BYTES = 32 * 1024 * 1024;
/** Clients give a silent connection up after a minute. */
const PING_MS = 15_000;

const SYNC_PATH = /^\/api\/(?:[^/]+\/)?sync$/;

export type SocketsOptions = SessionHost & {
  /** Sockets wait for this before they are served. */
  readonly ready: Promise<void>;
  readonly onFault: (error: unknown) => void;
};

/** Serves the sync protocol on a server. Gives what closes all sockets. */
export function serveSockets(server: Server, options: SocketsOptions): () => void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    clientTracking: true,
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A socket that breaks before it is a WebSocket is nobody's concern.
    socket.on("error", () => socket.destroy());
    const path = (request.url ?? "").split("?")[0] ?? "";
    if (!SYNC_PATH.test(path)) {
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    void options.ready.then(() => {
      sockets.handleUpgrade(request, socket, head, (webSocket) => serve(webSocket, options));
    });
  });
  return () => {
    for (const client of sockets.clients) client.close(1001, "Going away");
    sockets.close();
  };
}

function serve(socket: WebSocket, options: SocketsOptions): void {
  const session = new Session(
    options,
    {
      send(text) {
        if (socket.bufferedAmount > MAX_UNREAD_BYTES) socket.terminate();
        else socket.send(text);
        ping.refresh();
      },
      close: (code, reason) => socket.close(code, reason),
    },
    options.onFault,
  );
  const ping = setInterval(() => socket.send('{"type":"Ping"}'), PING_MS);
  socket.on("message", (data: Buffer, isBinary: boolean) => {
    if (isBinary) socket.close(1003, "Only text");
    else session.receive(data.toString("utf8"));
  });
  socket.on("close", () => {
    clearInterval(ping);
    session.end();
  });
  socket.on("error", () => socket.terminate());
}
