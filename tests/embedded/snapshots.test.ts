import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer, type TestServer } from "../temporaryServer";
import { ADMIN_KEY, newProject, runCli } from "./cliProject";

type Row = Record<string, unknown> & { _id: string };

const add = makeFunctionReference<"mutation", Record<string, unknown>, string>("app:add");
const list = makeFunctionReference<"query", { table: string }, Row[]>("app:list");
const byName = makeFunctionReference<"query", { name: string }, Row[]>("app:byName");
const store = makeFunctionReference<"action", { text: string }, string>("app:store");
const read = makeFunctionReference<"action", { id: string }, string | null>("app:read");

let project: string;
let source: TestServer;
let target: TestServer;

beforeAll(async () => {
  project = await newProject();
  await writeFile(
    path.join(project, "convex", "schema.ts"),
    `import { defineSchema, defineTable } from "convex/server"; import { v } from "convex/values";
     export default defineSchema({
       people: defineTable({ name: v.string(), age: v.optional(v.number()), friend: v.optional(v.id("people")),
         file: v.optional(v.id("_storage")), more: v.optional(v.any()) }).index("by_name", ["name"]),
     });`,
  );
  await writeFile(
    path.join(project, "convex", "app.ts"),
    `import { actionGeneric, mutationGeneric, queryGeneric } from "convex/server";
     export const add = mutationGeneric((ctx, { table, ...row }) => ctx.db.insert(table, row));
     export const list = queryGeneric((ctx, { table }) => ctx.db.query(table).collect());
     export const byName = queryGeneric((ctx, { name }) =>
       ctx.db.query("people").withIndex("by_name", (q) => q.eq("name", name)).collect());
     export const store = actionGeneric((ctx, { text }) => ctx.storage.store(new Blob([text], { type: "text/plain" })));
     export const read = actionGeneric(async (ctx, { id }) => (await ctx.storage.get(id))?.text() ?? null);`,
  );
  await writeFile(
    path.join(project, "convex", "convex.config.ts"),
    `import { defineApp } from "convex/server"; import rateLimiter from "@convex-dev/rate-limiter/convex.config";
     const app = defineApp(); app.use(rateLimiter); export default app;`,
  );
  await writeFile(
    path.join(project, "convex", "limits.ts"),
    `import { componentsGeneric, mutationGeneric } from "convex/server"; import { RateLimiter } from "@convex-dev/rate-limiter";
     const limiter = new RateLimiter(componentsGeneric().rateLimiter as never,
       { send: { kind: "fixed window", rate: 1, period: 36_000_000, start: 0 } });
     export const send = mutationGeneric({ handler: async (ctx) => (await limiter.limit(ctx, "send")).ok });`,
  );
  [source, target] = [await start(), await start()];
});

afterAll(() => expect([...source.faults, ...target.faults]).toEqual([]));

const start = () => startServer({ appFolder: path.join(project, "convex"), adminKey: ADMIN_KEY });

/** Runs the official command line against a server; gives all that it has printed. */
async function cli(server: TestServer, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await runCli(project, server, args);
  return stdout + stderr;
}

const http = ({ url }: TestServer) => new ConvexHttpClient(url, { logger: false });
const rows = (server: TestServer, table: string) => http(server).query(list, { table });

async function importing(name: string, content: string, ...flags: string[]): Promise<string> {
  await writeFile(path.join(project, name), content);
  return cli(target, "import", name, "--yes", ...flags);
}

test("what is exported can be imported elsewhere: the same documents, ids, times and files", async () => {
  const client = http(source);
  const file = await client.action(store, { text: "the content" });
  const ann = await client.mutation(add, {
    table: "people",
    name: "Ann",
    age: 1,
    file,
    more: {
      integer: 7n,
      float: 7,
      negativeZero: -0,
      nan: NaN,
      bytes: new Uint8Array([1, 2]).buffer,
      text: 'a "1" \\ 2',
    },
  });
  await client.mutation(add, { table: "people", name: "Ben", friend: ann });
  const send = makeFunctionReference<"mutation">("limits:send");
  expect(await client.mutation(send, {})).toBe(true);
  await client.mutation(add, { table: "undeclared", x: [1.5, 2n, null] });
  const zip = path.join(project, "snapshot.zip");
  expect(await cli(source, "export", "--path", zip, "--include-file-storage")).toContain(
    "Downloaded snapshot export",
  );

  expect(await cli(target, "import", zip, "--yes")).toMatch(/Added \d+ documents/);
  // What a component has counted has come along.
  expect(await http(target).mutation(send, {})).toBe(false);
  for (const table of ["people", "undeclared"]) {
    expect(await rows(target, table)).toEqual(await rows(source, table));
  }
  expect(await http(target).action(read, { id: file })).toBe("the content");
  expect(await http(target).query(byName, { name: "Ben" })).toMatchObject([{ friend: ann }]);
  // New documents go on where the imported ones end.
  const added = await http(target).mutation(add, { table: "people", name: "Cem", friend: ann });
  expect((await rows(target, "people")).map(({ _id }) => _id)).toContain(added);

  const again = cli(target, "import", zip, "--yes");
  await expect(again).rejects.toThrow(
    "Table people already exists. Please choose a new table name or use replace/append modes.",
  );
  expect(await cli(target, "import", zip, "--yes", "--replace-all")).toMatch(
    /people: 2 documents to add, 3 to delete/,
  );
  expect(await rows(target, "people")).toEqual(await rows(source, "people"));
  expect(await http(target).action(read, { id: file })).toBe("the content");
});

