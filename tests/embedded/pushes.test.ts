import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { newDataFolder, startServer, type TestServer } from "../temporaryServer";
import { ADMIN_KEY, newProject, runCli } from "./cliProject";

const version = makeFunctionReference<"query", Record<string, never>, string>("app:version");
const add = makeFunctionReference<"mutation", { text: string }>("app:add");
const byText = makeFunctionReference<"query", { text: string }, number>("app:byText");

let project: string;
let dataFolder: string;
let server: TestServer;
const faults: unknown[] = [];
let pushes = 0;

beforeAll(async () => {
  [project, dataFolder] = [await newProject(), await newDataFolder()];
  await writeSchema("");
  await writeApp("one");
  server = await start();
});

const start = (port = 0) =>
  startServer({
    dataFolder,
    port,
    adminKey: ADMIN_KEY,
    onFault: (error) => faults.push(error),
    onPush: () => pushes++,
  });

function write(file: string, source: string): Promise<void> {
  return writeFile(path.join(project, "convex", file), source);
}

function writeApp(name: string, more = ""): Promise<void> {
  return write(
    "app.ts",
    `import { mutationGeneric, queryGeneric } from "convex/server";
     import { v } from "convex/values";
     export const version = queryGeneric({ args: {}, handler: () => ${JSON.stringify(name)} });
     export const add = mutationGeneric({ handler: (ctx, args) => ctx.db.insert("rows", args) });
     export const byText = queryGeneric({
       args: { text: v.string() },
       handler: async (ctx, { text }) =>
         (await ctx.db.query("rows").withIndex("by_text", (q) => q.eq("text", text)).collect()).length,
     });
     ${more}`,
  );
}

function writeSchema(fields: string, indexes = ""): Promise<void> {
  return write(
    "schema.ts",
    `import { defineSchema, defineTable } from "convex/server"; import { v } from "convex/values";
     export default defineSchema({ rows: defineTable({ text: v.string(), ${fields} })${indexes} });`,
  );
}

/** Runs the official command line against the server; gives all that it has printed. */
async function cli(...args: string[]): Promise<string> {
  const { stdout, stderr } = await runCli(project, server, args);
  return stdout + stderr;
}

const dev = () => cli("dev", "--once", "--typecheck", "disable", "--codegen", "disable");
const deploy = () => cli("deploy", "--yes", "--typecheck", "disable", "--codegen", "disable");
const http = () => new ConvexHttpClient(server.url, { logger: false });

test("convex dev --once pushes an app to a server without one, and again: connected clients see the change", async () => {
  await expect(http().query(version, {})).rejects.toThrow(
    "Could not find public function for 'app:version'.",
  );
  await dev();
  const client = new ConvexClient(server.url, { webSocketConstructor: WebSocket as never, logger: false });
  const seen: string[] = [];
  let told = () => undefined as void;
  client.onUpdate(version, {}, (name) => {
    seen.push(name);
    told();
  });
  const until = async (name: string) => {
    while (seen.at(-1) !== name) await new Promise<void>((resolve) => (told = resolve));
  };
  await until("one");
  await writeApp("two");
  await dev();
  await until("two");
  expect(seen).toEqual(["one", "two"]);
  expect(pushes).toBe(2);
  await client.close();
  expect(faults).toEqual([]);
});

test("convex deploy adds and drops an index", async () => {
  await http().mutation(add, { text: "a" });
  await writeSchema("", '.index("by_text", ["text"])');
  expect(await deploy()).toMatch(/Added table indexes:\s+\[\+\] rows\.by_text/);
  expect(await http().query(byText, { text: "a" })).toBe(1);
  await writeSchema("");
  expect(await deploy()).toMatch(/Deleted table indexes:\s+\[-\] rows\.by_text/);
  await expect(http().query(byText, { text: "a" })).rejects.toThrow("Index rows.by_text not found");
});

test("a schema that does not fit the data is refused with Convex's message, and the app before goes on", async () => {
  await writeSchema("count: v.number(),");
  await writeApp("three");
  const refusal = deploy();
  await expect(refusal).rejects.toThrow("Schema validation failed.");
  await expect(refusal).rejects.toThrow(
    /Document with ID "\w+" in table "rows" does not match the schema: Object is missing the required field `count`/,
  );
  expect(await http().query(version, {})).toBe("two");
  await http().mutation(add, { text: "the old schema holds" });
  await writeSchema("");
});

test("a pushed app is served again after a restart, with the places of its errors", async () => {
  await writeApp("four", 'export const fails = queryGeneric(() => { throw new Error("on purpose"); });');
  await write(
    "actions.ts",
    `"use node"; import os from "node:os"; import { actionGeneric } from "convex/server";
     export const platform = actionGeneric(() => [os.platform(), process.platform, process.env.OF_DEPLOYMENT ?? null]);`,
  );
  await dev();
  const port = new URL(server.url).port;
  await cli("env", "set", "OF_DEPLOYMENT", "yes");
  await server.close();
  server = await start(Number(port));
  expect(await http().query(version, {})).toBe("four");
  expect(await http().action(makeFunctionReference<"action">("actions:platform"), {})).toEqual([
    process.platform,
    process.platform,
    "yes",
  ]);
  await cli("env", "remove", "OF_DEPLOYMENT");
  await expect(http().query(makeFunctionReference<"query">("app:fails"), {})).rejects.toThrow(
    /Uncaught Error: on purpose\n\s+at \.\.\/convex\/app\.ts:10:\d+\n/,
  );
});

