/** What hostile clients send costs them their connection, and the server neither its life nor its memory, which is measured. */
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { BytesClient, UPGRADE } from "./bytesClient";
import { MeasuredServer } from "./measured";
import { addQuery, mutation, RawClient } from "./rawClient";

const MEGABYTE = 1024 * 1024;
/** Of unfinished messages and bodies 256 MiB are held, and the pieces in which they have come are not full. */
const UNFINISHED_BYTES = 384 * MEGABYTE;
/** What garbage collection, compiled code and caches may add, whatever clients do. */
const SLACK_BYTES = 30 * MEGABYTE;

let server: MeasuredServer;
let heapBefore: number;

beforeAll(async () => {
  server = await MeasuredServer.start();
  await stillServes();
  heapBefore = (await server.measure()).heapBytes;
});

afterEach(async () => {
  await stillServes();
  await server.shrinksTo(heapBefore + SLACK_BYTES);
  expect((await server.measure()).faults).toBe(0);
});

/** Others are served, whatever one client does. */
async function stillServes(): Promise<void> {
  const client = await RawClient.connected(server.url);
  client.send(addQuery(0, "notes:byAuthor", [{ author: "nobody" }]));
  await client.until(({ type }) => type === "Transition");
  client.close();
  expect((await fetch(`${server.url}/version`)).status).toBe(200);
}

class Bytes extends BytesClient {
  static async open(url: string): Promise<Bytes> {
    const socket = connectTcp(Number(new URL(url).port), "127.0.0.1");
    await once(socket, "connect");
    return new Bytes(socket);
  }

  /** A WebSocket after its handshake. */
  static async webSocket(): Promise<Bytes> {
    const bytes = await Bytes.open(server.url);
    bytes.socket.write(UPGRADE);
    await bytes.until((received) => received.includes("\r\n\r\n"));
    return bytes;
  }

  /** Sends bytes; resolves when the system has taken all of them, or the connection is gone. */
  async send(bytes: Buffer): Promise<void> {
    const sent = new Promise((resolve) => this.socket.write(bytes, resolve));
    await Promise.race([sent, this.closed]);
  }
}

/** The start of a masked text frame, whose mask changes nothing. */
function frameStart(payloadBytes: number): Buffer {
  const header = Buffer.alloc(14);
  header[0] = 0x81;
  header[1] = 0xff;
  header.writeBigUInt64BE(BigInt(payloadBytes), 2);
  return header;
}

describe("bytes on a socket", () => {
  test.each([
    ["random messages", fc.string({ unit: "binary", maxLength: 300 })],
    ["random bytes", fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))],
    ["JSON of any shape", fc.json({ maxDepth: 4 })],
    [
      "messages with fields of the wrong kind",
      fc
        .record({
          type: fc.constantFrom("Connect", "Authenticate", "ModifyQuerySet", "Mutation", "Action", "Event"),
          baseVersion: fc.anything(),
          newVersion: fc.anything(),
          modifications: fc.anything(),
          requestId: fc.anything(),
          udfPath: fc.anything(),
          args: fc.anything(),
          value: fc.anything(),
          tokenType: fc.anything(),
        })
        .map((message) => JSON.stringify(message) ?? ""),
    ],
  ])("%s close the socket that they come on", async (_what, messages: fc.Arbitrary<string | Buffer>) => {
    await fc.assert(
      fc.asyncProperty(messages, async (message) => {
        const client = await RawClient.connected(server.url);
        client.send(message);
        client.send("no message either");
        expect((await client.closed).code).not.toBe(1011);
      }),
      { numRuns: 40 },
    );
  });

  test.each([
    ["a frame that is not masked", Buffer.from([0x81, 0x01, 0x61])],
    ["a frame with reserved bits", Buffer.from([0xf1, 0x80, 0, 0, 0, 0])],
    ["an unknown kind of frame", Buffer.from([0x83, 0x80, 0, 0, 0, 0])],
    ["the continuation of nothing", Buffer.from([0x80, 0x80, 0, 0, 0, 0])],
    ["a ping in parts", Buffer.from([0x09, 0x80, 0, 0, 0, 0])],
    ["a frame of 2^62 bytes", frameStart(2 ** 62)],
    ["a frame of 21 MiB", frameStart(21 * MEGABYTE)],
    ["text that is no UTF-8", Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff])],
  ])("%s closes it", async (_what, bytes) => {
    const client = await Bytes.webSocket();
    await client.send(bytes);
    await client.closed;
    expect(client.socket.closed).toBe(true);
  });

  test("unfinished messages of many sockets are held up to a limit, beyond which sockets are closed", async () => {
    const clients = await Promise.all(Array.from({ length: 40 }, () => Bytes.webSocket()));
    const half = Buffer.concat([frameStart(20 * MEGABYTE), Buffer.alloc(15 * MEGABYTE, "x")]);
    await Promise.all(clients.map((client) => client.send(half)));
    await Promise.race(clients.map(({ closed }) => closed));
    expect((await server.measure()).heapBytes - heapBefore).toBeLessThan(UNFINISHED_BYTES);
    for (const { socket } of clients) socket.destroy();
  });
});

