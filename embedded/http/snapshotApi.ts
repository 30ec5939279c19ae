/** The HTTP API by which the official command line exports and imports snapshots. All of it is the admin's. */
import { pipeline } from "node:stream/promises";
import type { Exports } from "../deploy/snapshotExport";
import type { Imports } from "../deploy/imports";
import { ApiError } from "./apiError";
import { partsOf } from "./body";
import type { Exchange } from "./exchange";
import { sendJson } from "./respond";
import type { JsonObject } from "../values/json";

export type SnapshotApiOptions = { readonly exports: Exports; readonly imports: Imports };

/** Whether a request for this path is one of this API. */
export function isSnapshotPath(path: string): boolean {
  return /^\/api\/(export|import|perform_import)(\/|$)/.test(path);
}

/** Answers a request of this API, once `requireAdmin` lets it pass. */
export async function handleSnapshotRequest(
  { exports, imports }: SnapshotApiOptions,
  { request, response, url: { searchParams }, path }: Exchange,
  requireAdmin: () => Promise<void>,
  readJson: () => Promise<JsonObject>,
): Promise<void> {
  await requireAdmin();
  const answer = (body: unknown) => sendJson(response, 200, JSON.stringify(body));
  const file = /^\/api\/export\/zip\/([^/]+)$/.exec(path)?.[1];
  if (file !== undefined && request.method === "GET") {
    const found = await exports.read(file);
    if (found === null) throw new ApiError(404, "ExportNotFound", "There is no such export");
    response.writeHead(200, {
      "Content-Type": "application/zip",
      "Content-Length": found.sizeBytes,
      "Content-Disposition": `attachment; filename=${found.name}`,
    });
    return pipeline(found.stream, response);
  }
  switch (`${request.method} ${path}`) {
    case "POST /api/export/request/zip":
      exports.request(searchParams.get("includeStorage") === "true");
      return answer({});
    case "POST /api/import/start_upload":
      return answer({ uploadToken: imports.startUpload() });
    case "POST /api/import/upload_part": {
      const part = Number(searchParams.get("partNumber"));
      return answer(await imports.uploadPart(searchParams.get("uploadToken") ?? "", part, partsOf(request)));
    }
    case "POST /api/import/finish_upload": {
      const { import: what, uploadToken, partTokens } = await readJson();
      return answer({ importId: imports.finishUpload(uploadToken, partTokens, what) });
    }
    case "POST /api/perform_import":
      imports.confirm((await readJson())["importId"]);
      return answer({});
    default:
      throw new ApiError(404, "NotFound", `There is nothing at ${path}`);
  }
}
