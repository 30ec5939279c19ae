import type { IncomingMessage, ServerResponse } from "node:http";

/** How long a client may go on sending what nobody reads, once it has its answer. */
const LINGER_MS = 2_000;

/** Answers with JSON text. */
export function sendJson(response: ServerResponse, status: number, json: string): void {
  send(response, status, "application/json", json);
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  send(response, status, "text/plain; charset=utf-8", text);
}

/**
 * Answers a request before its body has come in full, and closes the connection: not at once, as a client that is still sending
 * would lose the answer.
 */
export function sendJsonAndClose(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  json: string,
): void {
  response.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(json),
    Connection: "close",
  });
  response.write(json);
  const end = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  request.once("end", end).once("close", end).resume();
  if (request.destroyed) end();
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  // Headers set before, such as CORS, stay.
  response.writeHead(status, { "Content-Type": contentType, "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}