describe("queries", () => {
  const add = (queryId: number, author: string) => ({
    type: "Add",
    queryId,
    udfPath: "notes:byAuthor",
    args: [{ author }],
  });
  const modify = (baseVersion: number, modifications: unknown[]) => ({
    type: "ModifyQuerySet",
    baseVersion,
    newVersion: baseVersion + 1,
    modifications,
  });
  const TOO_LARGE = { code: 1013, reason: "The queries and their results are too large" };
  const COUNT = 10_000;
  const numbers = Array.from({ length: COUNT }, (_, i) => i);
  const transitionOf = (client: RawClient, querySet: number) =>
    client.until(
      ({ type, endVersion }) =>
        type === "Transition" && (endVersion as { querySet: number }).querySet === querySet,
    );

  test.each([
    ["different queries", (i: number) => `author ${i}`],
    ["times the same query", () => "author 5"],
  ])("10,000 %s in one session are answered, kept up to date and forgotten", async (_what, author) => {
    const client = await RawClient.connected(server.url);
    client.send(
      modify(
        0,
        numbers.map((i) => add(i, author(i))),
      ),
    );
    expect((await transitionOf(client, 1))["modifications"]).toHaveLength(COUNT);
    client.send(mutation(0, crypto.randomUUID(), "author 5"));
    await client.until(({ type }) => type === "MutationResponse");
    await client.until(
      ({ type, modifications, startVersion }) =>
        type === "Transition" &&
        (startVersion as { querySet: number }).querySet === 1 &&
        (modifications as { queryId: number }[]).some(({ queryId }) => queryId === 5),
    );
    client.send(
      modify(
        1,
        numbers.map((queryId) => ({ type: "Remove", queryId })),
      ),
    );
    expect((await transitionOf(client, 2))["modifications"]).toHaveLength(COUNT);
    client.close();
  });

  test("more of them close the socket", async () => {
    const client = await RawClient.connected(server.url);
    client.send(
      modify(
        0,
        [...numbers, COUNT].map((i) => add(i, "author 5")),
      ),
    );
    expect(await client.until(({ type }) => type === "FatalError")).toMatchObject({
      error: "More than 10000 queries",
    });
    await client.closed;
  });

  test("a query set that changes without a pause is followed to its end", async () => {
    const client = await RawClient.connected(server.url);
    for (let version = 0; version < 900; version++) {
      client.send(modify(version, [version % 2 === 0 ? add(7, "author 7") : { type: "Remove", queryId: 7 }]));
    }
    await transitionOf(client, 900);
    expect(client.received.some(({ type }) => type === "FatalError")).toBe(false);
    client.close();
  });

  test("results of more than 128 MiB in one session close its socket", async () => {
    const client = await RawClient.connected(server.url);
    const large = (queryId: number) => ({
      type: "Add",
      queryId,
      udfPath: "misbehave:large",
      args: [{ length: 12 * MEGABYTE, salt: queryId }],
    });
    client.send(modify(0, numbers.slice(0, 15).map(large)));
    expect(await client.closed).toEqual(TOO_LARGE);
  });

  test("arguments count as often as they are held, and close the socket when that is more than 128 MiB", async () => {
    const client = await RawClient.connected(server.url);
    const large = "x".repeat(10_000_000);
    const all = numbers.slice(0, 13);
    for (const i of all) client.send(modify(i, [{ ...add(i, `${i}${large}`), udfPath: "notes:gone" }]));
    const answered = transitionOf(client, all.length).then(() => "all are answered");
    expect(await Promise.race([client.closed, answered])).toEqual(TOO_LARGE);
  });

  test("arguments that many sessions ask with are held once", async () => {
    const clients: RawClient[] = [];
    const watchLarge = async () => {
      const client = await RawClient.connected(server.url);
      clients.push(client);
      client.send(modify(0, [add(0, "x".repeat(10_000_000))]));
      await transitionOf(client, 1);
    };
    await watchLarge();
    const { heapBytes } = await server.measure();
    expect(heapBytes - heapBefore).toBeGreaterThan(10_000_000);
    for (let i = 0; i < 15; i++) await watchLarge();
    await server.shrinksTo(heapBytes + SLACK_BYTES);
    for (const client of clients) client.close();
  });

  test("names of some 10 MB that no function has are forgotten when they are answered", async () => {
    for (const i of numbers.slice(0, 20)) {
      const response = await fetch(`${server.url}/api/query`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ path: `${i}${"x".repeat(10_000_000)}`, args: {} }),
      });
      expect(await response.json()).toMatchObject({ status: "error" });
    }
    await server.shrinksTo(heapBefore + SLACK_BYTES);
  });
});

