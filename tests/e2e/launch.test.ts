/** `npm start` in a clone of the project: what it has compiled is used again, and never when it is out of date. */
import { cp, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { childEnvironment, PROJECT_FOLDER, request, temporaryFolder, TestProcess } from "./server";
import { untilFiles } from "../untilFiles";

/** A clone in which packages are installed. Each is a link, so that single ones can be taken away. */
async function cloneProject(): Promise<string> {
  const project = await temporaryFolder();
  for (const name of ["convex", "embedded", "openapi", "scripts", "package.json", "tsconfig.json"]) {
    await cp(path.join(PROJECT_FOLDER, name), path.join(project, name), { recursive: true });
  }
  await mkdir(path.join(project, "node_modules"));
  for (const name of await readdir(path.join(PROJECT_FOLDER, "node_modules"))) {
    if (name === ".cache") continue;
    await symlink(path.join(PROJECT_FOLDER, "node_modules", name), path.join(project, "node_modules", name));
  }
  return project;
}

type Running = { readonly url: string; readonly siteUrl: string; readonly stop: () => Promise<void> };

async function launch(project: string, data = "data"): Promise<Running> {
  const flags = ["--port", "0", "--site-port", "0", "--data", path.join(project, data)];
  const child = new TestProcess(process.execPath, [path.join(project, "scripts/launch.js"), ...flags], {
    cwd: project,
    env: childEnvironment(),
  });
  onTestFinished(() => child.kill());
  const [, url = ""] = await child.line(/^ {2}Functions +(http:\S+)$/);
  const [, siteUrl = ""] = await child.line(/^ {2}HTTP routes +(http:\S+)$/);
  const stop = async () => {
    child.signal("SIGINT");
    expect(await child.ended).toMatchObject({ code: 0, stderr: "" });
  };
  return { url, siteUrl, stop };
}

const cacheOf = (project: string) => path.join(project, "node_modules/.cache/connvo-meetings");

/** Launches a server and stops it when it has kept all that another start can use. */
async function fillCache(project: string): Promise<void> {
  const cache = cacheOf(project);
  const { stop } = await launch(project);
  await untilFiles(cache, async () => {
    const names = (await readdir(cache)).filter((name) => !name.endsWith(".new"));
    const files = await Promise.all(names.map((name) => readFile(path.join(cache, name), "latin1")));
    return files.length === 2 && files.every((file) => /"name":"(v8Code|V8 code)/.test(file));
  });
  await stop();
}

/** Replaces text in a file by other text of the same length, and gives the file the time that it had. */
async function replaceUnnoticed(file: string, from: string, to: string): Promise<void> {
  const { atime, mtime, size } = await stat(file);
  await writeFile(file, (await readFile(file, "utf8")).replace(from, to));
  await utimes(file, atime, mtime);
  expect(await stat(file)).toMatchObject({ size, mtime });
}

const versionOf = async ({ url }: Running) => (await request(`${url}/version`)).body;
const healthOf = async ({ siteUrl }: Running) => (await request(`${siteUrl}/health`)).body;

test("what one start has compiled others use, after everything was touched too, until a source changes", async () => {
  const project = await cloneProject();
  await fillCache(project);

  // Without the compiler nothing can start that is not compiled.
  const compiler = path.join(project, "node_modules/esbuild");
  await rm(compiler);
  const second = await launch(project);
  expect(await healthOf(second)).toEqual({ status: "ok" });
  await second.stop();

  for (const entry of await readdir(project, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.parentPath.includes("node_modules")) continue;
    await utimes(path.join(entry.parentPath, entry.name), new Date(), new Date());
  }
  const touched = await launch(project);
  expect(await healthOf(touched)).toEqual({ status: "ok" });
  await touched.stop();

  await symlink(path.join(PROJECT_FOLDER, "node_modules/esbuild"), compiler);
  await replaceUnnoticed(path.join(project, "embedded/index.ts"), '"1.48.0"', '"1.48.7"');
  const changed = await launch(project);
  expect(await versionOf(changed)).toBe("1.48.7");
  await changed.stop();

  await replaceUnnoticed(path.join(project, "convex/http.ts"), '"ok"', '"up"');
  const changedApp = await launch(project);
  expect(await healthOf(changedApp)).toEqual({ status: "up" });
  await changedApp.stop();
});

test("two first starts at once both come up, and one after them too", async () => {
  const project = await cloneProject();
  const both = await Promise.all([launch(project, "one"), launch(project, "two")]);
  for (const running of both) expect(await healthOf(running)).toEqual({ status: "ok" });
  await Promise.all(both.map((running) => running.stop()));
  const next = await launch(project);
  expect(await healthOf(next)).toEqual({ status: "ok" });
  await next.stop();
});

test("a start comes up where nothing can be kept, and where what is kept is damaged", async () => {
  const project = await cloneProject();
  await writeFile(path.join(project, "node_modules/.cache"), "a file");
  const without = await launch(project);
  expect(await healthOf(without)).toEqual({ status: "ok" });
  await without.stop();

  await rm(path.join(project, "node_modules/.cache"));
  await fillCache(project);
  for (const name of await readdir(cacheOf(project))) {
    const file = path.join(cacheOf(project), name);
    const bytes = await readFile(file);
    // The header is whole; of code there is nothing that is.
    for (let i = bytes.length >> 3; i < bytes.length; i += 97) bytes[i] = (bytes[i] ?? 0) ^ 0x20;
    await writeFile(file, bytes);
  }
  const damaged = await launch(project);
  expect(await healthOf(damaged)).toEqual({ status: "ok" });
  await damaged.stop();
});