test("an auth config that needs a variable is refused until it is set, and then asks it of the deployment", async () => {
  await write(
    "auth.config.ts",
    'export default { providers: [{ domain: process.env.ISSUER_URL, applicationID: "app" }] };',
  );
  await expect(deploy()).rejects.toThrow(
    /Environment variable .*ISSUER_URL.* is used in auth config file but its value was not set/,
  );
  await cli("env", "set", "ISSUER_URL", "https://issuer.example.com");
  await writeApp("five");
  await dev();
  expect(await http().query(version, {})).toBe("five");
});

test("an app that declares a variable as required is refused until it is set", async () => {
  const declare = (name: string) =>
    write(
      "convex.config.ts",
      `import { defineApp } from "convex/server"; import { v } from "convex/values";
       export default defineApp({ env: { ${name}: v.string() } });`,
    );
  await declare("REGION");
  await expect(deploy()).rejects.toThrow(
    /Environment variable .*REGION.* is declared as required in convex.config.ts/,
  );
  await rm(path.join(project, "convex", "convex.config.ts"));
});

test("modules that fail while they are loaded are refused with the reason", async () => {
  await writeApp("six", 'throw new Error("at load");');
  await expect(deploy()).rejects.toThrow(/Failed to load app\.js: Uncaught Error: at load/);
  await writeApp("six");
  expect(await http().query(version, {})).toBe("five");
});

test("a dry run changes nothing", async () => {
  await writeSchema("", '.index("by_text", ["text"])');
  await cli("deploy", "--dry-run", "--yes", "--typecheck", "disable", "--codegen", "disable");
  expect(await http().query(version, {})).toBe("five");
  await expect(http().query(byText, { text: "a" })).rejects.toThrow("Index rows.by_text not found");
});

test("convex run --push pushes before it runs", async () => {
  expect(
    await cli("run", "--push", "--typecheck", "disable", "--codegen", "disable", "app:version"),
  ).toContain("six");
});

test("components are pushed with the app, keep their state over a restart, and go with the push that leaves them out", async () => {
  await write(
    "convex.config.ts",
    `import { defineApp } from "convex/server"; import rateLimiter from "@convex-dev/rate-limiter/convex.config";
     const app = defineApp(); app.use(rateLimiter); app.use(rateLimiter, { name: "second" }); export default app;`,
  );
  await write(
    "limits.ts",
    `import { componentsGeneric, mutationGeneric } from "convex/server"; import { RateLimiter } from "@convex-dev/rate-limiter";
     const { rateLimiter, second } = componentsGeneric();
     const limits = { send: { kind: "fixed window", rate: 2, period: 3_600_000, start: 0 } } as const;
     const [one, other] = [new RateLimiter(rateLimiter, limits), new RateLimiter(second, limits)];
     export const send = mutationGeneric({ handler: async (ctx) => (await one.limit(ctx, "send")).ok });
     export const sendOther = mutationGeneric({ handler: async (ctx) => (await other.limit(ctx, "send")).ok });`,
  );
  const pushed = await cli("deploy", "--yes", "--typecheck", "disable");
  for (const name of ["rateLimiter", "second", "rateLimiter/batchWorker"]) {
    expect(pushed).toContain(`Installed component ${name}.`);
  }
  const generated = await readFile(path.join(project, "convex/_generated/api.d.ts"), "utf8");
  expect(generated).toMatch(/"?second"?: import\("@convex-dev\/rate-limiter\/_generated\/component.js"\)/);
  const send = (name: string) => http().mutation(makeFunctionReference<"mutation">(`limits:${name}`), {});
  expect([await send("send"), await send("send"), await send("sendOther")]).toEqual([true, true, true]);
  const port = new URL(server.url).port;
  await server.close();
  server = await start(Number(port));
  expect([await send("send"), await send("sendOther"), await send("sendOther")]).toEqual([
    false,
    true,
    false,
  ]);
  await Promise.all(["convex.config.ts", "limits.ts"].map((file) => rm(path.join(project, "convex", file))));
  await rm(path.join(project, "convex/_generated"), { recursive: true });
  expect(await deploy()).toContain("Unmounted component second.");
});

/** What the command line would send to push a module. */
function pushOf(name: string, appDefinition: object = {}) {
  const source = `import "./_deps/SHARED.js"; const f = Object.assign(() => {}, { isQuery: true, isPublic: true,
    exportArgs: () => '{"type":"any"}', exportReturns: () => '{"type":"any"}', invokeQuery: async () => '"${name}"' });
    export { f as name };`;
  const shared = { path: "_deps/SHARED.js", source: "", environment: "isolate" };
  return {
    dryRun: false,
    functions: "convex/",
    appDefinition: {
      definition: null,
      dependencies: [],
      schema: null,
      changedModules: [{ path: "pushed.js", source, environment: "isolate" }, shared],
      unchangedModuleHashes: [],
      udfServerVersion: "1.48.0",
      ...appDefinition,
    },
    componentDefinitions: [],
    nodeDependencies: [],
  };
}

