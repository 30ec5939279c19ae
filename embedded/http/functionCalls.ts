/** Calls of one function: `POST /api/run/…`, `/api/query`, `/api/mutation` and `/api/action`, however the request has come. */
import type { Caller } from "../functions/caller";
import type { Call, Outcome } from "../functions/calls";
import type { Disclosure } from "../functions/disclosure";
import type { FunctionKind } from "../functions/loadedApp";
import { canonicalPath } from "../functions/paths";
import type { Runtime } from "../functions/runtime";
import type { Json, JsonObject } from "../values/json";
import { ApiError } from "./apiError";
import { badJson, requestId, requireAdmin } from "./apiRequest";
import { defaultFormat } from "./clientVersion";
import { formatValue, parseFormat, type ValueFormat } from "./format";
import type { RequestHeaders } from "./exchange";

export type FunctionCallOptions = {
  readonly runtime: Runtime;
  readonly disclosure: Disclosure;
};

/** A request to call a function. */
export type CallRequest = {
  readonly path: string;
  readonly headers: RequestHeaders;
  /** Who sends it. */
  readonly caller: Caller;
  /** Its body, which must be a JSON object. Throws {@link ApiError}. */
  readonly readJson: () => JsonObject | Promise<JsonObject>;
};

type CallKind = FunctionKind | "any";

const KINDS: Readonly<Record<string, CallKind>> = {
  "/api/query": "query",
  "/api/mutation": "mutation",
  "/api/action": "action",
  "/api/function": "any",
};
const RUN = "/api/run/";

/** Whether a `POST` to this path calls a function. */
export function isCallPath(path: string): boolean {
  return path.startsWith(RUN) || Object.hasOwn(KINDS, path);
}

/** Calls a function and gives the answer's JSON text, with 200 also where it has failed, as in Convex. Rejects with {@link ApiError}. */
export function answerCall(options: FunctionCallOptions, request: CallRequest): Promise<string> {
  const kind = KINDS[request.path];
  if (kind === undefined) return run(options, request, request.path.slice(RUN.length));
  return callByBody(options, request, kind);
}

/**
 * `POST /api/query`, `/api/mutation`, `/api/action` with `{path, args, format?}`, and `/api/function`, for the admin, also with
 * the `componentPath` of a component.
 */
async function callByBody(
  options: FunctionCallOptions,
  request: CallRequest,
  kind: CallKind,
): Promise<string> {
  const { caller } = request;
  if (kind === "any") requireAdmin(caller);
  const body = await request.readJson();
  const path = body["path"];
  if (typeof path !== "string") throw badJson("missing field `path`");
  const format = formatOf(request.headers, body["format"]);
  const component = kind === "any" ? body["componentPath"] : undefined;
  const call = {
    ...toCall(path, body["args"], caller),
    ...(typeof component === "string" ? { component } : {}),
  };
  const outcome = await (kind === "any" ? options.runtime.callAny(call) : options.runtime.call(kind, call));
  return outcomeJson(options, request.headers, outcome, format);
}

/** `POST /api/run/{module path}/{function}` with `{args, format?}`. */
async function run(options: FunctionCallOptions, request: CallRequest, rest: string): Promise<string> {
  const slash = rest.lastIndexOf("/");
  const name = decodePath(rest.slice(slash + 1));
  if (slash === -1) {
    throw new ApiError(
      400,
      "MissingIdentifier",
      "Path or function name not provided in path, e.g. /api/run/messages/list",
    );
  }
  const module = decodePath(rest.slice(0, slash));
  const body = await request.readJson();
  const format = parseFormat(body["format"]) ?? "clean";
  const call = toCall(`${module}:${name}`, body["args"], request.caller);
  return outcomeJson(options, request.headers, await options.runtime.callAny(call), format);
}

function decodePath(path: string): string {
  try {
    return path.includes("%") ? decodeURIComponent(path) : path;
  } catch {
    throw new ApiError(400, "BadPathArgs", "The path is not valid percent-encoding");
  }
}

/** The format that a request asks for, or else the one that its client expects. */
export function formatOf({ "convex-client": client }: RequestHeaders, format: Json | undefined): ValueFormat {
  const expected = defaultFormat(typeof client === "string" ? client : undefined);
  return parseFormat(format) ?? expected;
}

/** The call of a function by its path. Throws {@link ApiError} for what can't be one. */
export function toCall(path: string, args: Json | undefined, caller: Caller): Call {
  if (canonicalPath(path) === null) {
    throw new ApiError(
      400,
      "BadConvexFunctionIdentifier",
      `${JSON.stringify(path)} is not a path to a function`,
    );
  }
  if (args === undefined) throw badJson("missing field `args`");
  if (!Array.isArray(args) && (typeof args !== "object" || args === null)) {
    throw badJson("`args` must be an object");
  }
  return { path, args, caller, internalAllowed: caller.kind === "admin" };
}

/** How a call has ended, as JSON text. */
export function outcomeJson(
  { disclosure }: FunctionCallOptions,
  headers: RequestHeaders,
  outcome: Outcome,
  format: ValueFormat,
): string {
  const logLines = disclosure.logLines(outcome.logs);
  const logs = logLines.length > 0 ? `,"logLines":${JSON.stringify(logLines)}` : "";
  if (outcome.ok) {
    return `{"status":"success","value":${formatValue(outcome.value, format)}${logs}}`;
  }
  const { failure, fault } = outcome;
  if (fault) throw new ApiError(500, "InternalServerError", failure.message);
  const message = disclosure.errorMessage(failure, requestId(headers));
  const data =
    failure.data === undefined ? "" : `,"errorData":${formatValue(JSON.stringify(failure.data), format)}`;
  return `{"status":"error","errorMessage":${JSON.stringify(message)}${data}${logs}}`;
}
