import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createServer, type Server } from "../../embedded/index";
import { FIXTURE_APP } from "./harness";

let dataFolder: string;
let server: Server;

beforeAll(async () => {
  dataFolder = await mkdtemp(path.join(tmpdir(), "streaming-"));
  server = await createServer({ appFolder: FIXTURE_APP, dataFolder, port: 0, sitePort: 0 });
});

afterAll(async () => {
  await server.close();
  await rm(dataFolder, { recursive: true, force: true });
});

const request = (route: string, init?: RequestInit) => fetch(`${server.siteUrl}${route}`, init);
const cancelled = async () => Number(await (await request("/cancelled")).text());

test("a streamed body arrives whole, with all cookies", async () => {
  const response = await request("/stream");
  expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  expect(await response.text()).toBe("one two three");
});

test("status and headers arrive before the body begins, and a client that goes cancels the body", async () => {
  const before = await cancelled();
  const client = new AbortController();
  const response = await request("/endless", { signal: client.signal });
  expect(response.status).toBe(202);
  expect(await cancelled()).toBe(before);
  client.abort();
  await expect.poll(cancelled).toBe(before + 1);
});

test("a body that is not asked for is cancelled", async () => {
  const before = await cancelled();
  expect((await request("/endless", { method: "HEAD" })).status).toBe(202);
  await expect.poll(cancelled).toBe(before + 1);
});
