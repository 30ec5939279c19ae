import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The path of a socket may be so long on any system, in bytes. */
const LONGEST_PATH = 103;
/** Who makes a socket listens on it well within this time. */
const PAUSE_MS = 5;

/**
 * Puts a socket into a folder and listens on it until it is closed, which takes it away, or this process ends, however that
 * comes. `null`: there can be none here. It does not keep the process alive. Rejects with EADDRINUSE if the name is taken.
 */
export async function listenIn(folder: string, name: string): Promise<{ close: () => Promise<void> } | null> {
  const address = addressOf(folder, name);
  if (address === null) return null;
  const server = createServer((socket) => socket.destroy()).unref();
  // What cannot be accepted is no matter: who has asked was let in by the system, and knows enough.
  server.on("error", () => undefined);
  const close = async () => {
    await new Promise((resolve) => server.close(resolve));
    address.leave();
  };
  try {
    server.listen({ path: address.path, exclusive: true });
    await once(server, "listening");
    await chmod(join(folder, name), 0o600);
    return { close };
  } catch (error) {
    await close();
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") throw error;
    return null;
  }
}

/**
 * Whether a process listens on such a socket, in whatever container; "dead" too for a file that is no socket. What may not be asked
 * is taken to listen.
 */
export async function stateOfSocket(folder: string, name: string): Promise<"listening" | "dead" | "gone"> {
  const address = addressOf(folder, name);
  if (address === null) return "dead";
  try {
    const state = await ask(address.path);
    if (state !== "dead") return state;
    // It may have been made at this very moment.
    await sleep(PAUSE_MS);
    return await ask(address.path);
  } finally {
    address.leave();
  }
}

async function ask(path: string): Promise<"listening" | "dead" | "gone"> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return "listening";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return "gone";
    return code === "ECONNREFUSED" || code === "ENOTSOCK" ? "dead" : "listening";
  } finally {
    socket.destroy();
  }
}

/** A path that is short enough, as long as it is not left; `null`: there is none. */
function addressOf(folder: string, name: string): { path: string; leave: () => void } | null {
  // There sockets are no files.
  if (process.platform === "win32") return null;
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= LONGEST_PATH) return { path, leave: () => undefined };
  if (process.platform !== "linux") return null;
  const opened = openSync(folder, "r");
  return { path: `/proc/self/fd/${opened}/${name}`, leave: () => closeSync(opened) };
}