describe("clients that send faster than they are served", () => {
  test("more than 1,000 waiting mutations close the socket; those that were answered have run once", async () => {
    const client = await RawClient.connected(server.url);
    for (let i = 0; i < 3_000; i++) client.send(mutation(i, String(i), "flood"));
    expect(await client.closed).toMatchObject({ code: 1013 });
    const reader = await RawClient.connected(server.url);
    reader.send(addQuery(0, "notes:byAuthor", [{ author: "flood" }]));
    const { modifications } = await reader.until(({ type }) => type === "Transition");
    const [{ value } = { value: [] }] = modifications as { value: string[] }[];
    const answered = client.received.filter(({ type }) => type === "MutationResponse");
    expect(new Set(value).size).toBe(value.length);
    expect(value).toEqual(expect.arrayContaining(answered.map(({ requestId }) => String(requestId))));
    reader.close();
  });

  test("large mutations are read no faster than they run, and all of them are answered", async () => {
    const client = await RawClient.connected(server.url);
    const text = "x".repeat(4 * MEGABYTE);
    for (let i = 0; i < 20; i++) client.send(mutation(i, text, "large"));
    await client.until(({ requestId }) => requestId === 0);
    expect((await server.measure()).heapBytes - heapBefore).toBeLessThan(60 * MEGABYTE);
    await client.until(({ requestId }) => requestId === 19);
    expect(client.received.filter(({ type }) => type === "MutationResponse")).toHaveLength(20);
    client.close();
  });

  test("requests on one HTTP connection that do not wait for answers close it after 100", async () => {
    const client = await Bytes.open(server.url);
    const request = "GET /version HTTP/1.1\r\nHost: x\r\n\r\n";
    await client.send(Buffer.from(request.repeat(100)));
    await client.until((received) => received.split("HTTP/1.1 200").length === 101);
    const body = JSON.stringify({ path: "notes:add", args: { author: "pipelined", text: "x" } });
    const post = `POST /api/mutation HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    await client.send(Buffer.from(post.repeat(50_000)));
    await client.closed;
    expect(client.received.split("HTTP/1.1 200").length).toBeLessThan(50_000);
  });
});

describe("clients that are slow", () => {
  test.each(["url", "siteUrl"] as const)(
    "heads of requests that never end hold nobody up (%s)",
    async (origin) => {
      const clients = await Promise.all(Array.from({ length: 500 }, () => Bytes.open(server[origin])));
      await Promise.all(
        clients.map((client) =>
          client.send(Buffer.from(`GET /version HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(8_000)}`)),
        ),
      );
      await stillServes();
      expect((await server.measure()).heapBytes - heapBefore).toBeLessThan(SLACK_BYTES);
      for (const { socket } of clients) socket.destroy();
    },
  );

  test("bodies that never end are held up to a limit, beyond which requests are refused with 503", async () => {
    const clients = await Promise.all(Array.from({ length: 40 }, () => Bytes.open(server.url)));
    const head =
      "POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 16000000\r\n\r\n";
    const half = Buffer.concat([Buffer.from(head), Buffer.alloc(15_000_000, " ")]);
    await Promise.all(clients.map((client) => client.send(half)));
    await Promise.race(clients.map((client) => client.until((received) => received !== "")));
    const answers = clients.map(({ received }) => received).filter((received) => received !== "");
    expect(answers[0]).toMatch(/^HTTP\/1\.1 503 .*"code":"Overloaded"/s);
    expect((await server.measure()).heapBytes - heapBefore).toBeLessThan(UNFINISHED_BYTES);
    for (const { socket } of clients) socket.destroy();
  });

  test("what waits for clients that do not read is bounded, and they are cut off", async () => {
    const sleepers = await Promise.all(Array.from({ length: 4 }, () => RawClient.connected(server.url)));
    for (const client of sleepers) client.send(addQuery(0, "notes:byAuthor", [{ author: "unread" }]));
    await Promise.all(sleepers.map((client) => client.until(({ type }) => type === "Transition")));
    for (const client of sleepers) client.stopReading();
    const writer = await RawClient.connected(server.url);
    // Each result is larger than the one before; together they are 136 MB for each sleeper.
    for (let i = 0; i < 16; i++) {
      writer.send(mutation(i, "x".repeat(1_000_000), "unread"));
      await writer.until(({ requestId }) => requestId === i);
    }
    await stillServes();
    expect((await server.measure()).heapBytes - heapBefore).toBeLessThan(4 * 64 * MEGABYTE);
    for (const client of sleepers) client.readOn();
    for (const client of sleepers) expect((await client.closed).code).toBe(1006);
    writer.close();
  });
});
