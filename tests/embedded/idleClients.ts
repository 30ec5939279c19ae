/**
 * Many clients in a process of its own: each opens a socket, watches one query and waits. `fork` it; it sends how many are open
 * once all have their first result, and again once all have been told of a change.
 */
import { WebSocket } from "ws";

const [url = "", count = "0"] = process.argv.slice(2);
/** Not more: those that the system's queue of new connections has no room for would have to wait and try again. */
const AT_ONCE = 100;

const connect = { type: "Connect", connectionCount: 0, lastCloseReason: null };
const watch = {
  type: "ModifyQuerySet",
  baseVersion: 0,
  newVersion: 1,
  modifications: [{ type: "Add", queryId: 0, udfPath: "notes:byAuthor", args: [{ author: "idle" }] }],
};

const sockets: WebSocket[] = [];

/** Opens a socket. Resolves when it has its first result. */
function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace("http", "ws")}/api/1.48.0/sync`);
    sockets.push(socket);
    socket.on("open", () => {
      socket.send(JSON.stringify({ ...connect, sessionId: crypto.randomUUID() }));
      socket.send(JSON.stringify(watch));
    });
    socket.on("message", (data: Buffer) => {
      if (data.includes('"Transition"')) resolve();
    });
    socket.on("error", reject);
  });
}

let next = 0;
const worker = async () => {
  while (next++ < Number(count)) await open();
};
await Promise.all(Array.from({ length: AT_ONCE }, worker));
const told = Promise.all(
  sockets.map(
    (socket) =>
      new Promise<void>((resolve) =>
        socket.on("message", (data: Buffer) => {
          if (data.includes('"QueryUpdated"')) resolve();
        }),
      ),
  ),
);
process.send?.(sockets.length);
await told;
process.send?.(sockets.length);
