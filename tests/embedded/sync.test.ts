import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { ConvexReactClient } from "convex/react";
import { makeFunctionReference } from "convex/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { encodeTimestamp } from "../../embedded/values/timestamp";
import { newDataFolder, startServer, type TestServer } from "../temporaryServer";
import { FIXTURE_APP } from "./harness";
import { addQuery, RawClient, type Message } from "./rawClient";
import { WebSocket } from "ws";

const add = makeFunctionReference<"mutation", { author: string; text: string; rank?: number }, string>(
  "notes:add",
);
const edit = makeFunctionReference<"mutation", { id: string; text: string }>("notes:edit");
const remove = makeFunctionReference<"mutation", { id: string }>("notes:remove");
const byAuthor = makeFunctionReference<"query", { author: string }, string[]>("notes:byAuthor");
const page = makeFunctionReference<
  "query",
  { author: string; paginationOpts: { numItems: number; cursor: string | null } },
  { page: { _id: string; text: string }[]; continueCursor: string; isDone: boolean }
>("notes:page");
const throwError = makeFunctionReference<"mutation", Record<string, never>>("misbehave:throwError");
const throwConvexError = makeFunctionReference<"query", Record<string, never>>("misbehave:throwConvexError");
const addTwo = makeFunctionReference<"action", { author: string }, string[]>("outside:addTwo");

let dataFolder: string;
let server: TestServer;
const clients: ConvexClient[] = [];

beforeEach(async () => {
  dataFolder = await newDataFolder();
  server = await start();
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await server.close();
  expect(server.faults).toEqual([]);
});

function start(ports: { port?: number } = {}): Promise<TestServer> {
  return startServer({ appFolder: FIXTURE_APP, dataFolder, ...ports });
}

function connect(): ConvexClient {
  const client = new ConvexClient(server.url, { webSocketConstructor: WebSocket as never, logger: false });
  clients.push(client);
  return client;
}

/** What a subscription has been told, and a way to wait for it to be told something. */
class Watch<T> {
  readonly seen: T[] = [];
  readonly #waiting: { matches: (value: T) => boolean; resolve: () => void }[] = [];

  readonly listener = (value: T): void => {
    this.seen.push(value);
    for (const { matches, resolve } of this.#waiting) if (matches(value)) resolve();
  };

  until(matches: (value: T) => boolean): Promise<void> {
    if (this.seen.some(matches)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ matches, resolve }));
  }
}

function watchAuthor(client: ConvexClient, author: string): Watch<string[]> {
  const watch = new Watch<string[]>();
  client.onUpdate(byAuthor, { author }, watch.listener);
  return watch;
}

const has = (text: string) => (texts: string[]) => texts.includes(text);

