/**
 * Calls that come as plain requests are answered without Node's HTTP server, and nobody can tell: a connection on which something else
 * was asked for before is that server's for good, so the same bytes are answered by both here.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ANONYMOUS, type Caller } from "../../embedded/functions/caller";
import { ApiError } from "../../embedded/http/apiError";
import { startApiServer, type ApiServer } from "./apiServer";
import { BytesClient, UPGRADE } from "./bytesClient";

let api: ApiServer;
/** How many requests Node's HTTP server has seen. */
let seenByNode: number;
let authenticate: (authorization: string | undefined) => Caller | Promise<Caller>;

beforeEach(async () => {
  authenticate = (authorization) => {
    if (authorization === "Bearer bad")
      throw new ApiError(401, "InvalidAuthHeader", "Bad", { "X-Refused": "yes" });
    return ANONYMOUS;
  };
  api = await startApiServer({
    unreadMs: 60_000,
    authenticate: (authorization) => authenticate(authorization),
  });
  seenByNode = 0;
  api.server.on("request", () => seenByNode++);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await api.close();
  expect(api.faults).toEqual([]);
});

const VERSION = "GET /version HTTP/1.1\r\nHost: x\r\n\r\n";
/** The last request of a connection. */
const LAST = "GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

class Client extends BytesClient {
  private constructor(
    socket: Socket,
    /** The server's end of it. */
    readonly peer: Socket,
  ) {
    super(socket);
  }

  static async open(): Promise<Client> {
    const accepted = once(api.server, "connection");
    const socket = connect({ port: api.port, host: "127.0.0.1", noDelay: true });
    const [[peer]] = await Promise.all([accepted as Promise<[Socket]>, once(socket, "connect")]);
    return new Client(socket, peer);
  }

