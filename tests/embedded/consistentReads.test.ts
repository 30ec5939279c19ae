import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { beforeAll, expect, test } from "vitest";
import { startServer, type TestServer } from "../temporaryServer";
import { FIXTURE_APP } from "./harness";

const add = makeFunctionReference<"mutation", { author: string; text: string }, string>("notes:add");
const byAuthor = makeFunctionReference<"query", { author: string }, string[]>("notes:byAuthor");

let server: TestServer;
let client: ConvexHttpClient;

beforeAll(async () => {
  server = await startServer({ appFolder: FIXTURE_APP });
  client = new ConvexHttpClient(server.url, { logger: false });
});

async function post(name: string, body: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${server.url}/api/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test("the official client's consistent query sees what was committed before it", async () => {
  await client.mutation(add, { author: "ann", text: "there" });
  expect(await client.consistentQuery(byAuthor, { author: "ann" })).toEqual(["there"]);
});

const timestamp = async () => (await post("query_ts", {})).body["ts"] as string;
const at = (ts: string, author: string) =>
  post("query_at_ts", { path: "notes:byAuthor", args: { author }, ts });

test("queries at one timestamp show the state at that time, whatever is written afterwards", async () => {
  const edit = makeFunctionReference<"mutation", { id: string; text: string }>("notes:edit");
  const remove = makeFunctionReference<"mutation", { id: string }>("notes:remove");
  const ids = [];
  for (const text of ["one", "two", "three"]) ids.push(await client.mutation(add, { author: "past", text }));
  const [one = "", two = ""] = ids;
  const first = await timestamp();
  await client.mutation(edit, { id: one, text: "changed" });
  await client.mutation(remove, { id: two });
  const second = await timestamp();
  await client.mutation(edit, { id: one, text: "changed again" });
  await client.mutation(add, { author: "past", text: "four" });
  expect((await at(first, "past")).body["value"]).toEqual(["one", "two", "three"]);
  expect((await at(second, "past")).body["value"]).toEqual(["changed", "three"]);
  expect((await at(await timestamp(), "past")).body["value"]).toEqual(["changed again", "three", "four"]);
  expect((await at(first, "past")).body["value"]).toEqual(["one", "two", "three"]);
});

test("a timestamp from before anybody asked for one is refused", async () => {
  await client.mutation(add, { author: "old", text: "x" });
  const body = { code: "OutOfRetention" };
  expect(await at(Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]).toString("base64"), "old")).toMatchObject({
    status: 400,
    body,
  });
});

test("a batch of queries is of one state, whatever is committed meanwhile", async () => {
  const query = { path: "notes:byAuthor", args: { author: "batch" } };
  const writes = Array.from({ length: 30 }, (_, i) =>
    client.mutation(add, { author: "batch", text: `${i}` }),
  );
  const batches = await Promise.all(
    Array.from({ length: 10 }, () => post("query_batch", { queries: [query, query, query] })),
  );
  await Promise.all(writes);
  for (const { body } of batches) {
    const results = body["results"] as { status: string; value: string[] }[];
    expect(results.map(({ status }) => status)).toEqual(["success", "success", "success"]);
    expect(new Set(results.map(({ value }) => value.length)).size).toBe(1);
  }
});

test("a query of a batch that fails does not fail the others", async () => {
  const queries = [
    { path: "misbehave:throwConvexError", args: {} },
    { path: "notes:byAuthor", args: { author: "nobody" } },
  ];
  expect((await post("query_batch", { queries })).body).toMatchObject({
    results: [
      { status: "error", errorData: { code: "MINE" } },
      { status: "success", value: [] },
    ],
  });
});

test.each([
  ["query_batch", {}, "BadJsonBody"],
  ["query_batch", { queries: [7] }, "BadJsonBody"],
  [
    "query_batch",
    { queries: Array.from({ length: 101 }, () => ({ path: "notes:all", args: {} })) },
    "BadJsonBody",
  ],
  ["query_at_ts", { path: "notes:all", args: {} }, "BadJsonBody"],
  ["query_at_ts", { path: "notes:all", args: {}, ts: "AAAA" }, "BadJsonBody"],
  ["query_at_ts", { path: "notes:all", args: {}, ts: "/////////38=" }, "TimestampInFuture"],
])("%s refuses %j with %s", async (name, body, code) => {
  expect(await post(name, body)).toMatchObject({ status: 400, body: { code } });
});

test("logs are for the admin alone", async () => {
  expect((await fetch(`${server.url}/api/stream_function_logs?cursor=0`)).status).toBe(403);
});

test("logs are there for the admin however long the names are that clients call", async () => {
  const headers = { Authorization: `Convex ${server.adminKey}` };
  for (let i = 0; i < 5; i++) await post("query", { path: "x".repeat(10_000_000), args: {} });
  await post("query", { path: "notes:all", args: {} });
  const response = await fetch(`${server.url}/api/stream_function_logs?cursor=0`, { headers });
  const text = await response.text();
  expect(text.length).toBeLessThan(1_000_000);
  const { entries } = JSON.parse(text) as { entries: { identifier: string }[] };
  expect(entries.at(-1)).toMatchObject({ identifier: "notes:all" });
});
