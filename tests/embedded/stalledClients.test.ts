/** Clients that are connected and do not read are cut off after a time, which is short here. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { startApiServer, type ApiServer } from "./apiServer";

let api: ApiServer;

beforeEach(async () => {
  api = await startApiServer();
});

afterEach(async () => {
  await api.close();
  expect(api.faults).toEqual([]);
});

test("a socket whose client answers no pings is closed, one whose client does stays open", async () => {
  const url = `ws://127.0.0.1:${api.port}/api/1.48.0/sync`;
  const answering = new WebSocket(url);
  await once(answering, "open");
  const silent = new WebSocket(url, { autoPong: false });
  const [code] = (await once(silent, "close")) as [number];
  expect(code).toBe(1006);
  expect(answering.readyState).toBe(WebSocket.OPEN);
  answering.close();
  await once(answering, "close");
});

test("a connection whose client reads nothing of an answer is closed, with the rest of the answer unsent", async () => {
  const length = 15_000_000;
  const body = JSON.stringify({ path: "misbehave:large", args: { length, salt: 0 } });
  const accepted = once(api.server, "connection");
  const client = connect({ port: api.port, host: "127.0.0.1" });
  client.pause();
  const head = `Host: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  client.write(`POST /api/query HTTP/1.1\r\n${head}\r\n\r\n${body}`);
  const [connection] = (await accepted) as [NodeJS.EventEmitter];
  await once(connection, "close");
  let received = 0;
  client.on("error", () => undefined);
  client.on("data", (chunk: Buffer) => (received += chunk.length));
  client.resume();
  await once(client, "close");
  expect(received).toBeLessThan(length);
});

test("a connection that waits for its next request after an answer stays open", async () => {
  const client = connect({ port: api.port, host: "127.0.0.1" });
  const request = "GET /version HTTP/1.1\r\nHost: x\r\n\r\n";
  for (let i = 0; i < 2; i++) {
    client.write(request);
    const [answer] = (await once(client, "data")) as [Buffer];
    expect(answer.toString()).toContain("200 OK");
  }
  client.destroy();
});
