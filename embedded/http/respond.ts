import type { ServerResponse } from "node:http";

/** Answers with JSON text. */
export function sendJson(response: ServerResponse, status: number, json: string): void {
  send(response, status, "application/json", json);
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  send(response, status, "text/plain; charset=utf-8", text);
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  // Headers set before, such as CORS, stay.
  response.writeHead(status, { "Content-Type": contentType, "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}
