import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import path from "node:path";
import { pipeline } from "node:stream/promises";

/** Files that are served as they are, such as a documentation page. */
export type StaticMount = {
  /** Begins and ends with a slash: "/docs/". */
  readonly path: string;
  /** Folders in which a file is looked for, in order. */
  readonly folders: readonly string[];
};

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
};

/** Serves a file of a mount. False when the path belongs to no mount or there is no such file. */
export async function serveStatic(
  mounts: readonly StaticMount[],
  pathname: string,
  response: ServerResponse,
): Promise<boolean> {
  for (const mount of mounts) {
    if (`${pathname}/` === mount.path) {
      response.writeHead(308, { Location: mount.path }).end();
      return true;
    }
    if (!pathname.startsWith(mount.path)) continue;
    const name = pathname.slice(mount.path.length) || "index.html";
    // One plain name: no folders, no way out of the folder.
    if (!/^[\w.-]+$/.test(name) || name.startsWith(".")) continue;
    for (const folder of mount.folders) if (await sendFile(path.join(folder, name), response)) return true;
  }
  return false;
}

async function sendFile(file: string, response: ServerResponse): Promise<boolean> {
  const found = await stat(file).catch(() => null);
  if (!found?.isFile()) return false;
  response.writeHead(200, {
    "Content-Type": CONTENT_TYPES[path.extname(file)] ?? "application/octet-stream",
    "Content-Length": found.size,
    "X-Content-Type-Options": "nosniff",
  });
  await pipeline(createReadStream(file), response);
  return true;
}
