import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { spawn } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { newDataFolder, startServer, type TestServer } from "../temporaryServer";
import { ADMIN_KEY, cliCommand, newProject, runCli } from "./cliProject";
import { FIXTURE_APP } from "./harness";

let project: string;
let dataFolder: string;
let server: TestServer;

beforeAll(async () => {
  [project, dataFolder] = [await newProject(), await newDataFolder()];
  server = await start();
});

const start = () =>
  startServer({
    appFolder: FIXTURE_APP,
    dataFolder,
    adminKey: ADMIN_KEY,
    environment: { GREETING: "hello" },
  });

/** Runs a command of the official packages against the server as a self-hosted deployment; gives its standard output. */
async function cli(command: "convex" | "convex-helpers", ...args: string[]): Promise<string> {
  return (await runCli(project, server, args, command)).stdout;
}

test("convex run calls public and internal functions, also in the name of a user", async () => {
  const id = JSON.parse(
    await cli("convex", "run", "notes:add", '{"author": "cli", "text": "by hand"}'),
  ) as string;
  expect(JSON.parse(await cli("convex", "run", "notes:get", JSON.stringify({ id })))).toMatchObject({
    text: "by hand",
  });
  const identity = { subject: "s", issuer: "i", tokenIdentifier: "i|s" };
  const flags = ["--identity", JSON.stringify(identity)];
  expect(JSON.parse(await cli("convex", "run", "outside:whoAmI", "{}", ...flags))).toMatchObject(identity);
  await expect(cli("convex", "run", "notes:addAndFail", '{"author": "cli"}')).rejects.toThrow("NESTED");
});

test("convex function-spec lists every function with its validators, and the HTTP routes", async () => {
  const { url, functions } = JSON.parse(await cli("convex", "function-spec")) as {
    url: string;
    functions: object[];
  };
  expect(url).toBe(server.url);
  expect(functions).toContainEqual({
    identifier: "notes.js:get",
    functionType: "Query",
    visibility: { kind: "public" },
    args: {
      type: "object",
      value: { id: { fieldType: { type: "id", tableName: "notes" }, optional: false } },
    },
    returns: { type: "any" },
  });
  expect(functions).toContainEqual(
    expect.objectContaining({ identifier: "notes.js:addAndFail", visibility: { kind: "internal" } }),
  );
  expect(functions).toContainEqual({ functionType: "HttpAction", method: "POST", path: "/notes" });
});

test("convex data lists tables and shows documents", async () => {
  await cli("convex", "run", "notes:addMany", '{"author": "shown", "texts": ["one", "two"]}');
  expect((await cli("convex", "data")).split("\n")).toContain("notes");
  const rows = await cli("convex", "data", "notes", "--limit", "2");
  expect(rows).toContain('"two"');
});

test("convex env get reads the deployment's environment", async () => {
  expect(await cli("convex", "env", "get", "GREETING")).toBe("hello\n");
});

test("convex env set and remove change what functions see at once, and it stays so after a restart", async () => {
  const see = async (name: string) =>
    (
      JSON.parse(await cli("convex", "run", "outside:environment", JSON.stringify({ name }))) as {
        value: unknown;
      }
    ).value;
  await cli("convex", "env", "set", "COLOUR", "green");
  expect(await see("COLOUR")).toBe("green");
  expect(await cli("convex", "env", "list")).toContain("COLOUR=green");
  await server.close();
  server = await start();
  expect(await see("COLOUR")).toBe("green");
  await cli("convex", "env", "remove", "COLOUR");
  expect(await see("COLOUR")).toBeNull();
});

test.each([
  ["GREETING", "comes with the server's process"],
  ["CONVEX_CLOUD_URL", "comes with the server's process"],
  ["1ST", "can't be the name of a variable"],
])("convex env set refuses %s", async (name, message) => {
  await expect(cli("convex", "env", "set", name, "value")).rejects.toThrow(message);
});

test("convex logs shows what functions log from now on, and how they fail", async () => {
  const { file, options } = cliCommand(project, server, "convex");
  const child = spawn(file, ["logs", "--success"], options);
  const output: string[] = [];
  const shows = (text: string) =>
    new Promise<void>((resolve) => {
      const look = () => output.join("").includes(text) && resolve();
      child.stdout.on("data", look);
      look();
    });
  child.stdout.setEncoding("utf8").on("data", (text: string) => output.push(text));
  try {
    // The first answer is where the client begins; what is called until then is history.
    const http = new ConvexHttpClient(server.url, { logger: false });
    const seen = shows("adding two for");
    const calling = setInterval(
      () => void http.action(makeFunctionReference<"action">("outside:addTwo"), { author: "log" }),
      50,
    );
    await seen;
    clearInterval(calling);
    await http.mutation(makeFunctionReference<"mutation">("misbehave:throwError"), {}).catch(() => undefined);
    await shows("on purpose");
    expect(output.join("")).toMatch(/A\(outside:addTwo\).*'adding two for' \{ author: 'log' \}/);
    expect(output.join("")).toMatch(/M\(misbehave:throwError\).*Uncaught Error: on purpose/);
    expect(output.join("")).toMatch(/M\(notes:add\).*Function executed in \d+ ms/);
  } finally {
    child.kill("SIGKILL");
  }
});

test("convex-helpers open-api-spec writes its document from what the deployment says", async () => {
  await cli("convex-helpers", "open-api-spec");
  const name = (await readdir(project)).find((file) => file.endsWith(".yaml")) ?? "";
  const document = await readFile(path.join(project, name), "utf8");
  expect(document).toContain("/api/run/notes/get");
  expect(document).toContain('ID from table "notes"');
});

test("without the admin key the command line learns nothing", async () => {
  const response = await fetch(`${server.url}/api/query`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ path: "_system/cli/modules:apiSpec", args: {} }),
  });
  expect(await response.json()).toMatchObject({
    status: "error",
    errorMessage: expect.stringContaining("Could not find public function") as string,
  });
});
