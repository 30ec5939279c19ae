import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { FIXTURE_APP } from "./harness";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

/** Calls a function of the server at `url` and gives its answer. */
const CALL = `
const call = async (url, kind, path, args) => {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ path, args, format: "json" });
  return await (await fetch(url + "/api/" + kind, { method: "POST", headers, body })).text();
};
const [appFolder, folder] = process.argv.slice(2);
`;

/** Runs a script, to which `main` and `createServer` are known, with the folder of the fixture app and an empty one. */
async function run(script: string): Promise<{ code: number | null; output: string; errors: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), "closing-"));
  const imports = Object.entries({ createServer: "index.ts", main: "main.ts" }).map(
    ([name, file]) =>
      `import { ${name} } from "${pathToFileURL(path.join(PROJECT, "embedded", file)).href}";`,
  );
  const file = path.join(folder, "server.mts");
  await writeFile(file, `${imports.join("\n")}${CALL}${script}`);
  const child = spawn(process.execPath, ["--import", "tsx", file, FIXTURE_APP, folder], {
    cwd: PROJECT,
    stdio: ["ignore", "pipe", "pipe"],
    // One that stays ends without a code then.
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
  try {
    const [[code], output, errors] = await Promise.all([
      once(child, "exit") as Promise<[number | null]>,
      text(child.stdout),
      text(child.stderr),
    ]);
    return { code, output, errors };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("a process whose server is closed has nothing left to do, and ends", { timeout: 30_000 }, async () => {
  const { code, output, errors } = await run(`
    const server = await createServer({ appFolder, dataFolder: folder + "/data", port: 0, sitePort: 0 });
    console.log(await call(server.url, "query", "notes:all", {}));
    await server.close();
  `);
  expect(output).toContain('"success"');
  expect({ code, errors }).toEqual({ code: 0, errors: "" });
});

test("no promise that the app forgets ends the process, and of what failed the place alone is logged", async () => {
  const { code, output, errors } = await run(`
    let url;
    const announce = (server) => [(url = server.url)];
    const flags = ["--port", "0", "--site-port", "0", "--data", folder + "/data"];
    await main(flags, { appFolder, cacheFolder: folder + "/cache", announce });
    console.log(await call(url, "query", "misbehave:awaitNoRead", { id: "secret" }));
    console.log(await call(url, "mutation", "misbehave:awaitNoWrite", { author: ["secret"] }));
    console.log(await call(url, "action", "misbehave:awaitNoCall", {}));
    console.log(await call(url, "action", "misbehave:throwInTimers", {}));
    process.kill(process.pid, "SIGTERM");
  `);
  expect(output.match(/"value":"done"/g)).toHaveLength(4);
  expect(code).toBe(0);
  const faults = errors.split(/^(?=Error: )/m);
  expect(faults).toHaveLength(7);
  for (const fault of faults) {
    expect(fault).toMatch(/^Error: A promise was rejected that nobody awaits\n( {4}at .+\n)*$/);
  }
});