describe("live queries", () => {
  test("a query is told at once, and again whenever another client changes what it reads", async () => {
    const notes = watchAuthor(connect(), "ann");
    await notes.until((texts) => texts.length === 0);
    const other = connect();
    const id = await other.mutation(add, { author: "ann", text: "first" });
    await notes.until(has("first"));
    await other.mutation(edit, { id, text: "second" });
    await notes.until(has("second"));
    await other.mutation(remove, { id });
    await notes.until((texts) => texts.length === 0 && notes.seen.length > 1);
    expect(notes.seen).toEqual([[], ["first"], ["second"], []]);
  });

  test("a query is not told of what lies outside of the ranges that it reads", async () => {
    const client = connect();
    const ann = watchAuthor(client, "ann");
    await ann.until(() => true);
    await client.mutation(add, { author: "bob", text: "not for ann" });
    await client.mutation(add, { author: "ann", text: "for ann" });
    await ann.until(has("for ann"));
    expect(ann.seen).toEqual([[], ["for ann"]]);
  });

  test("a mutation's promise resolves when the client's own queries show what it did", async () => {
    const client = connect();
    const ann = watchAuthor(client, "ann");
    for (const text of ["1", "2", "3"]) {
      await client.mutation(add, { author: "ann", text, rank: Number(text) });
      expect(ann.seen.at(-1)).toContain(text);
    }
  });

  test("mutations over HTTP reach live queries too", async () => {
    const ann = watchAuthor(connect(), "ann");
    await ann.until(() => true);
    await new ConvexHttpClient(server.url, { logger: false }).mutation(add, {
      author: "ann",
      text: "by HTTP",
    });
    await ann.until(has("by HTTP"));
    expect(ann.seen).toEqual([[], ["by HTTP"]]);
  });

  test("a query that fails is told with its data, and an unsubscribed one not at all", async () => {
    const client = connect();
    const failed = new Promise<Error & { data?: unknown }>((resolve) => {
      client.onUpdate(throwConvexError, {}, () => undefined, resolve);
    });
    expect((await failed).data).toEqual({ code: "MINE", big: 7n });
    const watch = new Watch<string[]>();
    const unsubscribe = client.onUpdate(byAuthor, { author: "ann" }, watch.listener);
    await watch.until(() => true);
    unsubscribe();
    const other = watchAuthor(client, "ann");
    await client.mutation(add, { author: "ann", text: "later" });
    await other.until(has("later"));
    expect(watch.seen).toEqual([[]]);
  });

  test("pages that are watched stay without gaps when rows come and go", async () => {
    const client = connect();
    const ids: string[] = [];
    for (const rank of [0, 10, 20, 30])
      ids.push(await client.mutation(add, { author: "ann", text: `${rank}`, rank }));
    type Page = { page: { _id: string; text: string }[]; continueCursor: string; isDone: boolean };
    const first = new Watch<Page>();
    client.onUpdate(page, { author: "ann", paginationOpts: { numItems: 2, cursor: null } }, first.listener);
    await first.until(() => true);
    const cursor = first.seen[0]?.continueCursor ?? "";
    const second = new Watch<Page>();
    client.onUpdate(page, { author: "ann", paginationOpts: { numItems: 2, cursor } }, second.listener);
    await second.until(() => true);
    // Comes between the rows of the first page, which must grow: its end is where the second page begins.
    await client.mutation(add, { author: "ann", text: "5", rank: 5 });
    await first.until(({ page: rows }) => rows.length === 3);
    await client.mutation(remove, { id: ids[1] ?? "" });
    await first.until(({ page: rows }) => rows.some(({ text }) => text === "5") && rows.length === 2);
    const texts = [first, second].flatMap((watch) => watch.seen.at(-1)?.page.map(({ text }) => text) ?? []);
    expect(texts).toEqual(["0", "5", "20", "30"]);
  });
});

describe("a client whose identity changes", () => {
  const signIn = (baseVersion: number) => ({
    type: "Authenticate",
    baseVersion,
    tokenType: "Admin",
    value: server.adminKey,
    impersonating: { tokenIdentifier: "me|ann", issuer: "me", subject: "ann" },
  });
  const signOut = (baseVersion: number) => ({ type: "Authenticate", baseVersion, tokenType: "None" });

  test.each([
    ["once", () => [signIn(0)]],
    ["twice at once", () => [signIn(0), signOut(1)]],
  ])("keeps the end of a page that it has read, if it changes %s", async (_howOften, changes) => {
    const writer = connect();
    for (const rank of [0, 10, 20]) await writer.mutation(add, { author: "ann", text: `${rank}`, rank });
    const client = await RawClient.connected(server.url);
    client.send(
      addQuery(0, "notes:page", [{ author: "ann", paginationOpts: { numItems: 2, cursor: null } }]),
    );
    /** What a transition shows, or the one before it if it changes nothing. */
    let shown: string[] = [];
    const transition = async (matches: (message: Message) => boolean) => {
      const message = await client.until((one) => one.type === "Transition" && matches(one));
      for (const { value } of message["modifications"] as { value: { page: { text: string }[] } }[])
        shown = value.page.map(({ text }) => text);
      return shown;
    };
    expect(await transition(() => true)).toEqual(["0", "10"]);
    await writer.mutation(add, { author: "ann", text: "5", rank: 5 });
    expect(await transition(({ modifications }) => JSON.stringify(modifications).includes('"5"'))).toEqual([
      "0",
      "5",
      "10",
    ]);
    const messages = changes();
    for (const message of messages) client.send(message);
    const isSeen = ({ endVersion }: Message) =>
      (endVersion as { identity: number }).identity === messages.length;
    expect(await transition(isSeen)).toEqual(["0", "5", "10"]);
    client.close();
  });
});

