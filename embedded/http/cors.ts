import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * The CORS of Convex's function API: any origin may call it, as calls are authorized by their token alone and never by a
 * cookie. Answers a preflight and then says so.
 */
export function handleCors(request: IncomingMessage, response: ServerResponse): "answered" | "go on" {
  const { origin } = request.headers;
  if (origin !== undefined) {
    response.setHeader("Access-Control-Allow-Origin", origin);
    response.setHeader("Access-Control-Allow-Credentials", "true");
    response.setHeader("Vary", "Origin");
  }
  if (request.method !== "OPTIONS") return "go on";
  const requested = request.headers["access-control-request-headers"];
  if (requested !== undefined) response.setHeader("Access-Control-Allow-Headers", requested);
  response.setHeader("Access-Control-Allow-Methods", "GET,POST,OPTIONS,PATCH,DELETE,PUT");
  response.setHeader("Access-Control-Max-Age", "86400");
  response.writeHead(204).end();
  return "answered";
}
