import { connect as connectTcp } from "node:net";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { Disclosure } from "../../embedded/functions/disclosure";
import { LiveQueries } from "../../embedded/sync/liveQueries";
import { Session, type SocketIdentity } from "../../embedded/sync/session";
import { startServer, type TestServer } from "../temporaryServer";
import { FIXTURE_APP, startRuntime } from "./harness";
import { addQuery, mutation, RawClient } from "./rawClient";

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ appFolder: FIXTURE_APP });
});

afterAll(() => expect(server.faults).toEqual([]));

/** The server is there for others whatever one client does. */
async function stillServes(): Promise<void> {
  const client = await RawClient.connected(server.url);
  client.send(addQuery(0, "notes:byAuthor", [{ author: "nobody" }]));
  await client.until(({ type }) => type === "Transition");
  client.close();
}

describe("what is no message costs the client its socket, and nobody else", () => {
  test.each([
    ["no JSON", "{", "The message is not JSON"],
    ["no message", '{"type":"Nonsense"}', "Invalid message"],
    ["a message before Connect", JSON.stringify(addQuery(0)), "The first message must be Connect"],
    ["null", "null", "Invalid message"],
    ["deep nesting", "[".repeat(100_000), "The message is not JSON"],
  ])("%s", async (_what, text, error) => {
    const client = await RawClient.open(server.url);
    client.send(text);
    expect(await client.until(({ type }) => type === "FatalError")).toMatchObject({
      error: expect.stringContaining(error) as string,
    });
    await client.closed;
    await stillServes();
  });

  test.each([
    ["a wrong base version", { ...addQuery(0), baseVersion: 5, newVersion: 6 }, "BaseVersionMismatch"],
    ["a version that goes back", { ...addQuery(0), newVersion: 0 }, "The new version must be greater"],
    [
      "a query that is not there",
      { ...addQuery(0), modifications: [{ type: "Remove", queryId: 7 }] },
      "There is no query 7",
    ],
    [
      "a query that is there already",
      { ...addQuery(0), modifications: [addQuery(1).modifications[0], addQuery(1).modifications[0]] },
      "Query 1 is there already",
    ],
    [
      "a component",
      { ...mutation(0, "x"), componentPath: "other" },
      "Only admin or system users can call functions on non-root components",
    ],
    ["a negative request id", mutation(-1, "x"), "Invalid message: requestId"],
  ])("%s", async (_what, message, error) => {
    const client = await RawClient.connected(server.url);
    client.send(message);
    expect(await client.until(({ type }) => type === "FatalError")).toMatchObject({
      error: expect.stringContaining(error) as string,
    });
    await client.closed;
  });

  test("a binary frame", async () => {
    const client = await RawClient.connected(server.url);
    client.send(Buffer.from([0, 255, 1]));
    expect((await client.closed).code).toBe(1003);
  });

  test("a frame that is too large", async () => {
    const client = await RawClient.connected(server.url);
    client.send("x".repeat(21 * 1024 * 1024));
    expect((await client.closed).code).toBe(1009);
    await stillServes();
  });

  test("a client that has seen a later time than there is", async () => {
    const client = await RawClient.open(server.url);
    const future = Buffer.alloc(8, 0xff).toString("base64");
    client.send({
      type: "Connect",
      sessionId: "s",
      connectionCount: 1,
      lastCloseReason: null,
      maxObservedTimestamp: future,
    });
    expect((await client.closed).code).toBe(1011);
  });

  test("a bad token is an AuthError that tells the client which identity it still has", async () => {
    const client = await RawClient.connected(server.url);
    client.send({ type: "Authenticate", tokenType: "User", value: "not a token", baseVersion: 0 });
    expect(await client.until(({ type }) => type === "AuthError")).toMatchObject({
      baseVersion: 0,
      authUpdateAttempted: true,
    });
  });

  test("another path than the protocol's, garbage instead of a handshake, half a handshake", async () => {
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/elsewhere`);
    const [error] = (await once(socket, "error").catch((thrown: unknown) => [thrown])) as [Error];
    expect(error.message).toContain("404");
    for (const bytes of [
      "\x16\x03\x01 not http at all\r\n\r\n",
      "GET /api/1.48.0/sync HTTP/1.1\r\nUpgrade: webso",
    ]) {
      const tcp = connectTcp(Number(new URL(server.url).port), "127.0.0.1");
      await once(tcp, "connect");
      tcp.write(bytes);
      tcp.destroy();
    }
    await stillServes();
  });
});

describe("slow clients", () => {
  test("a client that never reads is cut off, and the others are told what changes", async () => {
    const big = "x".repeat(500_000);
    const reader = await RawClient.connected(server.url);
    const sleeper = await RawClient.connected(server.url);
    for (const client of [reader, sleeper]) client.send(addQuery(0, "notes:byAuthor", [{ author: "big" }]));
    await reader.until(({ type }) => type === "Transition");
    await sleeper.until(({ type }) => type === "Transition");
    sleeper.stopReading();
    // Every result is larger than the one before it; together they are far more than sockets and server hold back.
    for (let i = 0; i < 14; i++) {
      reader.send(mutation(i, big, "big"));
      await reader.until(({ type, requestId }) => type === "MutationResponse" && requestId === i);
    }
    await reader.until(
      ({ type, modifications }) =>
        type === "Transition" &&
        (modifications as { value?: string[] }[]).some(({ value }) => value?.length === 14),
    );
    reader.close();
    await stillServes();
    sleeper.readOn();
    expect((await sleeper.closed).code).toBe(1006);
  }, 60_000);
});

describe("clients that go away", () => {
  test("a session whose client has gone while its token was looked at watches nothing", async () => {
    const host = await startRuntime();
    const { runtime, database } = host;
    let runs = 0;
    const liveQueries = new LiveQueries({
      evaluate: (run) => {
        runs++;
        runtime.evaluate(run);
      },
      onCommit: (listener) => database.onCommit(listener),
      onLoss: (listener) => database.onLoss(listener),
      maxLength: Infinity,
    });
    let verified: (identity: SocketIdentity) => void = () => undefined;
    const authenticate = vi.fn<() => Promise<SocketIdentity>>(
      () => new Promise((resolve) => (verified = resolve)),
    );
    const ignore = () => undefined;
    const session = new Session(
      {
        liveQueries,
        authenticate,
        disclosure: new Disclosure(false),
        call: (kind, call) => runtime.call(kind, call),
        timestamp: () => database.timestamp,
        durable: () => database.durable(),
      },
      { send: ignore, turn: ignore, close: ignore, pause: ignore, resume: ignore },
      (error) => host.faults.push(error),
    );
    for (const message of [
      { type: "Connect", sessionId: "s", connectionCount: 0 },
      addQuery(0),
      { type: "Authenticate", tokenType: "User", value: "a token", baseVersion: 0 },
    ])
      session.receive(JSON.stringify(message));
    await vi.waitFor(() => expect(authenticate).toHaveBeenCalled());
    session.end();
    verified({ caller: { kind: "admin" }, expiresAtMs: Infinity });
    await host.mutation("notes:add", { author: "ann", text: "hello" });
    expect(runs).toBe(1);
    expect(host.faults).toEqual([]);
  });
});

describe("what a client sends twice", () => {
  test("a mutation that is sent again on another socket of the session is not run again, and has the same result", async () => {
    const sessionId = crypto.randomUUID();
    const first = await RawClient.connected(server.url, sessionId);
    first.send(mutation(7, "once", "replay"));
    const answer = await first.until(({ type }) => type === "MutationResponse");
    first.close();
    const second = await RawClient.connected(server.url, sessionId);
    second.send(mutation(7, "once", "replay"));
    expect(await second.until(({ type }) => type === "MutationResponse")).toMatchObject({
      success: true,
      result: answer["result"],
    });
    second.send(addQuery(0, "notes:byAuthor", [{ author: "replay" }]));
    const told = await second.until(({ modifications }) =>
      JSON.stringify(modifications ?? "").includes("once"),
    );
    expect(told["modifications"]).toMatchObject([{ value: ["once"] }]);
    second.close();
  });

  test.each([
    ["that is not there any more", { ...mutation(7, "once", "changed"), udfPath: "notes:gone" }],
    ["that takes other arguments by now", { ...mutation(7, "once"), args: [{ author: "changed" }] }],
  ])("a mutation %s has the result that it had", async (_what, again) => {
    const sessionId = crypto.randomUUID();
    const first = await RawClient.connected(server.url, sessionId);
    first.send(mutation(7, "once", "changed"));
    const answer = await first.until(({ type }) => type === "MutationResponse");
    first.close();
    const second = await RawClient.connected(server.url, sessionId);
    second.send(again);
    second.send({ ...again, requestId: 8 });
    await second.until(({ requestId }) => requestId === 8);
    expect(second.received.filter(({ type }) => type === "MutationResponse")).toMatchObject([
      { requestId: 7, success: true, result: answer["result"] },
      { requestId: 8, success: false },
    ]);
    second.close();
  });

  test("the same request id of another session is another mutation", async () => {
    for (const author of ["one", "two"]) {
      const client = await RawClient.connected(server.url);
      client.send(mutation(7, author, "sessions"));
      await client.until(({ type }) => type === "MutationResponse");
      client.close();
    }
    const reader = await RawClient.connected(server.url);
    reader.send(addQuery(0, "notes:byAuthor", [{ author: "sessions" }]));
    const { modifications } = await reader.until(({ type }) => type === "Transition");
    expect(modifications).toMatchObject([{ value: ["one", "two"] }]);
    reader.close();
  });

  test("a client is told of changes while mutations of its own still wait", async () => {
    const client = await RawClient.connected(server.url);
    client.send(addQuery(0, "notes:byAuthor", [{ author: "busy" }]));
    await client.until(({ type }) => type === "Transition");
    const COUNT = 300;
    for (let i = 0; i < COUNT; i++) client.send(mutation(i, `${i}`, "busy"));
    await client.until(({ type, requestId }) => type === "MutationResponse" && requestId === COUNT - 1);
    const told = client.received.filter(({ type }) => type === "Transition");
    expect(told.length).toBeGreaterThan(2);
    // No transition shows what a mutation did whose answer the client does not have yet.
    const answered = new Set<string>();
    for (const { type, requestId, modifications } of client.received) {
      if (type === "MutationResponse") answered.add(String(requestId));
      for (const { value = [] } of (modifications ?? []) as { value?: string[] }[])
        expect(value.filter((text) => !answered.has(text))).toEqual([]);
    }
    client.close();
  });

  test("a client that watches many queries is told of changes while others write without a pause", async () => {
    const reader = await RawClient.connected(server.url);
    const modifications = Array.from({ length: 400 }, (_, queryId) => ({
      type: "Add",
      queryId,
      udfPath: "notes:byAuthor",
      args: [{ author: "crowd", to: queryId }],
    }));
    reader.send({ ...addQuery(0), modifications });
    await reader.until(({ type }) => type === "Transition");
    const transitions = () => reader.received.filter(({ type }) => type === "Transition").length;
    let writes = 0;
    const write = async () => {
      const writer = await RawClient.connected(server.url);
      // Without the fourth transition they end some time.
      for (let i = 0; transitions() < 4 && writes < 3_000; i++, writes++) {
        writer.send(mutation(i, "x", "crowd"));
        await writer.until(({ requestId }) => requestId === i);
      }
      writer.close();
    };
    await Promise.all(Array.from({ length: 16 }, write));
    expect(transitions()).toBeGreaterThanOrEqual(4);
    reader.close();
  });

  test("each transition starts where the one before it has ended", async () => {
    const client = await RawClient.connected(server.url);
    client.send(addQuery(0, "notes:byAuthor", [{ author: "chain" }]));
    for (let i = 0; i < 20; i++) client.send(mutation(i, `${i}`, "chain"));
    await client.until(({ type, requestId }) => type === "MutationResponse" && requestId === 19);
    await client.until(({ modifications }) => JSON.stringify(modifications ?? "").includes('"19"'));
    let end: unknown = { querySet: 0, identity: 0, ts: Buffer.alloc(8).toString("base64") };
    for (const { type, startVersion, endVersion } of client.received) {
      if (type !== "Transition") continue;
      expect(startVersion).toEqual(end);
      end = endVersion;
    }
    client.close();
  });
});
