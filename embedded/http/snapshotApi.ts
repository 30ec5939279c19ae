/** The HTTP API by which the official command line exports and imports snapshots. All of it is the admin's. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Exports } from "../deploy/snapshotExport";
import type { Imports } from "../deploy/imports";
import { ApiError } from "./apiError";
import { sendJson } from "./respond";
import type { JsonObject } from "../values/json";

export type SnapshotApiOptions = { readonly exports: Exports; readonly imports: Imports };

type Exchange = { request: IncomingMessage; response: ServerResponse; url: URL };

/** Answers a request if it is one of this API, once `requireAdmin` lets it pass; false if it is not. */
export async function handleSnapshotRequest(
  { exports, imports }: SnapshotApiOptions,
  { request, response, url }: Exchange,
  requireAdmin: () => Promise<void>,
  readJson: () => Promise<JsonObject>,
): Promise<boolean> {
  const { pathname, searchParams } = url;
  if (!/^\/api\/(export|import|perform_import)(\/|$)/.test(pathname)) return false;
  await requireAdmin();
  const answer = (body: unknown) => {
    sendJson(response, 200, JSON.stringify(body));
    return true;
  };
  const file = /^\/api\/export\/zip\/([^/]+)$/.exec(pathname)?.[1];
  if (file !== undefined && request.method === "GET") {
    const found = await exports.read(file);
    if (found === null) throw new ApiError(404, "ExportNotFound", "There is no such export");
    response.writeHead(200, {
      "Content-Type": "application/zip",
      "Content-Length": found.sizeBytes,
      "Content-Disposition": `attachment; filename=${found.name}`,
    });
    await pipeline(found.stream, response);
    return true;
  }
  switch (`${request.method} ${pathname}`) {
    case "POST /api/export/request/zip":
      exports.request(searchParams.get("includeStorage") === "true");
      return answer({});
    case "POST /api/import/start_upload":
      return answer({ uploadToken: imports.startUpload() });
    case "POST /api/import/upload_part": {
      const part = Number(searchParams.get("partNumber"));
      return answer(await imports.uploadPart(searchParams.get("uploadToken") ?? "", part, request));
    }
    case "POST /api/import/finish_upload": {
      const { import: what, uploadToken, partTokens } = await readJson();
      return answer({ importId: imports.finishUpload(uploadToken, partTokens, what) });
    }
    case "POST /api/perform_import":
      imports.confirm((await readJson())["importId"]);
      return answer({});
    default:
      throw new ApiError(404, "NotFound", `There is nothing at ${pathname}`);
  }
}
