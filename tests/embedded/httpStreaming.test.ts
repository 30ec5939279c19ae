import { beforeAll, expect, test } from "vitest";
import { startServer, type TestServer } from "../temporaryServer";
import { FIXTURE_APP } from "./harness";

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ appFolder: FIXTURE_APP });
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
