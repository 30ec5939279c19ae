/** The HTTP API of the cloud origin: how official clients without a socket, and any HTTP client, call functions. */
import { isObject } from "../values/json";
import { decodeTimestamp, encodeTimestamp } from "../values/timestamp";
import { ApiError } from "./apiError";
import {
  authenticate,
  badJson,
  parseJson,
  readJson,
  requireAdmin,
  type ApiRequestOptions,
} from "./apiRequest";
import type { Exchange } from "./exchange";
import {
  answerCall,
  formatOf,
  isCallPath,
  outcomeJson,
  toCall,
  type FunctionCallOptions,
} from "./functionCalls";
import { sendJson, sendText } from "./respond";
import { download, upload, type StorageApiOptions } from "./storageApi";

/** The most queries in one batch. */
const MAX_BATCH = 100;
/** How long a request for logs waits for one. */
const LOG_WAIT_MS = 60_000;

export type FunctionsApiOptions = StorageApiOptions &
  ApiRequestOptions &
  FunctionCallOptions & {
    /** Sets environment variables of the deployment, or removes them. Throws {@link ApiError} and changes nothing if it can't. */
    readonly setEnvironment: (
      changes: readonly { readonly name: string; readonly value: string | null }[],
    ) => Promise<void>;
    /** What `GET /version` says. */
    readonly version: string;
    readonly instanceName: string;
  };

/** Answers a request of the cloud origin, CORS done. Throws or rejects with {@link ApiError} or what was not expected. */
export function handleApiRequest(options: FunctionsApiOptions, exchange: Exchange): Promise<void> | void {
  const { response, url, path } = exchange;
  const method = exchange.request.method === "HEAD" ? "GET" : exchange.request.method;
  if (path === "/api/query" && method === "GET") return queryByUrl(options, exchange);
  if (isCallPath(path)) {
    requireMethod(method, "POST");
    return call(options, exchange);
  }
  if (path === "/api/storage/upload") {
    requireMethod(method, "POST");
    return upload(options, exchange.request, response, url.searchParams.get("token"));
  }
  if (path.startsWith("/api/storage/")) {
    requireMethod(method, "GET");
    return download(options, exchange.request, response, path.slice("/api/storage/".length));
  }
  switch (path) {
    case "/":
      requireMethod(method, "GET");
      return sendText(response, 200, "This Convex deployment is running. See https://docs.convex.dev/.");
    case "/version":
      requireMethod(method, "GET");
      return sendText(response, 200, options.version);
    case "/instance_name":
      requireMethod(method, "GET");
      return sendText(response, 200, options.instanceName);
    case "/instance_version":
      requireMethod(method, "GET");
      return sendText(response, 200, options.version);
    case "/api/query_ts":
      requireMethod(method, "POST");
      return queryTimestamp(options, exchange);
    case "/api/query_at_ts":
      requireMethod(method, "POST");
      return queryAt(options, exchange);
    case "/api/query_batch":
      requireMethod(method, "POST");
      return queryBatch(options, exchange);
    case "/api/update_environment_variables":
      requireMethod(method, "POST");
      return updateEnvironment(options, exchange);
    case "/api/stream_function_logs":
      requireMethod(method, "GET");
      return streamLogs(options, exchange);
    default:
      throw new ApiError(404, "NotFound", `There is nothing at ${path}`);
  }
}

function requireMethod(method: string | undefined, allowed: "GET" | "POST"): void {
  if (method !== allowed) {
    throw new ApiError(405, "MethodNotAllowed", `Use ${allowed} here`, { Allow: allowed });
  }
}

/** Calls the function that a request names. */
async function call(options: FunctionsApiOptions, exchange: Exchange): Promise<void> {
  const { request, response, path } = exchange;
  const json = await answerCall(options, {
    path,
    headers: request.headers,
    caller: await authenticate(options, exchange),
    readJson: () => readJson(options, request),
  });
  sendJson(response, 200, json);
}

/** `GET /api/query?path=…&args=…&format=…`. */
async function queryByUrl(options: FunctionsApiOptions, exchange: Exchange): Promise<void> {
  const caller = await authenticate(options, exchange);
  const { searchParams } = exchange.url;
  const path = searchParams.get("path");
  const argsText = searchParams.get("args");
  if (path === null || argsText === null) {
    throw new ApiError(400, "BadQueryArgs", "The URL needs the parameters `path` and `args`");
  }
  const format = formatOf(exchange.request.headers, searchParams.get("format"));
  const call = toCall(path, parseJson(argsText), caller);
  const outcome = await options.runtime.call("query", call);
  sendJson(exchange.response, 200, outcomeJson(options, exchange.request.headers, outcome, format));
}