  /** One that talks to Node's HTTP server. */
  static async ofNode(): Promise<Client> {
    const client = await Client.open();
    client.send(VERSION);
    await client.answers(1);
    client.received = "";
    return client;
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** Waits for so many answers in full, and gives their bodies. */
  async answers(count: number): Promise<string[]> {
    await this.until((received) => bodiesOf(received).length >= count);
    return bodiesOf(this.received);
  }

  /** Whether there is an answer in full, or none to come. */
  get isAnswered(): boolean {
    return this.socket.closed || bodiesOf(this.received).length > 0;
  }

  /** All that was received, without what differs from one time to the next. */
  get answered(): string {
    const text = this.received.replaceAll(/^Date: .*\r\n/gm, "").replaceAll(/Request ID: \w+/g, "Request ID");
    // Frames of the stack come and go as V8 compiles.
    return text.includes("\\n    at ")
      ? text.replaceAll(/\\n {4}at [^\\"]+/g, "").replaceAll(/^Content-Length: .*\r\n/gm, "")
      : text;
  }
}

/** The bodies of answers that are there in full. */
function bodiesOf(received: string): string[] {
  const bodies: string[] = [];
  for (let rest = received.replace("HTTP/1.1 100 Continue\r\n\r\n", ""); ;) {
    const end = rest.indexOf("\r\n\r\n");
    const length = /^Content-Length: (\d+)\r$/m.exec(rest.slice(0, end))?.[1];
    const last = end + 4 + Number(length);
    if (end === -1 || length === undefined || rest.length < last) return bodies;
    bodies.push(rest.slice(end + 4, last));
    rest = rest.slice(last);
  }
}

function post(path: string, body: unknown, fields: readonly string[] = []): string {
  const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const head = [`POST ${path} HTTP/1.1`, "Host: x", "Content-Type: application/json", ...fields];
  return `${head.join("\r\n")}\r\nContent-Length: ${bytes.length}\r\n\r\n${bytes.toString("latin1")}`;
}

const byAuthor = (author: string) => post("/api/query", { path: "notes:byAuthor", args: { author } });
/** The answer to it. */
const NONE = '{"status":"success","value":[]}';
const large = (length: number, salt = 0) =>
  post("/api/query", { path: "misbehave:large", args: { length, salt } });

/** Has the next call wait before it begins. */
function heldUp(): { begun: Promise<void>; goOn: () => void } {
  let goOn = () => undefined as void;
  const begun = new Promise<void>((resolve) => {
    authenticate = () => {
      resolve();
      return new Promise((signIn) => (goOn = () => signIn(ANONYMOUS)));
    };
  });
  return { begun, goOn: () => goOn() };
}

/**
 * What comes of a request that may have any fault: the answers to it, and to one behind it unless the connection is closed. What it may
 * lack at its end is sent when it seems to wait for that, or else stands before the next request, where it means nothing.
 */
async function trial(client: Client, request: string): Promise<string> {
  const before = client.peer.bytesRead;
  client.send(request);
  while (client.peer.bytesRead < before + request.length && !client.socket.closed) await setImmediate();
  for (let turn = 0; turn < 10 && !client.isAnswered; turn++) await setImmediate();
  if (!client.isAnswered) client.send("\r\n".repeat(25_000));
  await client.until(() => client.isAnswered);
  if (!client.received.includes("Connection: close\r\n")) client.send(LAST);
  await client.closed;
  return client.answered;
}

/** What Node's server says of a request that is none. */
const MALFORMED = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";

/** What comes of a request on a new connection, and on one of Node's server, without what may differ. */
async function compared(request: string): Promise<{ plain: string; node: string }> {
  const [ofNode, ofPlain] = [await Client.ofNode(), await Client.open()];
  const all = { node: await trial(ofNode, request), plain: await trial(ofPlain, request) };
  const [plain = "", node = ""] = [all.plain, all.node].map((answers) => answers.split(/(?=HTTP\/1\.1 )/)[0]);
  if (plain === node || plain.startsWith("HTTP/1.1 200")) return all;
  // Node's server refuses some requests before their bodies are there, and when they are differs from time to time. It closes their
  // connections; and of two things that are wrong it tells the one that it sees first.
  const isMalformed = plain === MALFORMED || node === MALFORMED;
  const comparable = (answer: string) =>
    isMalformed
      ? answer.slice(0, "HTTP/1.1 4".length)
      : answer.replaceAll(/^(Connection|Keep-Alive): .*\r\n/gm, "");
  return { plain: comparable(plain), node: comparable(node) };
}

describe("a call is answered as by Node's HTTP server", () => {
  test.each([
    ["a query", byAuthor("ann")],
    ["text beyond ASCII", byAuthor("Zoë 会议 🎥")],
    ["a mutation", post("/api/mutation", { path: "notes:changeNothing", args: { table: "notes" } })],
    ["a path", post("/api/run/notes/byAuthor", { args: { author: "ann" } })],
    ["a path with dots", post("/api/run/../run/notes/./byAuthor", { args: { author: "ann" } })],
    ["a path that names no function", post("/api/run/notes", { args: {} })],
    ["a path that is none", post("/api/run/-/-", { args: {} })],
    ["a function that fails", post("/api/mutation", { path: "misbehave:throwError", args: {} })],
    ["a function that refuses", post("/api/query", { path: "misbehave:throwConvexError", args: {} })],
    ["a query as a mutation", post("/api/mutation", { path: "notes:all", args: {} })],
    ["a function that is not there", post("/api/query", { path: "notes:none", args: {} })],
    ["arguments that are wrong", post("/api/query", { path: "notes:byAuthor", args: { author: 1 } })],
    ["no arguments", post("/api/query", { path: "notes:all" })],
    ["the admin's path", post("/api/function", { path: "notes:all", args: {} })],
    ["no JSON", post("/api/query", "{")],
    ["an empty body", post("/api/query", "")],
    ["a list", post("/api/query", "[]")],
    ["another type", byAuthor("ann").replace("application/json", "text/plain")],
    ["no type", byAuthor("ann").replace("Content-Type: application/json\r\n", "")],
    [
      "an old client",
      post("/api/query", { path: "misbehave:throwConvexError", args: {} }, ["convex-client: npm-1.0.0"]),
    ],
    ["a client that is none", post("/api/query", { path: "notes:all", args: {} }, ["Convex-Client: x"])],
    [
      "a request id",
      post("/api/mutation", { path: "misbehave:throwError", args: {} }, ["convex-request-id: mine"]),
    ],
    ["an origin", post("/api/query", { path: "notes:all", args: {} }, ["Origin: https://a.test"])],
    ["a host that is none", byAuthor("ann").replace("Host: x", "Host: 999.999.999.999")],
    [
      "a token that is refused",
      post("/api/query", { path: "notes:all", args: {} }, ["Authorization: Bearer bad"]),
    ],
    [
      "two tokens",
      post("/api/query", { path: "notes:all", args: {} }, [
        "Authorization: Bearer bad",
        "Authorization: Bearer x",
      ]),
    ],
    [
      "two tokens, the other way round",
      post("/api/query", { path: "notes:all", args: {} }, [
        "Authorization: Bearer x",
        "Authorization: Bearer bad",
      ]),
    ],
    ["two lengths", post("/api/query", { path: "notes:all", args: {} }, ["Content-Length: 5"])],
    [
      "two lengths that are the same",
      post("/api/query", { path: "notes:all", args: {} }, ["Content-Length: 30"]),
    ],
    ["two hosts", post("/api/query", { path: "notes:all", args: {} }, ["Host: y"])],
    ["no host", byAuthor("ann").replace("Host: x\r\n", "")],
    ["a large body", byAuthor("a".repeat(100_000))],
    ["a large answer", large(300_000)],
    ["a large head", post("/api/query", { path: "notes:all", args: {} }, [`X: ${"x".repeat(20_000)}`])],
    [
      "a body that waits to be asked for",
      post("/api/query", { path: "notes:all", args: {} }, ["Expect: 100-continue"]),
    ],
    ["another method", byAuthor("ann").replace("POST", "PUT")],
    [
      "a connection that is to be closed",
      post("/api/query", { path: "notes:all", args: {} }, ["Connection: close"]),
    ],
    ["HTTP/1.0", byAuthor("ann").replace("HTTP/1.1", "HTTP/1.0")],
    [
      "a body in chunks",
      'POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1c\r\n{"path":"notes:all","args":{}\r\n1\r\n}\r\n0\r\n\r\n',
    ],
  ])("with %s", async (_, request) => {
    const { plain, node } = await compared(request);
    expect(plain).toBe(node);
  });

  test("whatever of it is changed", { timeout: 60_000 }, async () => {
    const fields = ["Authorization: Bearer x", "User-Agent: test", "Connection: keep-alive"];
    const base = post("/api/run/notes/byAuthor", { args: { author: "Zoë" } }, fields);
    const inserted = fc.constantFrom(
      ...'\r|\n|\r\n|\r\n\r\n|\0|\t| |:|,|-|+|/|.|%|?|#|"|{|}|0|1|é|\x7f|..|//|%2e|HTTP/1.0'.split("|"),
      "\r\nContent-Length: 5",
      "\r\nContent-Length : 5",
      "\r\nContent-Length:\t41 ",
      "\r\nTransfer-Encoding: chunked",
      "\r\nTransfer_Encoding: chunked",
      "\r\nConnection: close",
      "\r\nConnection: keep-alive, close",
      "\r\nProxy-Connection: close",
      "\r\nKeep-Alive: timeout=1",
      "\r\nTE: trailers",
      "\r\nTrailer: X",
      "\r\nContent-Encoding: gzip",
      "\r\n folded",
      "\r\nX:",
      "\r\nX",
      "\r\n: x",
      "\r\nHost: y",
      "\r\nauthorization: Bearer y",
    );
    const change = fc.record({ at: fc.nat(base.length), removed: fc.nat(2), inserted });
    const lineEnds = [...base.matchAll(/\r\n/g)].map(({ index }) => index);
    const atLineEnd = fc.record({ at: fc.constantFrom(...lineEnds), removed: fc.constant(0), inserted });
    const changes = fc.array(fc.oneof(change, atLineEnd), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(changes, async (all) => {
        const changed = all.reduce(
          (text, { at, removed, inserted }) => text.slice(0, at) + inserted + text.slice(at + removed),
          base,
        );
        const { plain, node } = await compared(changed);
        expect(plain).toBe(node);
      }),
      { numRuns: 400 },
    );
  });
});

describe("a connection", () => {
  test("on which plain calls alone come is nothing to Node's HTTP server, whatever they are split into", async () => {
    const text = [byAuthor("ann"), post("/api/run/notes/byAuthor", { args: { author: "Zoë" } })];
    const cuts = fc.array(fc.nat(Math.min(...text.map(({ length }) => length))), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(cuts, { minLength: 1, maxLength: 4 }), async (requests) => {
        const client = await Client.open();
        for (const [i, places] of requests.entries()) {
          const request = text[i % 2] ?? "";
          const parts = [0, ...places.toSorted((a, b) => a - b), request.length];
          for (let k = 0; k + 1 < parts.length; k++) {
            client.send(request.slice(parts[k], parts[k + 1]));
            await setImmediate();
          }
          expect(await client.answers(i + 1)).toHaveLength(i + 1);
        }
        expect(bodiesOf(client.received)).toEqual(requests.map(() => NONE));
        client.socket.destroy();
      }),
      { numRuns: 50 },
    );
    expect(seenByNode).toBe(0);
  });

  test("has its answers in order, whatever comes on it and before its turn", async () => {
    const kinds = [
      { request: VERSION, body: "test" },
      { request: large(3), body: '{"status":"success","value":"xxx"}' },
      { request: large(90_000), body: `{"status":"success","value":"${"x".repeat(90_000)}"}` },
      {
        request: post("/api/query", "["),
        body: '{"code":"BadJsonBody","message":"Failed to parse the request body as JSON: Unexpected end of JSON input"}',
      },
    ];
    const step = fc.record({ kind: fc.constantFrom(...kinds), waits: fc.boolean(), turns: fc.nat(2) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const client = await Client.open();
        for (const [i, { kind, waits, turns }] of steps.entries()) {
          client.send(kind.request);
          for (let turn = 0; turn < turns; turn++) await setImmediate();
          if (waits) await client.answers(i + 1);
        }
        const bodies = await client.answers(steps.length);
        expect(bodies).toEqual(steps.map(({ kind }) => kind.body));
        client.socket.destroy();
      }),
      { numRuns: 100 },
    );
  });

  test("has the answer to a large call, however many others come at once, and whatever is wrong with those", async () => {
    const callOf = (i: number) => {
      const args = { author: `${i}`.padEnd(2_000, "é") };
      if (i % 7 === 3) return post("/api/query", `{"path":"notes:byAuthor","args":{${" ".repeat(2_000)}`);
      if (i % 7 === 5) return post("/api/query", { path: "notes:missing", args });
      if (i % 3 === 0) return post("/api/mutation", { path: "notes:add", args: { ...args, text: "" } });
      return post("/api/query", { path: "notes:byAuthor", args });
    };
    const calls = Array.from({ length: 80 }, (_, i) => callOf(i));
    const clients: Client[] = [];
    for (const _ of calls) clients.push(await Client.open());
    const answerOf = async (text: string, i: number) => {
      clients[i]?.send(text);
      const [body] = (await clients[i]?.answers(1)) ?? [];
      clients[i]?.socket.destroy();
      return body;
    };
    const expected = [NONE, "BadJsonBody", "Could not find public function", '"status":"success"'];
    const kindOf = (body: string | undefined) => expected.findIndex((part) => body?.includes(part));
    const bodies = await Promise.all(calls.map(answerOf));
    expect(bodies.map(kindOf)).toEqual(
      calls.map((_, i) => (i % 7 === 3 ? 1 : i % 7 === 5 ? 2 : i % 3 === 0 ? 3 : 0)),
    );
    expect(seenByNode).toBe(0);
  });

  test("can become a WebSocket after a call", async () => {
    const client = await Client.open();
    client.send(byAuthor("ann"));
    await client.answers(1);
    client.send(UPGRADE);
    await client.until((received) => received.includes("\r\n\r\n", received.indexOf(NONE)));
    expect(client.received).toContain(`${NONE}HTTP/1.1 101 Switching Protocols`);
    client.socket.destroy();
  });

  test("whose client sends no more has its answer, and is closed then", async () => {
    const call = heldUp();
    const client = await Client.open();
    client.send(byAuthor("ann"));
    await call.begun;
    client.socket.end();
    await once(client.peer, "end");
    call.goOn();
    await client.closed;
    expect(bodiesOf(client.received)).toEqual([NONE]);
    expect(client.received).toContain("Connection: close\r\n");
  });

  test("whose client sends no more in the midst of a request gets a 400, and is closed", async () => {
    const client = await Client.open();
    client.socket.end(byAuthor("ann").slice(0, -1), "latin1");
    await client.closed;
    expect(client.received).toBe(MALFORMED);
  });

  test("is closed when nothing has been asked on it for a while, but not before the first request", async () => {
    api.server.keepAliveTimeout = 20;
    const silent = await Client.open();
    const client = await Client.open();
    client.send(byAuthor("ann"));
    await client.closed;
    expect(bodiesOf(client.received)).toEqual([NONE]);
    silent.send(byAuthor("ann"));
    expect(await silent.answers(1)).toEqual([NONE]);
    silent.socket.destroy();
  });

  test("on which a request takes long to come is left to Node's HTTP server, which has limits for that", async () => {
    const request = byAuthor("ann");
    api.server.keepAliveTimeout = 60_000;
    const client = await Client.open();
    let now = performance.now();
    vi.spyOn(performance, "now").mockImplementation(() => now);
    client.send(request.slice(0, 30));
    await once(client.peer, "data");
    now += 61_000;
    const left = once(api.server, "request");
    client.send(request.slice(30, -1));
    await left;
    client.send(request.slice(-1));
    expect(await client.answers(1)).toEqual([NONE]);
    client.socket.destroy();
  });

  test("on which more is asked while a long answer is read gets that too", async () => {
    const client = await Client.open();
    client.send(large(15_000_000));
    await once(client.socket, "data");
    client.socket.pause();
    client.send(large(4));
    await setImmediate();
    client.socket.resume();
    await client.answers(2);
    client.send(large(5));
    const bodies = await client.answers(3);
    expect(bodies.map(({ length }) => length)).toEqual([15_000_031, 35, 36]);
    expect(seenByNode).toBe(0);
    client.socket.destroy();
  });
});

describe("a server that closes", () => {
  test("closes connections on which nothing is asked, and those with half a request", async () => {
    api.server.keepAliveTimeout = 60_000;
    const idle = await Client.open();
    idle.send(byAuthor("ann"));
    await idle.answers(1);
    const silent = await Client.open();
    const half = await Client.open();
    half.send(byAuthor("ann").slice(0, 30));
    await once(half.peer, "data");
    await Promise.all([api.close(), idle.closed, silent.closed, half.closed]);
    expect(bodiesOf(half.received)).toEqual([]);
  });

  test("answers what is under way, and closes its connection", async () => {
    const call = heldUp();
    const client = await Client.open();
    client.send(byAuthor("ann"));
    await call.begun;
    const closed = api.close();
    call.goOn();
    await Promise.all([closed, client.closed]);
    expect(bodiesOf(client.received)).toEqual([NONE]);
    expect(client.received).toContain("Connection: close\r\n");
  });
});
