import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { FIXTURE_APP } from "./harness";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

const SCRIPT = `
import { createServer } from "${pathToFileURL(path.join(PROJECT, "embedded/index.ts")).href}";
const [appFolder, dataFolder] = process.argv.slice(2);
const server = await createServer({ appFolder, dataFolder, port: 0, sitePort: 0 });
const body = JSON.stringify({ path: "notes:all", args: {}, format: "json" });
const headers = { "Content-Type": "application/json" };
console.log(await (await fetch(server.url + "/api/query", { method: "POST", headers, body })).text());
await server.close();
`;

test("a process whose server is closed has nothing left to do, and ends", { timeout: 30_000 }, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "closing-"));
  const script = path.join(folder, "server.mts");
  await writeFile(script, SCRIPT);
  const args = ["--import", "tsx", script, FIXTURE_APP, path.join(folder, "data")];
  const child = spawn(process.execPath, args, {
    cwd: PROJECT,
    stdio: ["ignore", "pipe", "inherit"],
    // One that stays ends without a code then.
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
  try {
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    const [code] = (await once(child, "exit")) as [number | null];
    expect(output).toContain('"success"');
    expect(code).toBe(0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
