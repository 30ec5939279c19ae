/** Documents that are known to fit a schema are not checked again at a start; all others are. */
import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, expect, test } from "vitest";
import { newDataFolder, startServer } from "../temporaryServer";
import { ADMIN_KEY, newProject, runCli } from "./cliProject";

const add = makeFunctionReference<"mutation", { count: unknown }>("app:add");
const list = makeFunctionReference<"query", Record<string, never>, { count: unknown }[]>("app:list");

const NUMBERS = "rows: defineTable({ count: v.number() })";
const REFUSED = 'in table "rows" does not match the schema';

let project: string;
let dataFolder: string;

beforeEach(async () => {
  [project, dataFolder] = [await newProject(), await newDataFolder()];
  await mkdir(path.join(project, "convex"), { recursive: true });
  await writeFile(
    path.join(project, "convex", "app.ts"),
    `import { mutationGeneric, queryGeneric } from "convex/server";
     export const add = mutationGeneric((ctx, { count }) => ctx.db.insert("rows", { count }));
     export const list = queryGeneric((ctx) => ctx.db.query("rows").collect());`,
  );
});

/** `null`: an app without a schema. */
async function startWith(tables: string | null) {
  const schema = path.join(project, "convex", "schema.ts");
  await rm(schema, { force: true });
  if (tables !== null) {
    await writeFile(
      schema,
      `import { defineSchema, defineTable } from "convex/server"; import { v } from "convex/values";
       export default defineSchema({ ${tables} });`,
    );
  }
  const server = await startServer({ appFolder: path.join(project, "convex"), dataFolder });
  return { client: new ConvexHttpClient(server.url, { logger: false }), close: () => server.close() };
}

test("a start with the same schema serves what is stored, and refuses what does not fit", async () => {
  const first = await startWith(NUMBERS);
  await first.client.mutation(add, { count: 1 });
  await first.close();
  const second = await startWith(NUMBERS);
  expect(await second.client.query(list, {})).toMatchObject([{ count: 1 }]);
  await expect(second.client.mutation(add, { count: "two" })).rejects.toThrow("does not match the schema");
});

test("a start with another schema checks what is stored, also when an app without one wrote in between", async () => {
  const first = await startWith(NUMBERS);
  await first.client.mutation(add, { count: 1 });
  await first.close();
  await expect(startWith("rows: defineTable({ count: v.string() })")).rejects.toThrow(REFUSED);

  const free = await startWith(null);
  await free.client.mutation(add, { count: "two" });
  await free.close();
  await expect(startWith(NUMBERS)).rejects.toThrow(REFUSED);
  await (await startWith("rows: defineTable({ count: v.union(v.number(), v.string()) })")).close();
});

test("a start checks what was imported while there was no app", async () => {
  const first = await startWith(NUMBERS);
  await first.client.mutation(add, { count: 1 });
  await first.close();

  const without = await startServer({ dataFolder, adminKey: ADMIN_KEY });
  await writeFile(path.join(project, "rows.jsonl"), '{"count": "two"}\n');
  await runCli(project, without, ["import", "rows.jsonl", "--table", "rows", "--append", "--yes"]);
  await without.close();
  await expect(startWith(NUMBERS)).rejects.toThrow(REFUSED);
});