async function post(
  route: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${server.url}/api/${route}`, {
    method: "POST",
    headers: { Authorization: `Convex ${ADMIN_KEY}`, "Content-Type": "application/json", ...headers },
    body,
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const postJson = (route: string, body: unknown) => post(route, JSON.stringify(body));

test("of two pushes at once the second comes into force, and the first is told", async () => {
  const first = (await postJson("deploy2/start_push", pushOf("first"))).body;
  const second = (await postJson("deploy2/start_push", pushOf("second"))).body;
  expect((await postJson("deploy2/wait_for_schema", first)).body).toEqual({ type: "raceDetected" });
  expect((await postJson("deploy2/wait_for_schema", second)).body).toEqual({ type: "complete" });
  expect(await postJson("deploy2/finish_push", { startPush: first })).toEqual({
    status: 400,
    body: {
      code: "RaceDetected",
      message: expect.stringContaining("Schema was overwritten by another push.") as string,
    },
  });
  expect((await postJson("deploy2/finish_push", { startPush: second })).status).toBe(200);
  expect(await http().query(makeFunctionReference<"query">("pushed:name"), {})).toBe("second");
  expect((await postJson("deploy2/finish_push", { startPush: second })).body["code"]).toBe("RaceDetected");
});

test("a push is refused when the environment has changed since it began", async () => {
  const { body } = await postJson("deploy2/start_push", pushOf("late"));
  await cli("env", "set", "COLOUR", "green");
  const refusal = await postJson("deploy2/finish_push", { startPush: body });
  expect(refusal.body).toEqual({
    code: "RaceDetected",
    message: "Hit an error while pushing:\nEnvironment variables have changed during push",
  });
  expect(await http().query(makeFunctionReference<"query">("pushed:name"), {})).toBe("second");
});

const modules = (...changedModules: object[]) => pushOf("bad", { changedModules });

test.each([
  ["no object", [], "BadJsonBody"],
  ["no app", { functions: "convex/" }, "InvalidConfig"],
  [
    "a path that leaves the app",
    modules({ path: "../x.js", source: "", environment: "isolate" }),
    "InvalidConfig",
  ],
  ["an unknown environment", modules({ path: "x.js", source: "", environment: "browser" }), "InvalidConfig"],
  ["a module without source", modules({ path: "x.js", environment: "isolate" }), "InvalidConfig"],
  ["code that is none", modules({ path: "x.js", source: "{", environment: "isolate" }), "InvalidModules"],
  [
    "an import of a file of the server's machine",
    modules({ path: "x.js", source: 'import "/etc/passwd.js"', environment: "node" }),
    "InvalidModules",
  ],
  [
    "a broken source map and a package that is not bundled",
    modules({ path: "x.js", source: 'import "left-pad"', sourceMap: "{", environment: "isolate" }),
    "InvalidModules",
  ],
  [
    "a package that would have to be installed",
    { ...pushOf("bad"), nodeDependencies: [{ name: "sharp", version: "1.0.0" }] },
    "InvalidExternalModules",
  ],
  [
    "an unchanged module that nobody has pushed",
    pushOf("bad", { unchangedModuleHashes: [{ path: "x.js", environment: "isolate", sha256: "00" }] }),
    "ExistingModuleHashConflict",
  ],
])("a push with %s is refused", async (_what, body, code) => {
  expect((await postJson("deploy2/start_push", body)).body).toMatchObject({ code });
  expect(await http().query(makeFunctionReference<"query">("pushed:name"), {})).toBe("second");
});

test("a push must be compressed with br or not at all, and decompress to no more than the largest push", async () => {
  const br = { "Content-Encoding": "br" };
  const bomb = brotliCompressSync(Buffer.alloc(150_000_000, " "), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 1 },
  });
  expect(bomb.length).toBeLessThan(50_000);
  expect(await post("deploy2/start_push", bomb, br)).toMatchObject({
    status: 413,
    body: { code: "PushTooLarge" },
  });
  expect(await post("deploy2/start_push", "{}", br)).toMatchObject({
    status: 400,
    body: { code: "BadJsonBody" },
  });
  expect(await post("deploy2/start_push", "{}", { "Content-Encoding": "gzip" })).toMatchObject({
    status: 415,
  });
});

test.each(["get_config_hashes", "deploy2/start_push", "deploy2/finish_push"])(
  "%s is refused without the admin key, before the body is read",
  async (route) => {
    const br = { "Content-Encoding": "br" };
    const wrong = { ...br, Authorization: "Convex tests|0000" };
    expect(await post(route, "{", wrong)).toMatchObject({ status: 401, body: { code: "BadAdminKey" } });
    const none = await fetch(`${server.url}/api/${route}`, { method: "POST", headers: br, body: "{" });
    expect(none.status).toBe(403);
    expect(faults).toEqual([]);
  },
);
