/** Uploads and downloads of stored files, on the cloud origin. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { FileUrls } from "../functions/fileUrls";
import type { Runtime } from "../functions/runtime";
import type { Blobs } from "../storage/blobs";
import { DeveloperError } from "../transaction/errors";
import { ApiError } from "./apiError";
import { partsOf } from "./body";
import { sendJson } from "./respond";

export type StorageApiOptions = {
  readonly runtime: Runtime;
  readonly blobs: Blobs;
  readonly fileUrls: FileUrls;
};

/** Files never change, so whoever has one may keep it. */
const CACHE_CONTROL = "private, max-age=2592000";

/** `POST /api/storage/upload?token=…`: stores the body and answers `{storageId}` once it is on disk. */
export async function upload(
  { runtime, fileUrls }: StorageApiOptions,
  request: IncomingMessage,
  response: ServerResponse,
  token: string | null,
): Promise<void> {
  const component = token === null ? null : fileUrls.componentOf(token);
  if (component === null) {
    throw new ApiError(
      401,
      "StorageTokenInvalid",
      "The upload URL is not valid or has expired: generate a new one",
    );
  }
  const { "content-type": contentType = null, digest } = request.headers;
  const sha256 = typeof digest === "string" ? (/^sha-256=(.+)$/i.exec(digest)?.[1] ?? null) : null;
  try {
    const storageId = await runtime.storeFile(component, partsOf(request), contentType, sha256);
    sendJson(response, 200, JSON.stringify({ storageId }));
  } catch (error) {
    if (error instanceof DeveloperError) throw new ApiError(400, "BadUpload", error.message);
    throw error;
  }
}

/** `GET /api/storage/{key}`, whole or one range of bytes. */
export async function download(
  { runtime, blobs }: StorageApiOptions,
  request: IncomingMessage,
  response: ServerResponse,
  key: string,
): Promise<void> {
  if (!/^[0-9a-f-]{36}$/.test(key)) {
    throw new ApiError(
      400,
      "InvalidStoragePath",
      `Invalid storage path: ${JSON.stringify(key)}. Please use \`storage.getUrl(storageId: Id<"_storage">)\` to generate a valid URL to retrieve files. See https://docs.convex.dev/file-storage/serve-files for more details`,
    );
  }
  const file = runtime.fileByBlob(key);
  if (file === null) throw new ApiError(404, "StorageNotFound", "There is no such file");
  const { sizeBytes, contentType, sha256 } = file;
  response.setHeader("Accept-Ranges", "bytes");
  const range = parseRange(request.headers.range, sizeBytes);
  if (range === "unsatisfiable") {
    response.writeHead(416, { "Content-Range": `bytes */${sizeBytes}` }).end();
    return;
  }
  response.setHeader("Cache-Control", CACHE_CONTROL);
  // Stored files are other people's: a browser must not take one for a page of this origin.
  response.setHeader("X-Content-Type-Options", "nosniff");
  if (contentType !== null) response.setHeader("Content-Type", contentType);
  if (range === null) {
    response.writeHead(200, { "Content-Length": sizeBytes, Digest: `sha-256=${sha256}` });
  } else {
    const { start, end } = range;
    response.writeHead(206, {
      "Content-Length": end - start + 1,
      "Content-Range": `bytes ${start}-${end}/${sizeBytes}`,
    });
  }
  if (request.method === "HEAD") response.end();
  else await pipeline(blobs.read(key, range ?? undefined), response);
}

/** One range of bytes, both ends inclusive; `null`: the whole file. Several ranges are not supported, as on Convex. */
function parseRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | null | "unsatisfiable" {
  if (header === undefined) return null;
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (!match || (match[1] === "" && match[2] === "")) return "unsatisfiable";
  const [, first = "", last = ""] = match;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return start <= end ? { start, end } : "unsatisfiable";
}
