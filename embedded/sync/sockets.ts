import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { Pace } from "./pace";
import { Session, type SessionHost } from "./session";

/** The largest message: arguments of 16 MiB and what is around them. */
const MAX_MESSAGE_BYTES = 20 * 1024 * 1024;
/** A client that does not read what it is sent is cut off when this much waits for it. */
const MAX_UNREAD_BYTES = 32 * 1024 * 1024;
/** Clients give a silent connection up after a minute. */
const PING_MS = 15_000;
/** A client that has not even answered so many pings in a row is gone, or does not read. */
const MAX_UNANSWERED_PINGS = 8;

/** Of a ping or pong frame from a client: two bytes and the mask. */
const CONTROL_HEADER_BYTES = 6;

/** So many transitions are sent in one turn of the event loop: a thousand at once would keep calls waiting. */
const TRANSITIONS_PER_TURN = 128;

const SYNC_PATH = /^\/api\/(?:[^/]+\/)?sync$/;

export type SocketsOptions = SessionHost & {
  /** Sockets wait for this before they are served. */
  readonly ready: Promise<void>;
  readonly onFault: (error: unknown) => void;
  /** Counts the bytes of unfinished messages, all sockets taken together. */
  readonly intake: { take(bytes: number): boolean; release(bytes: number): void };
  /** How often a silent client is pinged; by default often enough for the official ones. */
  readonly pingMs?: number;
};

/** Serves the sync protocol on a server. Gives what closes all sockets. */
export function serveSockets(server: Server, options: SocketsOptions): () => void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    clientTracking: true,
  });
  const pace = new Pace(TRANSITIONS_PER_TURN);
  // All that fit: a head that is to be read again has to be known in full.
  server.maxHeadersCount = 0;
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.headers.upgrade?.toLowerCase() !== "websocket") {
      declineUpgrade(server, request, socket, head);
      return;
    }
    // A socket that breaks before it is a WebSocket is nobody's concern.
    socket.on("error", () => socket.destroy());
    const path = (request.url ?? "").split("?")[0] ?? "";
    if (!SYNC_PATH.test(path)) {
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    void options.ready.then(() => {
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        limitUnfinished(webSocket, socket, options);
        serve(webSocket, socket, pace, options);
      });
    });
  });
  return () => {
    for (const client of sockets.clients) client.close(1001, "Going away");
    sockets.close();
  };
}

/**
 * Lets a request be answered as if it had not offered another protocol, as RFC 9110 has it: Java's client and `curl --http2` offer
 * HTTP/2 with each. Node has taken its parser away from the connection, so the server gets the connection anew, with the same head.
 * What was sent ahead of an answer may have none: the connection closes when it is idle, and the client has to send it again.
 */
function declineUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = "", value = ""] = rawHeaders.slice(i, i + 2);
    if (name.toLowerCase() !== "upgrade") lines.push(`${name}: ${value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  server.emit("connection", socket);
}

/** Cuts a client off whose unfinished message is one too much. */
function limitUnfinished(webSocket: WebSocket, socket: Duplex, { intake }: SocketsOptions): void {
  let unfinished = 0;
  const release = (bytes: number) => {
    intake.release(bytes);
    unfinished -= bytes;
  };
  const finish = () => release(unfinished);
  // A ping or pong is no message, and may come in the middle of one.
  const finishControl = (data: Buffer) => release(Math.min(unfinished, CONTROL_HEADER_BYTES + data.length));
  // Before the bytes are read as messages: what comes in one piece with a message's end counts as a part of it.
  socket.prependListener("data", (chunk: Buffer) => {
    unfinished += chunk.length;
    if (!intake.take(chunk.length)) webSocket.terminate();
  });
  webSocket.on("message", finish);
  webSocket.on("ping", finishControl);
  webSocket.on("pong", finishControl);
  webSocket.on("close", finish);
}

function serve(socket: WebSocket, connection: Duplex, pace: Pace, options: SocketsOptions): void {
  const session = new Session(
    options,
    {
      send(...parts) {
        if (socket.bufferedAmount > MAX_UNREAD_BYTES) return socket.terminate();
        connection.cork();
        for (const [i, part] of parts.entries()) {
          socket.send(part, { binary: false, fin: i === parts.length - 1 });
        }
        connection.uncork();
        ping.refresh();
      },
      turn: () => pace.turn(),
      close: (code, reason) => socket.close(code, reason),
      pause: () => socket.pause(),
      resume: () => socket.resume(),
    },
    options.onFault,
  );
  let unansweredPings = 0;
  let unread = 0;
  const ping = setInterval(() => {
    // A client that has much to read comes to the ping late.
    if (socket.bufferedAmount < unread) unansweredPings = 0;
    unread = socket.bufferedAmount;
    if (++unansweredPings > MAX_UNANSWERED_PINGS) return socket.terminate();
    // One for the client's code, and one that its system answers whatever the code does.
    socket.send('{"type":"Ping"}');
    socket.ping();
  }, options.pingMs ?? PING_MS);
  socket.on("pong", () => (unansweredPings = 0));
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
