/** Requests that no honest client sends. Each must be answered or its connection closed, and the server goes on. */
import { connect, type Socket } from "node:net";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  getMeeting,
  newMeeting,
  request,
  run,
  signIn,
  startServer,
  type Person,
  type TestServer,
} from "./server";

let server: TestServer;
let host: Person;
let meetingId: string;

beforeAll(async () => {
  server = await startServer();
  host = await signIn(server, "host");
  meetingId = await newMeeting(server, host);
});

afterEach(async () => {
  expect(await getMeeting(server, host, meetingId)).toMatchObject({ title: "Planning", participantCount: 1 });
  expect((await request(`${server.url}/version`)).status).toBe(200);
  expect(server.faults).toEqual([]);
});

const ORIGINS = ["cloud", "site"] as const;
type Origin = (typeof ORIGINS)[number];

const originUrl = (origin: Origin) => (origin === "cloud" ? server.url : server.siteUrl);

/** A connection whose every byte the test decides. */
class RawConnection {
  #received = "";
  readonly closed: Promise<void>;

  private constructor(private readonly socket: Socket) {
    socket.setEncoding("latin1").on("data", (text: string) => (this.#received += text));
    // A reset is one way to close.
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  static async open(origin: Origin): Promise<RawConnection> {
    const { hostname, port } = new URL(originUrl(origin));
    const socket = connect({ host: hostname, port: Number(port) });
    const connection = new RawConnection(socket);
    await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
    return connection;
  }

  send(bytes: string | Buffer): this {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    return this;
  }

  /** Says that no more will come; answers can still be read. */
  endSending(): this {
    this.socket.end();
    return this;
  }

  /** The status codes of all answers, once there are so many or the server has closed. */
  async statuses(count = 1): Promise<number[]> {
    const found = () =>
      [...this.#received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
    while (found().length < count && !this.socket.closed) {
      await Promise.race([new Promise((resolve) => this.socket.once("data", resolve)), this.closed]);
    }
    return found();
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Sends bytes and gives the status of the answer, or "closed". */
async function exchange(origin: Origin, bytes: string | Buffer): Promise<number | "closed"> {
  const connection = await RawConnection.open(origin);
  const [status = "closed"] = await connection.send(bytes).statuses();
  connection.close();
  return status;
}

const PATHS: Record<Origin, string> = {
  cloud: "/api/mutation",
  site: "/api/run/meetings/lifecycle/createMeeting",
};

function head(origin: Origin, lines: readonly string[] = [], requestLine = `POST ${PATHS[origin]} HTTP/1.1`) {
  const { host: address } = new URL(originUrl(origin));
  const headers = [
    `Host: ${address}`,
    `Authorization: Bearer ${host.token}`,
    "Content-Type: application/json",
  ];
  return `${[requestLine, ...headers, ...lines].join("\r\n")}\r\n\r\n`;
}

function whole(origin: Origin, body: string): string {
  return head(origin, [`Content-Length: ${body.length}`]) + body;
}

const createBody = (args: string) => ({
  cloud: `{"path": "meetings/lifecycle:createMeeting", "args": ${args}}`,
  site: `{"args": ${args}}`,
});

describe.each(ORIGINS)("JSON on the %s origin", (origin) => {
  const post = (body: string) => request(`${originUrl(origin)}${PATHS[origin]}`, { body, token: host.token });
  /** Refused by the request's form, or by the function, which on the cloud origin is a 200 with an error. */
  const isRefused = async (body: string) => {
    const answer = await post(body);
    const { status } = answer.body as { status?: string };
    return answer.status === 400 || (origin === "cloud" && answer.status === 200 && status === "error");
  };

  const lists = "[".repeat(100_000) + "]".repeat(100_000);
  const objects = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;

  test.each([
    ["alone", (deep: string) => deep],
    ["as the arguments", (deep: string) => createBody(deep)[origin]],
    ["as an argument", (deep: string) => createBody(`{"title": ${deep}}`)[origin]],
    [
      "as an argument that nobody knows",
      (deep: string) => createBody(`{"title": "x", "y": ${deep}}`)[origin],
    ],
    ["as the format", (deep: string) => `${createBody("{}")[origin].slice(0, -1)}, "format": ${deep}}`],
    ["as the path", (deep: string) => `{"args": {}, "path": ${deep}}`],
  ])("100,000 nested lists or objects %s are refused", async (_where, make) => {
    expect(await isRefused(make(lists))).toBe(true);
    expect(await isRefused(make(objects))).toBe(true);
  });

  test.each([
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "$ref",
    "_id",
    "",
    "a\u0000b",
    "\u00e9",
  ])("the field name %j is a name like any other, and nobody knows it", async (name) => {
    const field = JSON.stringify(name);
    expect(await isRefused(createBody(`{"title": "x", ${field}: {"title": "y"}}`)[origin])).toBe(true);
    expect(await isRefused(createBody(`{${field}: {"title": "y"}}`)[origin])).toBe(true);
    expect(({} as Record<string, unknown>)["title"]).toBeUndefined();
  });

  test.each([
    ["half a surrogate pair", '"\\ud800"'],
    ["the other half", '"\\udc00x"'],
    ["a number", "1e308"],
    ["a number beyond all numbers", "1e999"],
    ["a list of 9,000", `[${"0,".repeat(8_999)}0]`],
    ["a megabyte of text", JSON.stringify("x".repeat(1_000_000))],
  ])("a title of %s is refused", async (_what, title) => {
    expect(await isRefused(createBody(`{"title": ${title}}`)[origin])).toBe(true);
  });

  test.each([
    ["NUL characters", "a\u0000b\u0000"],
    ["an astral character", "\u{1f600}"],
    ["words of JavaScript and SQL", "'; DROP TABLE meetings; --${process.exit()}"],
    ["characters that turn text around", "\u202eabc\u2066"],
  ])("a title of %s comes back as it was", async (_what, title) => {
    const answer = await post(createBody(JSON.stringify({ title }))[origin]);
    const { value } = answer.body as { value: { meetingId: string } };
    expect((await getMeeting(server, host, value.meetingId)).title).toBe(title);
  });

  test("the last of two equal names counts, in the check and in the function alike", async () => {
    const answer = await post(createBody('{"title": 1, "title": "second"}')[origin]);
    const { value } = answer.body as { value: { meetingId: string } };
    expect((await getMeeting(server, host, value.meetingId)).title).toBe("second");
  });
});

describe.each(ORIGINS)("bodies on the %s origin", (origin) => {
  const post = (body: string) => request(`${originUrl(origin)}${PATHS[origin]}`, { body, token: host.token });

  test.each([
    ["1 MiB and a byte", 1024 * 1024 + 1, { cloud: 200, site: 413 }],
    ["25 MiB", 25 * 1024 * 1024, { cloud: 400, site: 413 }],
  ])("of %s", async (_size, bytes, expected) => {
    const body = createBody('{"title": "x"}')[origin];
    expect((await post(" ".repeat(bytes - body.length) + body)).status).toBe(expected[origin]);
  });

  test("of 25 MiB in chunks whose sum nobody has announced", async () => {
    const connection = await RawConnection.open(origin);
    connection.send(head(origin, ["Transfer-Encoding: chunked"]));
    const chunk = `${(1 << 20).toString(16)}\r\n${" ".repeat(1 << 20)}\r\n`;
    for (let i = 0; i < 25; i++) connection.send(chunk);
    expect([[origin === "cloud" ? 400 : 413], []]).toContainEqual(await connection.statuses());
    connection.close();
  });

  test("that are announced too large are refused before they come", async () => {
    const connection = await RawConnection.open(origin);
    connection.send(head(origin, [`Content-Length: ${1e12}`]));
    expect(await connection.statuses()).toEqual([origin === "cloud" ? 400 : 413]);
    await connection.closed;
  });

  test.each([
    ["after the headers", 0],
    ["in the middle", 10],
  ])("that end %s change nothing, and the connection is closed", async (_where, sent) => {
    const body = createBody('{"title": "x"}')[origin];
    const before = await countMeetings();
    const connection = await RawConnection.open(origin);
    connection.send(head(origin, [`Content-Length: ${body.length}`]) + body.slice(0, sent)).endSending();
    await connection.closed;
    expect(await countMeetings()).toBe(before);
  });

  test("that never end hold nobody else up", async () => {
    const waiting = await Promise.all(Array.from({ length: 200 }, () => RawConnection.open(origin)));
    for (const connection of waiting) connection.send(`${head(origin, ["Content-Length: 1000"])}{"args":`);
    const answer = await run(server.siteUrl, "meetings/queries/getMeeting", { meetingId }, host.token);
    expect(answer.status).toBe(200);
    for (const connection of waiting) connection.close();
    await Promise.all(waiting.map(({ closed }) => closed));
  });

  test("that are longer than announced end the connection, since the rest is no request", async () => {
    const body = createBody('{"title": "x"}')[origin];
    const connection = await RawConnection.open(origin);
    connection.send(`${head(origin, [`Content-Length: ${body.length}`])}${body}and more`);
    // The rest may be noticed before the request has been answered.
    expect([[400], [200, 400]]).toContainEqual(await connection.statuses(2));
    await connection.closed;
  });
});

async function countMeetings(): Promise<number> {
  const answer = await run(server.siteUrl, "meetings/queries/listUserMeetings", { limit: 200 }, host.token);
  return (answer.body as { value: unknown[] }).value.length;
}

describe.each(ORIGINS)("what is hardly HTTP on the %s origin", (origin) => {
  test.each([
    ["garbage", "\x00\x01\x02\xff\xfe garbage\r\n\r\n"],
    ["the start of TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["a version of the future", "GET /version HTTP/9.9\r\nHost: x\r\n\r\n"],
    ["a header without a name", "GET /version HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n"],
    ["a header with a NUL", "GET /version HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n"],
    ["no Host", "GET /version HTTP/1.1\r\n\r\n"],
    ["100 KB in a header", `GET /version HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(100_000)}\r\n\r\n`],
    ["100 KB in the path", `GET /${"x".repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ["two lengths", "POST /version HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    ["a negative length", "POST /version HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"],
    [
      "a length and chunks",
      "POST /version HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    [
      "a chunk that lies of its size",
      "POST /version HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
    ],
  ])("%s is refused", async (_what, bytes) => {
    const status = await exchange(origin, bytes);
    expect(status === "closed" || (status >= 400 && status < 500)).toBe(true);
  });

  test.each([
    ["no version", "GET /version\r\n\r\n"],
    ["an origin of bytes", "GET /version HTTP/1.1\r\nHost: x\r\nOrigin: \xff\xfe\r\n\r\n"],
    ["a Host that is none", "GET /version HTTP/1.1\r\nHost: :::\r\n\r\n"],
    ["a Host with a space", "GET /version HTTP/1.1\r\nHost: a b\r\n\r\n"],
    ["a Host with a name and a password", "GET /version HTTP/1.1\r\nHost: a:b@c\r\n\r\n"],
    ["a Host with a path", "GET /version HTTP/1.1\r\nHost: a/b?c#d\r\n\r\n"],
    ["an empty Host", "GET /version HTTP/1.1\r\nHost: \r\n\r\n"],
    ["an absolute URL", "GET http://elsewhere.example.com/version HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["an absolute URL with a password", "GET http://a:b@c/version HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a URL of another scheme", "GET file:///etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["two slashes", "GET //elsewhere/version HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a star", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["dots", "GET /docs/../../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["escaped dots", "GET /docs/%2e%2e%2fpackage.json HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["an escape that is none", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a NUL in the path", "GET /docs/%00 HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["TRACE", "TRACE /version HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a method of WebDAV", "PROPFIND /version HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["an upgrade", "GET /version HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"],
    ["a header of bytes", "GET /version HTTP/1.1\r\nHost: x\r\nX: \xff\xfe\r\n\r\n"],
    ["a token of bytes", "GET /version HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n"],
    ["a hundred headers", `GET /version HTTP/1.1\r\nHost: x\r\n${"X: y\r\n".repeat(100)}\r\n`],
  ])("%s is answered, and by no 5xx", async (_what, bytes) => {
    const status = await exchange(origin, bytes);
    expect(status).not.toBe("closed");
    expect(status).toBeLessThan(500);
  });

  describe("a request that offers another protocol", () => {
    const lines = [
      "Connection: Upgrade, HTTP2-Settings",
      "upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
    ];
    const body = createBody('{"title": "x"}')[origin];
    const length = `Content-Length: ${body.length}`;

    test("is answered as if it had not, again and again on one connection", async () => {
      const before = await countMeetings();
      const connection = await RawConnection.open(origin);
      for (let answered = 1; answered <= 5; answered++) {
        connection.send(head(origin, [...lines, length]) + body);
        expect(await connection.statuses(answered)).toEqual(Array.from({ length: answered }, () => 200));
      }
      connection.close();
      expect(await countMeetings()).toBe(before + 5);
    });

    test.each([
      ["comes in two parts", [length], [body.slice(0, 5), body.slice(5)]],
      [
        "comes in chunks",
        ["Transfer-Encoding: chunked"],
        [`${body.length.toString(16)}\r\n${body}\r\n`, "0\r\n\r\n"],
      ],
      [
        "is announced behind 2,000 other lines",
        [...Array.from({ length: 2_000 }, () => "x:"), length],
        [body],
      ],
    ])("is answered too when its body %s", async (_how, more, parts) => {
      const connection = await RawConnection.open(origin);
      connection.send(head(origin, [...lines, ...more]));
      for (const part of parts) connection.send(part);
      expect(await connection.statuses()).toEqual([200]);
      // What comes behind it is a request of its own.
      connection.send(head(origin, [], "GET /nothing HTTP/1.1"));
      expect(await connection.statuses(2)).toEqual([200, 404]);
      connection.close();
    });
  });

  test("CONNECT is no way through", async () => {
    expect(await exchange(origin, "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")).not.toBe(200);
  });

  test("requests that are sent without waiting are answered in their order", async () => {
    const connection = await RawConnection.open(origin);
    const good = whole(origin, createBody('{"title": "x"}')[origin]);
    const unknown = head(origin, [], "GET /nothing HTTP/1.1");
    connection.send(good + unknown + good + unknown);
    expect(await connection.statuses(4)).toEqual([200, 404, 200, 404]);
    connection.close();
  });

  test("a request that comes byte by byte is answered", async () => {
    const connection = await RawConnection.open(origin);
    for (const byte of whole(origin, createBody('{"title": "x"}')[origin])) connection.send(byte);
    expect(await connection.statuses()).toEqual([200]);
    connection.close();
  });

  test("clients that go away before they are answered leave nothing behind", async () => {
    const connections = await Promise.all(Array.from({ length: 50 }, () => RawConnection.open(origin)));
    for (const connection of connections) {
      connection.send(whole(origin, createBody('{"title": "x"}')[origin]));
      connection.close();
    }
    await Promise.all(connections.map(({ closed }) => closed));
    expect((await run(server.siteUrl, "users/queries/getCurrentUser", {}, host.token)).status).toBe(200);
  });
});

describe("credentials", () => {
  const encode = (text: string) => Buffer.from(text).toString("base64url");

  test.each([
    [
      "nested claims",
      () => `Bearer ${encode("{}")}.${encode(`{"a":${"[".repeat(3_000)}${"]".repeat(3_000)}}`)}.x`,
    ],
    [
      "a nested header",
      () => `Bearer ${encode(`${"[".repeat(3_000)}${"]".repeat(3_000)}`)}.${encode("{}")}.x`,
    ],
    ["claims named like methods", () => `Bearer ${encode("{}")}.${encode('{"__proto__": {"iss": "x"}}')}.x`],
    [
      "a nested identity to act as",
      () => `Convex x:${encode(`{"tokenIdentifier":"x","a":${"[".repeat(3_000)}${"]".repeat(3_000)}}`)}`,
    ],
    ["a thousand dots", () => `Bearer ${".".repeat(1_000)}`],
    ["10 KB of spaces", () => `Bearer ${" ".repeat(10_000)}x`],
  ])("of %s are refused", async (_what, make) => {
    const headers = { Authorization: make() };
    const cloud = await request(`${server.url}/api/query`, { body: { path: "a:b", args: {} }, headers });
    const site = await request(`${server.siteUrl}/api/run/users/queries/getCurrentUser`, {
      body: {},
      headers,
    });
    expect([400, 401]).toContain(cloud.status);
    expect(site.status).toBe(401);
  });
});
