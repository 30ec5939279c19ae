/** A server that keeps the bundle of its app serves the folder as it is, whatever is kept. */
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createServer } from "../../embedded/index";
import { untilFiles } from "../untilFiles";

let folder: string;
let project: string;
let cacheFolder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "app-cache-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  project = await mkdtemp(path.join(folder, "project-"));
  cacheFolder = path.join(project, "cache");
  await mkdir(path.join(project, "convex/lib"), { recursive: true });
  const packages = fileURLToPath(new URL("../../node_modules", import.meta.url));
  await symlink(packages, path.join(project, "node_modules"), "dir");
  await write("lib/greeting.ts", 'export const greeting = "one";');
  await write(
    "app.ts",
    `import { queryGeneric } from "convex/server";
     import { greeting } from "./lib/greeting";
     const query = (handler) => queryGeneric({ handler });
     export const greet = query(() => greeting);
     export const extra = process.env["EXTRA"] === "yes" ? query(() => "there") : null;
     export const fail = query(() => { throw new Error("failed"); });`,
  );
});

async function write(file: string, source: string): Promise<void> {
  await writeFile(path.join(project, "convex", file), source);
}

type Running = {
  /** What a function answers, or the message of its error. */
  readonly call: (name: string) => Promise<unknown>;
  readonly close: () => Promise<void>;
};

async function start(environment: Record<string, string> = {}): Promise<Running> {
  const server = await createServer({
    appFolder: path.join(project, "convex"),
    dataFolder: path.join(project, "data"),
    cacheFolder,
    environment,
    port: 0,
    sitePort: 0,
  });
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= server.close());
  onTestFinished(close);
  const call = async (name: string) => {
    const response = await fetch(`${server.url}/api/run/${name.replace(":", "/")}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ args: {} }),
    });
    const { value, errorMessage } = (await response.json()) as { value?: unknown; errorMessage?: string };
    return value ?? errorMessage;
  };
  return { call, close };
}

/** Starts and stops a server, and gives what a function answered meanwhile. */
async function answerOf(name: string, environment?: Record<string, string>): Promise<unknown> {
  const server = await start(environment);
  const answer = await server.call(name);
  await server.close();
  return answer;
}

/** Until the clock of the file system has gone on: what has changed at the very time of a start is not kept. */
async function clockTick(): Promise<void> {
  const probe = path.join(project, "probe");
  const now = async () => {
    await writeFile(probe, "");
    return (await stat(probe, { bigint: true })).ctimeNs;
  };
  for (const start = await now(); (await now()) === start;);
}

/** Runs a server until all is kept that is known of the app. */
async function fillCache(environment?: Record<string, string>): Promise<void> {
  await clockTick();
  const before = await keptFile().catch(() => null);
  const server = await start(environment);
  await untilFiles(cacheFolder, async () => {
    const kept = await keptFile().catch(() => null);
    return kept !== null && kept.includes('"declarations"') && (before === null || !kept.equals(before));
  });
  await server.close();
}

async function keptPath(): Promise<string> {
  const names = await readdir(cacheFolder);
  return path.join(cacheFolder, names.find((name) => !name.endsWith(".new")) ?? "");
}

async function keptFile(): Promise<Buffer> {
  return readFile(await keptPath());
}

describe("what has changed since the last start is served changed:", () => {
  test("a module", async () => {
    await fillCache();
    await write("lib/greeting.ts", 'export const greeting = "another";');
    expect(await answerOf("app:greet")).toBe("another");
  });

  test("a module that is as long as it was and bears the same time", async () => {
    await fillCache();
    const file = path.join(project, "convex/lib/greeting.ts");
    const { atime, mtime } = await stat(file);
    await write("lib/greeting.ts", 'export const greeting = "two";');
    await utimes(file, atime, mtime);
    expect(await answerOf("app:greet")).toBe("two");
  });

  test("a module that has come, and one that has gone", async () => {
    await fillCache();
    await write("more.ts", 'export { greet } from "./app";');
    expect(await answerOf("more:greet")).toBe("one");
    await rm(path.join(project, "convex/more.ts"));
    expect(await answerOf("more:greet")).toContain("Could not find");
  });

  test("a module that comes before the one that was imported", async () => {
    await fillCache();
    await write("lib/greeting.tsx", 'export const greeting = "tsx";');
    expect(await answerOf("app:greet")).toBe("tsx");
  });

  test("a file that was no module", async () => {
    await write("late.ts", "const nothing = 0;");
    await fillCache();
    await write("late.ts", 'export { greet } from "./app";');
    expect(await answerOf("late:greet")).toBe("one");
  });

  test("what decides how modules are compiled", async () => {
    await write("lib/named.ts", 'export const greeting = "by the settings";');
    const settings = (target: string) =>
      writeFile(
        path.join(project, "tsconfig.json"),
        JSON.stringify({ compilerOptions: { paths: { greeting: [`./convex/lib/${target}.ts`] } } }),
      );
    await settings("greeting");
    await write(
      "by.ts",
      'import { queryGeneric } from "convex/server"; import { greeting } from "greeting"; export const greet = queryGeneric({ handler: () => greeting });',
    );
    await fillCache();
    expect(await answerOf("by:greet")).toBe("one");
    await settings("named");
    expect(await answerOf("by:greet")).toBe("by the settings");
  });

  test("the environment on which it depends which functions there are", async () => {
    await fillCache();
    expect(await answerOf("app:extra")).toContain("Could not find");
    expect(await answerOf("app:extra", { EXTRA: "yes" })).toBe("there");
    await fillCache({ EXTRA: "yes" });
    expect(await answerOf("app:extra")).toContain("Could not find");
  });
});

describe("what is kept", () => {
  test("is used where nothing has changed, and names the places of errors", async () => {
    await fillCache();
    const before = await keptFile();
    const server = await start();
    expect(await server.call("app:greet")).toBe("one");
    expect(await server.call("app:fail")).toMatch(/failed\n +at .*convex\/app\.ts:6:\d+/);
    await server.close();
    expect((await keptFile()).equals(before)).toBe(true);
  });

  test.each<[string, (file: string) => Promise<void>]>([
    ["was cut off", async (file) => truncate(file, Math.floor((await stat(file)).size / 2))],
    ["is something else", (file) => writeFile(file, "something else\n".repeat(1_000))],
    [
      "has other bytes in its code",
      async (file) => {
        const bytes = await readFile(file);
        const at = bytes.indexOf('"one"');
        bytes.write('"off"', at);
        await writeFile(file, bytes);
      },
    ],
  ])("is not used when it %s", async (_what, damage) => {
    await fillCache();
    await damage(await keptPath());
    expect(await answerOf("app:greet")).toBe("one");
    expect(await answerOf("app:greet")).toBe("one");
  });

  test("of another folder is not used", async () => {
    await fillCache();
    const kept = await keptPath();
    const first = project;
    project = await mkdtemp(path.join(folder, "project-"));
    await mkdir(path.join(project, "convex"));
    await symlink(path.join(first, "node_modules"), path.join(project, "node_modules"), "dir");
    await write(
      "app.ts",
      'import { queryGeneric } from "convex/server"; export const greet = queryGeneric({ handler: () => "other" });',
    );
    expect(await answerOf("app:greet")).toBe("other");
    expect(await readdir(cacheFolder)).toContain(path.basename(kept));
  });

  test("is nothing where nothing can be written, and the server runs", async () => {
    await writeFile(cacheFolder, "a file");
    expect(await answerOf("app:greet")).toBe("one");
    await write("lib/greeting.ts", 'export const greeting = "another";');
    expect(await answerOf("app:greet")).toBe("another");
  });
});
