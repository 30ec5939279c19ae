/** The official command line pushes components, and looks into them. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createServer, type Server } from "../../embedded/index";

const COMPONENT_APP = fileURLToPath(new URL("./componentApp", import.meta.url));
const MODULES = fileURLToPath(new URL("../../node_modules", import.meta.url));
const ADMIN_KEY = "tests|0123456789abcdef";

let project: string;
let server: Server;

beforeAll(async () => {
  project = await mkdtemp(path.join(tmpdir(), "component-push-"));
  await mkdir(path.join(project, "convex"));
  await cp(COMPONENT_APP, path.join(project, "convex"), { recursive: true });
  await writeFile(path.join(project, "package.json"), '{"dependencies": {"convex": "*"}}');
  await symlink(MODULES, path.join(project, "node_modules"));
  server = await start();
});

afterAll(async () => {
  await server.close();
  await rm(project, { recursive: true, force: true });
});

/** A server without an app folder: it has what was pushed to it. */
const start = () =>
  createServer({
    dataFolder: path.join(project, "data"),
    port: 0,
    sitePort: 0,
    adminKey: ADMIN_KEY,
    environment: { GREETING: "hello" },
  });

async function convex(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(path.join(MODULES, ".bin/convex"), args, {
    cwd: project,
    env: {
      PATH: process.env["PATH"] ?? "",
      CONVEX_SELF_HOSTED_URL: server.url,
      CONVEX_SELF_HOSTED_ADMIN_KEY: ADMIN_KEY,
    },
  });
  return stdout;
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
