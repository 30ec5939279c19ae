import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { beforeAll, expect, test } from "vitest";
import { startServer, type TestServer } from "../temporaryServer";
import { FIXTURE_APP } from "./harness";

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ appFolder: FIXTURE_APP });
});

/** Sends a request with this target and `Host`, which `fetch` would write as it likes. */
async function send(
  target: string,
  { host, body = "" }: { host: string; body?: string },
): Promise<{ status: number | undefined; body: string }> {
  const { hostname, port } = new URL(server.siteUrl);
  const method = body === "" ? "GET" : "POST";
  const sent = request({ hostname, port, path: target, method, headers: { host } });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return { status: response.statusCode, body: await text(response) };
}

test("an action sees the host and the parameters of its own request, whatever was asked for before", async () => {
  const note = JSON.stringify({ author: "ann", text: "hello" });
  const urls = ["a.test/notes", "b.test:99/notes", "a.test/notes?n=1", "a.test/notes?n=2", "a.test/notes"];
  for (const url of urls) {
    const slash = url.indexOf("/");
    const answer = await send(url.slice(slash), { host: url.slice(0, slash), body: note });
    expect(JSON.parse(answer.body)).toMatchObject({ url: `http://${url}` });
  }
});

test("a target is normalised, each time that it is asked for", async () => {
  for (let i = 0; i < 2; i++) {
    expect(await send("/echo/a/../b%20c", { host: "a.test" })).toEqual({ status: 200, body: "/echo/b%20c" });
  }
});

test.each(["//echo/a", "//x/echo/a", "///x/echo/a", "/\\x/echo/a", "/\\/x/echo/a"])(
  "the target %j is a path of this host, which nothing has, and names no other host",
  async (target) => {
    for (let i = 0; i < 2; i++) {
      expect(await send(target, { host: "a.test" })).toMatchObject({ status: 404 });
    }
  },
);

test.each(["a b", "user@a.test", "999.999.999.999"])("a request for the host %j is refused", async (host) => {
  for (let i = 0; i < 2; i++) {
    const { status, body } = await send("/echo/a", { host });
    expect({ status, code: (JSON.parse(body) as { code: string }).code }).toEqual({
      status: 400,
      code: "BadRequest",
    });
  }
});
