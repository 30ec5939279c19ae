/** The site origin: the app's own HTTP routes. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import type { Caller } from "../functions/caller";
import type { Disclosure } from "../functions/disclosure";
import type { Runtime } from "../functions/runtime";
import { ApiError } from "./apiError";
import { requestId } from "./apiRequest";
import { BodyTooLargeError, readBody } from "./body";
import type { Intake } from "./intake";
import { sendJson, sendJsonAndClose, sendText } from "./respond";

/** The largest body that an HTTP action gets. */
const MAX_BODY_BYTES = 20 * 1024 * 1024;

export type HttpActionsOptions = {
  readonly runtime: Runtime;
  readonly intake: Intake;
  readonly disclosure: Disclosure;
  /** Who sends a request. Credentials that can't be used are no error here; a function that asks for them gets one. */
  readonly identify: (authorization: string | undefined) => Promise<Caller>;
};

/** Runs the app's HTTP action for a request. `url` is what the action sees as the request's URL. */
export async function handleHttpAction(
  { runtime, intake, disclosure, identify }: HttpActionsOptions,
  { request, response, url }: { request: IncomingMessage; response: ServerResponse; url: URL },
): Promise<void> {
  const method = request.method ?? "GET";
  // The one method of Node's parser that a `Request` can't have.
  if (method === "TRACE") throw new ApiError(405, "MethodNotAllowed", "TRACE is not supported");
  let body: Buffer | null = null;
  try {
    if (method !== "GET" && method !== "HEAD") body = await readBody(request, MAX_BODY_BYTES, intake);
  } catch (error) {
    if (!(error instanceof BodyTooLargeError)) throw error;
    const json = JSON.stringify({ code: "RequestTooLarge", message: error.message });
    return sendJsonAndClose(request, response, 413, json);
  }
  const webRequest = new Request(url, {
    method,
    headers: headersOf(request),
    body: body && body.length > 0 ? new Uint8Array(body) : null,
  });
  const outcome = await runtime.http(webRequest, await identify(request.headers.authorization));
  if (outcome === undefined)
    return sendText(response, 404, "This Convex deployment does not have HTTP actions enabled.");
  if (outcome === null) return sendText(response, 404, "No matching routes found");
  if (!outcome.ok) {
    const body = disclosure.httpError(outcome.failure, requestId(request.headers));
    return sendJson(response, 500, JSON.stringify(body));
  }
  await sendWebResponse(response, outcome.response, method === "HEAD");
}

function headersOf(request: IncomingMessage): Headers {
  const headers = new Headers();
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    headers.append(request.rawHeaders[i] ?? "", request.rawHeaders[i + 1] ?? "");
  }
  return headers;
}

async function sendWebResponse(response: ServerResponse, web: Response, headOnly: boolean): Promise<void> {
  response.statusCode = web.status;
  for (const [name, value] of web.headers) {
    // What the app says of its body's length may be wrong, and a client would wait for the rest: Node knows.
    const isOurs = name === "set-cookie" || (name === "content-length" && !headOnly);
    if (!isOurs) response.setHeader(name, value);
  }
  const cookies = web.headers.getSetCookie();
  if (cookies.length > 0) response.setHeader("Set-Cookie", cookies);
  if (web.body === null) {
    response.end();
    return;
  }
  if (headOnly) {
    response.end();
    return web.body.cancel();
  }
  // A body may take its time to begin. When the client goes, it is cancelled, so that nobody fills it any more.
  response.flushHeaders();
  await pipeline(Readable.fromWeb(web.body as ReadableStream), response);
}
