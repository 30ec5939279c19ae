import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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

test.each(["3", "9", "0", "-1", "many"])(
  "a body of 5 bytes arrives whole, though its length is said to be %s",
  async (length) => {
    const response = await request(`/length?body=whole&length=${length}`);
    expect(await response.text()).toBe("whole");
  },
);

test("no body is no body, however long it is said to be, and HEAD tells what a GET would be told", async () => {
  expect(await (await request("/length?length=5")).text()).toBe("");
  const head = await request("/length?length=5", { method: "HEAD" });
  expect(head.headers.get("content-length")).toBe("5");
});

test("an HTTP action that gives no response is told so", async () => {
  const response = await request("/text");
  expect(response.status).toBe(500);
  expect(await response.json()).toMatchObject({
    code: expect.stringContaining("HTTP actions must return a Response") as string,
  });
  expect(server.faults).toEqual([]);
});

describe("another server's answer", () => {
  let upstream: Server;
  let url: string;

  beforeAll(async () => {
    upstream = createServer(({ url: target = "" }, response) => {
      const encoding = target.slice(1);
      const plain = Buffer.from("what it says ".repeat(100));
      const body = encoding === "gzip" ? gzipSync(plain) : plain;
      response.setHeader("Content-Length", body.length).setHeader("X-More", "kept");
      if (encoding !== "") response.setHeader("Content-Encoding", encoding);
      response.end(body);
    });
    await once(upstream.listen(0, "127.0.0.1"), "listening");
    url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  });
  afterAll(() => upstream.close());

  const seen = async (path: string, method = "GET") =>
    (await (await request(`/upstream?url=${url}/${path}&method=${method}`)).json()) as object[];

  test("can be passed on when it came compressed", async () => {
    const response = await request(`/proxy?url=${url}/gzip`);
    expect(await response.text()).toBe("what it says ".repeat(100));
    expect(response.headers.get("x-more")).toBe("kept");
    expect(response.headers.get("content-encoding")).toBeNull();
  });

  test("says how it came only where it is still like that", async () => {
    const text = "what it says ".repeat(100);
    const common = { status: 200, type: "basic", text };
    const decoded = { ...common, url: `${url}/gzip`, headers: [null, null, "kept"] };
    expect(await seen("gzip")).toEqual([decoded, decoded]);
    const plain = { ...common, url: `${url}/`, headers: [null, "1300", "kept"] };
    expect(await seen("")).toEqual([plain, plain]);
    const unknown = { ...common, url: `${url}/rot13`, headers: ["rot13", "1300", "kept"] };
    expect(await seen("rot13")).toEqual([unknown, unknown]);
    const [head] = await seen("gzip", "HEAD");
    expect(head).toMatchObject({
      headers: ["gzip", expect.stringMatching(/^\d+$/) as string, "kept"],
      text: "",
    });
  });
});
