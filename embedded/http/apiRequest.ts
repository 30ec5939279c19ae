/** What the APIs take from a request: who sends it, its body and its id. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Caller } from "../functions/caller";
import { isObject, type Json, type JsonObject } from "../values/json";
import { ApiError } from "./apiError";
import { BodyTooLargeError, readBody } from "./body";
import type { Exchange, RequestHeaders } from "./exchange";
import type { Intake } from "./intake";

/** The largest body: arguments of 16 MiB and what is around them. */
const MAX_BODY_BYTES = 16 * 1024 * 1024 + 2_000;

export type ApiRequestOptions = {
  /** Who sends a request. Throws {@link ApiError} for credentials that can't be used. */
  readonly authenticate: (
    authorization: string | undefined,
    adminKey: string | undefined,
  ) => Caller | Promise<Caller>;
  readonly intake: Intake;
};

/** Who sends a request. Throws {@link ApiError}. */
export function authenticate(
  { authenticate: check }: ApiRequestOptions,
  { request, url }: Exchange,
): Caller | Promise<Caller> {
  return check(request.headers.authorization, url.searchParams.get("adminKey") ?? undefined);
}

/** Throws {@link ApiError} for everybody but the holder of the admin key. */
export function requireAdmin(caller: Caller): void {
  if (caller.kind === "admin") return;
  throw new ApiError(403, "BadDeployKey", "The provided deploy key was invalid for this deployment");
}

/** Reads a body that must be a JSON object. Throws {@link ApiError}. */
export async function readJson({ intake }: ApiRequestOptions, request: IncomingMessage): Promise<JsonObject> {
  requireJsonType(request.headers);
  let bytes: Buffer;
  try {
    bytes = await readBody(request, MAX_BODY_BYTES, intake);
  } catch (error) {
    if (!(error instanceof BodyTooLargeError)) throw error;
    throw new ApiError(400, "BadJsonBody", "Failed to buffer the request body: length limit exceeded");
  }
  return parseJsonObject(bytes.toString("utf8"));
}

/** Throws {@link ApiError} where a request does not say that its body is JSON. */
export function requireJsonType({ "content-type": type = "" }: RequestHeaders): void {
  if (!/^application\/(json|[\w.+-]+\+json)\s*(;|$)/i.test(type)) {
    throw new ApiError(400, "BadJsonBody", "Expected request with `Content-Type: application/json`");
  }
}

/** Throws {@link ApiError} for what is no JSON, or no object. */
export function parseJsonObject(text: string): JsonObject {
  const body = parseJson(text);
  if (!isObject(body)) throw badJson("expected an object");
  return body;
}

/** Throws {@link ApiError} for what is no JSON. */
export function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw badJson((error as Error).message);
  }
}

/** The refusal of a body that is not the JSON that is wanted. */
export function badJson(problem: string): ApiError {
  return new ApiError(400, "BadJsonBody", `Failed to parse the request body as JSON: ${problem}`);
}

/** The id that the client gave the request, or a new one: 16 hex digits. */
export function requestId({ "convex-request-id": given }: RequestHeaders): string {
  return typeof given === "string" && /^[\w-]{1,64}$/.test(given) ? given : randomBytes(8).toString("hex");
}