test("an empty file adds nothing", async () => {
  expect(await importing("none.jsonl", "", "--table", "none")).toContain("Added 0 documents");
  expect(await rows(target, "none")).toEqual([]);
});

test("documents are imported from lines, arrays and CSV; into an empty table, added to it, or in its place", async () => {
  const names = async () => (await rows(target, "pets")).map(({ name }) => name);
  await importing("pets.jsonl", '{"name": "Rex", "age": 3}\n{"name": "Tom"}\n', "--table", "pets");
  expect(await names()).toEqual(["Rex", "Tom"]);
  expect((await rows(target, "pets"))[0]).toMatchObject({ age: 3 });
  await expect(importing("pets.jsonl", '{"name": "Ada"}', "--table", "pets")).rejects.toThrow(
    "already exists",
  );
  await importing("pets.json", '[{"name": "Ada"}]', "--table", "pets", "--append");
  expect(await names()).toEqual(["Rex", "Tom", "Ada"]);
  await importing("pets.csv", 'name,age\n"Zoe, the cat",4.5\nMax,x\n', "--table", "pets", "--replace");
  expect(await rows(target, "pets")).toMatchObject([
    { name: "Zoe, the cat", age: 4.5 },
    { name: "Max", age: "x" },
  ]);
});

test.each([
  ["people.jsonl", '{"name": "Dora"}\n{"name": 5}', /Row 2 .* because it does not match the schema/],
  ["people.jsonl", '{"name": "Dora"}\n{"name"', /Row 2 wasn't valid JSON/],
  ["people.jsonl", '{"name": "Dora"}\n[]', /Row 2 .* is not an object/],
  ["people.jsonl", '{"name": "Dora", "_id": "nonsense"}', /is not an id of this table/],
  ["people.jsonl", '{"name": "Dora", "_secret": 1}', /starts with an underscore/],
  [
    "people.jsonl",
    `{"name": "Dora", "friends": ${"[".repeat(16)}${"]".repeat(16)}}`,
    /Row 1 .* Document is too nested \(nested 17 levels deep > maximum nesting 16\)/,
  ],
  ["people.json", '{"name": "Dora"}', /Not a JSON array/],
  ["people.csv", "name,age\nDora\n", /CSV row 1 doesn't have all of the fields in the header/],
  ["people.zip", "no zip", /invalid zip file/],
])("an import of %s with %s fails and changes nothing", async (name, content, message) => {
  const before = await rows(target, "people");
  const table = name.endsWith(".zip") ? [] : ["--table", "people"];
  await expect(importing(name, content, ...table, "--replace")).rejects.toThrow(message);
  expect(await rows(target, "people")).toEqual(before);
});

test("an export shows one state of the database, whatever is written meanwhile", async () => {
  const client = http(source);
  let isOver = false;
  const pairs = (async () => {
    for (let n = 0; !isOver; n++) {
      await client.mutation(add, { table: "left", n });
      await client.mutation(add, { table: "right", n });
    }
  })();
  const zip = path.join(project, "moving.zip");
  await cli(source, "export", "--path", zip);
  isOver = true;
  await pairs;
  await cli(target, "import", zip, "--yes", "--replace-all");
  const [left, right] = [(await rows(target, "left")).length, (await rows(target, "right")).length];
  expect(left).toBeGreaterThan(0);
  expect([right, right + 1]).toContain(left);
});

test.each([
  ["POST", "export/request/zip"],
  ["GET", "export/zip/1"],
  ["POST", "import/start_upload"],
  ["POST", "import/upload_part?uploadToken=x&partNumber=1"],
  ["POST", "import/finish_upload"],
  ["POST", "perform_import"],
])("%s /api/%s is refused without the admin key", async (method, route) => {
  const response = await fetch(`${target.url}/api/${route}`, { method });
  expect(response.status).toBe(403);
});

test("an upload that is not there, or out of order, is refused", async () => {
  const headers = { Authorization: `Convex ${ADMIN_KEY}`, "Content-Type": "application/json" };
  const post = async (route: string, body: string) => {
    const response = await fetch(`${target.url}/api/import/${route}`, { method: "POST", headers, body });
    return (await response.json()) as Record<string, string>;
  };
  const { uploadToken } = await post("start_upload", "");
  expect(await post(`upload_part?uploadToken=${uploadToken}&partNumber=2`, "x")).toMatchObject({
    code: "ImportFailed",
  });
  expect(await post("upload_part?uploadToken=nope&partNumber=1", "x")).toMatchObject({
    code: "ImportFailed",
  });
  const finish = { uploadToken, partTokens: ["?"], import: { format: "zip", mode: "append" } };
  expect(await post("finish_upload", JSON.stringify(finish))).toMatchObject({
    code: "ImportFailed",
    message: "The upload is not complete",
  });
});
