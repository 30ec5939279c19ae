/** The official command line pushes components, and looks into them. */
import { cp, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { newDataFolder, startServer, type TestServer } from "../temporaryServer";
import { ADMIN_KEY, newProject, runCli } from "./cliProject";

const COMPONENT_APP = fileURLToPath(new URL("./componentApp", import.meta.url));

let project: string;
let dataFolder: string;
let server: TestServer;

beforeAll(async () => {
  [project, dataFolder] = [await newProject(), await newDataFolder()];
  await cp(COMPONENT_APP, path.join(project, "convex"), { recursive: true });
  server = await start();
});

/** A server without an app folder: it has what was pushed to it. */
const start = () => startServer({ dataFolder, adminKey: ADMIN_KEY, environment: { GREETING: "hello" } });

async function convex(...args: string[]): Promise<string> {
  return (await runCli(project, server, args)).stdout;
}

const runIn = async (component: string, name: string, args: object): Promise<unknown> =>
  JSON.parse(await convex("run", "--component", component, name, JSON.stringify(args))) as unknown;

test("components are pushed with types for them, called, looked into, and still there after a restart", async () => {
  await convex("deploy", "--yes", "--typecheck", "disable");
  const generated = (file: string) => readFile(path.join(project, "convex", file), "utf8");
  const api = await generated("_generated/api.d.ts");
  for (const name of ["ledger", "second"]) {
    expect(api).toContain(`${name}: import("../ledger/_generated/component.js").ComponentApi<"${name}">`);
  }
  const ledger = await generated("ledger/_generated/component.ts");
  expect(ledger).toMatch(
    /texts: FunctionReference<\s*"query",\s*"internal",\s*{},\s*Array<string>,\s*Name\s*>/,
  );
  expect(ledger).not.toContain("hidden");

  await runIn("ledger", "entries:add", { text: "by hand" });
  await runIn("ledger/stamps", "lib:stamp", { text: "stamped" });
  expect(await convex("data", "--component", "ledger")).toContain("entries");
  expect(await convex("data", "entries", "--component", "ledger")).toContain("by hand");
  expect(await convex("data", "--component", "ledger/stamps")).toContain("stamps");

  await server.close();
  server = await start();
  expect(await runIn("ledger", "entries:texts", {})).toContain("by hand");
  expect(await runIn("second", "entries:environment", {})).toEqual({
    CURRENCY: "USD",
    GREETING: null,
    SECRET: null,
  });
});
