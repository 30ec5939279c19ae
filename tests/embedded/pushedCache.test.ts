/** A server that serves what was pushed keeps what it has made of it, and serves what was pushed last, whatever is kept. */
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, expect, test } from "vitest";
import { newDataFolder, startServer, type TestServer } from "../temporaryServer";
import { untilFiles } from "../untilFiles";
import { ADMIN_KEY, newProject, runCli } from "./cliProject";

let project: string;
let dataFolder: string;

beforeEach(async () => {
  [project, dataFolder] = [await newProject(), await newDataFolder()];
});

const keptFile = () => path.join(dataFolder, "cache/pushed");
const readKept = () => readFile(keptFile()).catch(() => null);
const start = () => startServer({ dataFolder, adminKey: ADMIN_KEY });

async function push(server: TestServer, version: string): Promise<void> {
  await writeFile(
    path.join(project, "convex/app.ts"),
    `import { queryGeneric } from "convex/server";
     export const version = queryGeneric({ handler: () => ${JSON.stringify(version)} });
     export const fail = queryGeneric({ handler: () => { throw new Error("on purpose"); } });`,
  );
  await runCli(project, server, ["deploy", "--yes", "--typecheck", "disable", "--codegen", "disable"]);
}

/** Pushes a version and waits until all is kept that is known of it. */
async function pushAndKeep(server: TestServer, version: string): Promise<void> {
  const before = await readKept();
  await push(server, version);
  await untilFiles(path.dirname(keptFile()), async () => {
    const kept = await readKept();
    return kept !== null && kept.includes(`"${version}"`) && (before === null || !kept.equals(before));
  });
}

async function call({ url }: TestServer, name: string): Promise<unknown> {
  const response = await fetch(`${url}/api/run/app/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ args: {} }),
  });
  const { value, errorMessage } = (await response.json()) as { value?: unknown; errorMessage?: string };
  return value ?? errorMessage;
}

/** What a server serves that is started and stopped for that. */
async function servedVersion(): Promise<unknown> {
  const server = await start();
  const version = await call(server, "version");
  await server.close();
  return version;
}

test("what is made of a push is kept, and used at the next start with the places of errors", async () => {
  const first = await start();
  await pushAndKeep(first, "one");
  await first.close();
  const before = await readKept();
  const server = await start();
  expect(await call(server, "version")).toBe("one");
  expect(await call(server, "fail")).toMatch(/on purpose\n +at .*convex\/app\.ts:3:\d+/);
  await server.close();
  expect((await readKept())?.equals(before as Buffer)).toBe(true);
});

test("what was pushed last is served where something else is kept, and is kept from then on", async () => {
  const first = await start();
  await pushAndKeep(first, "one");
  const one = (await readKept()) as Buffer;
  await pushAndKeep(first, "two");
  await first.close();
  await writeFile(keptFile(), one);
  const second = await start();
  expect(await call(second, "version")).toBe("two");
  await untilFiles(path.dirname(keptFile()), async () => (await readKept())?.includes('"two"') ?? false);
  await second.close();
  expect(await servedVersion()).toBe("two");
});

test("what is kept is not used when it is damaged, nor missed when it is gone or can't be written", async () => {
  const first = await start();
  await pushAndKeep(first, "one");
  await first.close();
  const damaged = (await readKept()) as Buffer;
  damaged.write('"off"', damaged.indexOf('"one"'));
  await writeFile(keptFile(), damaged);
  expect(await servedVersion()).toBe("one");
  await rm(path.dirname(keptFile()), { recursive: true });
  expect(await servedVersion()).toBe("one");
  await rm(path.dirname(keptFile()), { recursive: true, force: true });
  await writeFile(path.dirname(keptFile()), "a file");
  expect(await servedVersion()).toBe("one");
});
