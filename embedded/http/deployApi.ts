/** The HTTP API by which the official command line pushes an app. All of it is the admin's. */
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { brotliDecompress } from "node:zlib";
import type { Pushes } from "../deploy/pushes";
import { isObject, type Json, type JsonObject } from "../values/json";
import { ApiError } from "./apiError";
import { badJson, parseJson } from "./apiRequest";
import { BodyTooLargeError, readBody } from "./body";
import type { Exchange } from "./exchange";
import type { Intake } from "./intake";
import { sendJson } from "./respond";

export type DeployApiOptions = { readonly pushes: Pushes; readonly intake: Intake };

/** The largest push, as it is sent and as it is when decompressed. */
const MAX_PUSH_BYTES = 100_000_000;
const DEFAULT_SCHEMA_TIMEOUT_MS = 10_000;

type Handler = (pushes: Pushes, body: JsonObject) => unknown;

const POSTS: Readonly<Record<string, Handler>> = {
  "/api/get_config_hashes": (pushes) => pushes.configHashes(),
  "/api/deploy2/evaluate_push": (pushes, body) => pushes.evaluate(body),
  "/api/deploy2/evaluate_schema": (pushes, body) => pushes.evaluateSchema(body),
  "/api/deploy2/start_push": (pushes, body) => pushes.start(body),
  "/api/deploy2/wait_for_schema": (pushes, { schemaChange, timeoutMs }) =>
    pushes.waitForSchema(
      objectOf(schemaChange, "schemaChange"),
      typeof timeoutMs === "number" ? timeoutMs : DEFAULT_SCHEMA_TIMEOUT_MS,
    ),
  "/api/deploy2/finish_push": (pushes, { startPush, dryRun }) => {
    const started = objectOf(startPush, "startPush");
    return pushes.finish(objectOf(started["schemaChange"], "startPush.schemaChange"), dryRun === true);
  },
  // What it reports are the times that the command line has measured, which nobody here asks for.
  "/api/deploy2/report_push_completed": () => null,
};

const GETS: Readonly<Record<string, (pushes: Pushes) => unknown>> = {
  "/api/v1/get_canonical_urls": (pushes) => pushes.canonicalUrls(),
};

/** Whether a request for this path is one of this API. */
export function isDeployPath(path: string): boolean {
  return Object.hasOwn(POSTS, path) || Object.hasOwn(GETS, path);
}

/** Answers a request of this API, once `requireAdmin` lets it pass. */
export async function handleDeployRequest(
  { pushes, intake }: DeployApiOptions,
  { request, response, path }: Exchange,
  requireAdmin: () => Promise<void>,
): Promise<void> {
  const post = POSTS[path];
  const method = post ? "POST" : "GET";
  if (request.method !== method) {
    throw new ApiError(405, "MethodNotAllowed", `Use ${method} here`, { Allow: method });
  }
  // Before the body is read: a stranger's is not worth the memory.
  await requireAdmin();
  const answer = post ? await post(pushes, await readPush(request, intake)) : GETS[path]?.(pushes);
  sendJson(response, 200, JSON.stringify(answer));
}

const decompress = promisify(brotliDecompress);

/** Reads a JSON object, compressed with Brotli or as it is. */
async function readPush(request: IncomingMessage, intake: Intake): Promise<JsonObject> {
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding !== "br" && encoding !== "identity") {
    throw new ApiError(415, "UnsupportedMediaType", "A body can be sent as it is or compressed with br");
  }
  let bytes: Buffer;
  try {
    bytes = await readBody(request, MAX_PUSH_BYTES, intake);
  } catch (error) {
    if (!(error instanceof BodyTooLargeError)) throw error;
    throw new ApiError(413, "PushTooLarge", error.message);
  }
  if (encoding === "br") bytes = await decompressed(bytes);
  return objectOf(parseJson(bytes.toString("utf8")), "the body");
}

async function decompressed(bytes: Buffer): Promise<Buffer> {
  try {
    return await decompress(bytes, {
      maxOutputLength: MAX_PUSH_BYTES,
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new ApiError(413, "PushTooLarge", `The body is larger than ${MAX_PUSH_BYTES} bytes`);
    }
    throw badJson("it is not compressed with br");
  }
}

function objectOf(json: Json | undefined, what: string): JsonObject {
  if (json !== undefined && isObject(json)) return json;
  throw badJson(`${what} is not an object`);
}