describe("functions over the socket", () => {
  test("a mutation that throws rejects, and the next one goes on", async () => {
    const client = connect();
    await expect(client.mutation(throwError, {})).rejects.toThrow("on purpose");
    await client.mutation(add, { author: "ann", text: "after" });
    expect(await client.query(byAuthor, { author: "ann" })).toEqual(["after"]);
  });

  test("actions run", async () => {
    expect(await connect().action(addTwo, { author: "ann" })).toHaveLength(2);
  });

  test("a client that loses the server reconnects, and its waiting mutation runs exactly once", async () => {
    const client = connect();
    const ann = watchAuthor(client, "ann");
    await client.mutation(add, { author: "ann", text: "before" });
    const port = Number(new URL(server.url).port);
    await server.close();
    const waiting = client.mutation(add, { author: "ann", text: "while it was away" });
    server = await start({ port });
    await waiting;
    expect(ann.seen.at(-1)).toEqual(["before", "while it was away"]);
  });

  test("a client that was told of a time that a crash has kept from the disk is taken in again", async () => {
    await connect().mutation(add, { author: "ann", text: "stored" });
    await server.close();
    const told = BigInt(Date.now()) * 1_000_000n;
    server = await start();
    const client = await RawClient.open(server.url);
    const maxObservedTimestamp = encodeTimestamp(told);
    client.send({ type: "Connect", sessionId: "s", connectionCount: 1, maxObservedTimestamp });
    client.send(addQuery(0));
    const answered = client.until(({ type }) => type === "Transition");
    expect(await Promise.race([client.closed, answered])).toMatchObject({ type: "Transition" });
    client.close();
  });
});

describe("ConvexReactClient", () => {
  type Watcher<T> = { onUpdate: (listener: () => void) => () => void; localQueryResult: () => T | undefined };

  /** Resolves when the watched query shows what was waited for. */
  function shown<T>(watch: Watcher<T>, matches: (value: T) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        const value = watch.localQueryResult();
        if (value !== undefined && matches(value)) resolve();
      };
      watch.onUpdate(check);
      check();
    });
  }

  function connectReact(): ConvexReactClient {
    const client = new ConvexReactClient(server.url, {
      webSocketConstructor: WebSocket as never,
      logger: false,
      unsavedChangesWarning: false,
    });
    reactClients.push(client);
    return client;
  }
  const reactClients: ConvexReactClient[] = [];

  afterEach(async () => {
    for (const client of reactClients.splice(0)) await client.close();
  });

  test("an optimistic update is there at once, and gives way to what the mutation did", async () => {
    const client = connectReact();
    const watch = client.watchQuery(byAuthor, { author: "ann" });
    await shown(watch, (texts) => texts.length === 0);
    const seen: unknown[] = [];
    watch.onUpdate(() => seen.push(watch.localQueryResult()));
    const sending = client.mutation(
      add,
      { author: "ann", text: "mine" },
      {
        optimisticUpdate: (store, { text }) =>
          store.setQuery(byAuthor, { author: "ann" }, [`${text}, not yet sent`]),
      },
    );
    expect(watch.localQueryResult()).toEqual(["mine, not yet sent"]);
    await sending;
    await shown(watch, has("mine"));
    expect(seen.at(-1)).toEqual(["mine"]);
  });

  test("an optimistic update is taken back when its mutation fails", async () => {
    const client = connectReact();
    const watch = client.watchQuery(byAuthor, { author: "ann" });
    await shown(watch, (texts) => texts.length === 0);
    const failing = client.mutation(
      throwError,
      {},
      { optimisticUpdate: (store) => store.setQuery(byAuthor, { author: "ann" }, ["in vain"]) },
    );
    expect(watch.localQueryResult()).toEqual(["in vain"]);
    await expect(failing).rejects.toThrow("on purpose");
    await shown(watch, (texts) => texts.length === 0);
  });

  test("the journal of a page keeps its end, for another watch and across a restart of the server", async () => {
    const client = connectReact();
    const args = { author: "ann", paginationOpts: { numItems: 2, cursor: null } };
    for (const rank of [0, 10, 20]) await client.mutation(add, { author: "ann", text: `${rank}`, rank });
    const first = client.watchQuery(page, args);
    await shown(first, ({ page: rows }) => rows.length === 2);
    const texts = () => first.localQueryResult()?.page.map(({ text }) => text);
    await client.mutation(add, { author: "ann", text: "5", rank: 5 });
    await shown(first, ({ page: rows }) => rows.length === 3);
    const journal = first.journal();
    expect(journal).toEqual(expect.any(String));

    const port = Number(new URL(server.url).port);
    await server.close();
    const waiting = client.mutation(add, { author: "ann", text: "6", rank: 6 });
    server = await start({ port });
    await waiting;
    await shown(first, ({ page: rows }) => rows.length === 4);
    expect(texts()).toEqual(["0", "5", "6", "10"]);

    const other = connectReact().watchQuery(page, args, { journal: journal ?? null });
    await shown(other, ({ page: rows }) => rows.length === 4);
  });
});