/** `POST /api/query_ts`: the timestamp of the last commit. */
async function queryTimestamp({ runtime }: FunctionsApiOptions, { response }: Exchange): Promise<void> {
  sendJson(response, 200, JSON.stringify({ ts: encodeTimestamp(await runtime.keepTimestamp()) }));
}

/** `POST /api/query_at_ts` with `{path, args, ts, format?}`: the state at a `ts` that `query_ts` has given lately. */
async function queryAt(options: FunctionsApiOptions, exchange: Exchange): Promise<void> {
  const caller = await authenticate(options, exchange);
  const { path, args, ts, format } = await readJson(options, exchange.request);
  const wanted = typeof ts === "string" ? decodeTimestamp(ts) : null;
  if (typeof path !== "string") throw badJson("missing field `path`");
  if (wanted === null) throw badJson("`ts` is not a timestamp");
  if (wanted > (await options.runtime.keepTimestamp())) {
    throw new ApiError(400, "TimestampInFuture", "`ts` is later than the last commit");
  }
  const valueFormat = formatOf(exchange.request.headers, format);
  const outcome = await options.runtime.queryAt(wanted, toCall(path, args, caller));
  if (outcome === null) {
    throw new ApiError(
      400,
      "OutOfRetention",
      "The state at `ts` is not kept any more: ask for a new timestamp",
    );
  }
  sendJson(exchange.response, 200, outcomeJson(options, exchange.request.headers, outcome, valueFormat));
}

/** `POST /api/query_batch` with `{queries: [{path, args, format?}]}`: all results are of one state of the database. */
async function queryBatch(options: FunctionsApiOptions, exchange: Exchange): Promise<void> {
  const caller = await authenticate(options, exchange);
  const { queries } = await readJson(options, exchange.request);
  if (!Array.isArray(queries)) throw badJson("missing field `queries`");
  if (queries.length > MAX_BATCH) throw badJson(`more than ${MAX_BATCH} queries`);
  const calls = queries.map((query) => {
    if (!isObject(query) || typeof query["path"] !== "string") throw badJson("missing field `path`");
    return {
      call: toCall(query["path"], query["args"], caller),
      format: formatOf(exchange.request.headers, query["format"]),
    };
  });
  // Calls run in the order in which they are made, and nothing else is called in between.
  const outcomes = await Promise.all(
    calls.map(async ({ call, format }) => ({ outcome: await options.runtime.call("query", call), format })),
  );
  const results = outcomes.map(({ outcome, format }) =>
    outcomeJson(options, exchange.request.headers, outcome, format),
  );
  sendJson(exchange.response, 200, `{"results":[${results.join(",")}]}`);
}

/** `GET /api/stream_function_logs?cursor=N`, for the admin: waits until there is something to tell. */
async function streamLogs(options: FunctionsApiOptions, exchange: Exchange): Promise<void> {
  requireAdmin(await authenticate(options, exchange));
  const cursor = Number(exchange.url.searchParams.get("cursor") ?? 0);
  if (!Number.isSafeInteger(cursor) || cursor < 0) {
    throw new ApiError(400, "BadQueryArgs", "`cursor` must be a number that an earlier answer has given");
  }
  sendJson(exchange.response, 200, JSON.stringify(await options.runtime.log.since(cursor, LOG_WAIT_MS)));
}

/** `POST /api/update_environment_variables` with `{changes: [{name, value}]}`, for the admin; `null` removes a variable. */
async function updateEnvironment(options: FunctionsApiOptions, exchange: Exchange): Promise<void> {
  requireAdmin(await authenticate(options, exchange));
  const { changes } = await readJson(options, exchange.request);
  if (!Array.isArray(changes)) throw badJson("missing field `changes`");
  await options.setEnvironment(
    changes.map((change) => {
      const { name, value } = isObject(change) ? change : {};
      if (typeof name !== "string" || (typeof value !== "string" && value !== null)) {
        throw badJson("a change needs a `name`, and a `value` that is text or null");
      }
      return { name, value };
    }),
  );
  exchange.response.writeHead(200, { "Content-Length": 0 }).end();
}
