import { ConvexClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { createServer, type Server } from "../../embedded/index";

const version = makeFunctionReference<"query", Record<string, never>, string>("app:version");
const add = makeFunctionReference<"mutation", { text: string }>("app:add");

let folder: string;
let server: Server;
let told: (result: { problem: string | null }) => void = () => undefined;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "reload-"));
  await mkdir(path.join(folder, "convex"));
  await symlink(
    fileURLToPath(new URL("../../node_modules", import.meta.url)),
    path.join(folder, "node_modules"),
  );
  await writeSchema("");
  await writeApp("one");
  server = await createServer({
    appFolder: path.join(folder, "convex"),
    dataFolder: path.join(folder, "data"),
    port: 0,
    sitePort: 0,
    onReload: (result) => told(result),
  });
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

function writeApp(name: string, more = ""): Promise<void> {
  return writeFile(
    path.join(folder, "convex", "app.ts"),
    `import { mutationGeneric, queryGeneric } from "convex/server";
     export const version = queryGeneric({ args: {}, handler: () => ${JSON.stringify(name)} });
     export const add = mutationGeneric({ handler: (ctx, args) => ctx.db.insert("rows", args) });
     ${more}`,
  );
}

function writeSchema(fields: string): Promise<void> {
  return writeFile(
    path.join(folder, "convex", "schema.ts"),
    `import { defineSchema, defineTable } from "convex/server"; import { v } from "convex/values";
     export default defineSchema({ rows: defineTable({ text: v.string(), ${fields} }).index("by_text", ["text"]) });`,
  );
}

/** Makes a change and waits until the server has told what came of it. */
async function reloading(change: () => Promise<void>): Promise<string | null> {
  const result = new Promise<{ problem: string | null }>((resolve) => (told = resolve));
  await change();
  return (await result).problem;
}

test("a change of the app is in force at once, for clients that are connected too; a broken one is told and left out", async () => {
  const client = new ConvexClient(server.url, { webSocketConstructor: WebSocket as never, logger: false });
  const seen: string[] = [];
  const waiting = new Map<string, () => void>();
  client.onUpdate(version, {}, (name) => {
    seen.push(name);
    waiting.get(name)?.();
  });
  const until = (name: string) =>
    seen.includes(name) ? Promise.resolve() : new Promise<void>((resolve) => waiting.set(name, resolve));
  await until("one");

  expect(await reloading(() => writeApp("two"))).toBeNull();
  await until("two");

  expect(await reloading(() => writeApp("three", "export const broken = ;"))).toMatch(
    /^convex\/app\.ts:4:\d+: Unexpected ";"/,
  );
  expect(await reloading(() => writeApp("four", 'throw new Error("at load");'))).toMatch(
    /^Failed to load app\.js: Uncaught Error: at load/,
  );
  await client.mutation(add, { text: "still there" });

  expect(await reloading(() => writeApp("three"))).toBeNull();
  expect(await reloading(() => writeSchema("count: v.number(),"))).toContain(
    'in table "rows" does not match the schema: Object is missing the required field `count`',
  );
  await client.mutation(add, { text: "the old schema holds" });

  expect(await reloading(() => writeSchema("count: v.optional(v.number()),"))).toBeNull();
  expect(await reloading(() => writeApp("five"))).toBeNull();
  await until("five");
  expect(seen).toEqual(["one", "two", "three", "five"]);
  await client.close();
});
