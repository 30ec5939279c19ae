import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LmdbStore } from "../../embedded/storage/lmdbStore";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import { describeStore } from "../../embedded/storage/storeConformance";

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "storage-test-"));
});
afterAll(() => rm(folder, { recursive: true }));

function newFile(): string {
  return join(folder, `data${files++}.mdb`);
}

describeStore("MemoryStore", async () => new MemoryStore());
describeStore("LmdbStore", async () => new LmdbStore(newFile()));

describe("LmdbStore", () => {
  test("has everything again after it was closed and opened, long keys too", async () => {
    const path = newFile();
    const entries: [string, string][] = [
      ["a", ""],
      ["k".repeat(2000), "é😀"],
      [`${"k".repeat(2000)}\0`, "x"],
      ["\xff", "z"],
    ];
    const first = new LmdbStore(path);
    const unawaited = first.commit(new Map(entries));
    await first.close();
    await unawaited;
    const second = new LmdbStore(path);
    expect([...second.scan("", null, "asc")]).toEqual(entries);
    await second.close();
  });

  test("grows from nothing to 50 MB under scans that go on meanwhile", async () => {
    const store = new LmdbStore(newFile());
    const value = "v".repeat(25_000);
    const scans = [];
    for (let i = 0; i < 20; i++) {
      await store.commit(new Map(Array.from({ length: 100 }, (_, j) => [`${1000 + i * 100 + j}`, value])));
      const scan = store.scan("", null, "asc");
      scan.next();
      scans.push(scan);
    }
    for (const scan of scans) expect([...scan].length).toBe(1999);
    await store.close();
  });

  test("rejects a commit that the disk has no room for, applies nothing of it, and goes on", async () => {
    const path = newFile();
    const output = await runWriter(["fill", path], { fileKilobytes: 4096 });
    const { resolved, rejected, message, afterwards } = JSON.parse(output.lines.at(-1) as string) as {
      resolved: number;
      rejected: number;
      message: string;
      afterwards: boolean;
    };
    expect(resolved).toBeGreaterThan(3);
    expect(rejected).toBeGreaterThan(0);
    expect(message).toBe("The database could not be written: Input/output error");
    const store = new LmdbStore(path);
    const keys = [...store.scan("", null, "asc")].map(([key]) => key);
    expect(keys.filter((key) => key.startsWith("big")).length).toBe(resolved * 2);
    expect(keys.includes("small")).toBe(afterwards);
    await store.close();
  });

  test("has every commit that resolved before the process was killed, and each commit whole or not at all", async () => {
    const path = newFile();
    let next = 0;
    for (let round = 0; round < 6; round++) {
      const { lines } = await runWriter(["commit", path, `${next}`], { killAfterMs: 15 + round * 37 });
      const reported = lines.map(Number);
      const store = new LmdbStore(path);
      const pieces = new Map<number, number>();
      for (const [key, value] of store.scan("commit0", null, "asc")) {
        const commit = Number(key.slice(6, 14));
        expect(value).toBe(`${commit}`);
        pieces.set(commit, (pieces.get(commit) ?? 0) + 1);
      }
      const present = [...pieces.keys()];
      const last = Number(store.get("commit") ?? -1);
      await store.close();

      expect(present).toEqual(Array.from({ length: last + 1 }, (_, i) => i));
      expect([...pieces].filter(([commit, count]) => count !== 1 + (commit % 40))).toEqual([]);
      expect(Math.max(-1, ...reported)).toBeLessThanOrEqual(last);
      expect(reported.length).toBeGreaterThan(0);
      next = last + 1;
    }
  });
});

/** Runs storageWriter.ts in a process of its own, until it ends or for so long after its first line. */
function runWriter(
  args: string[],
  { killAfterMs, fileKilobytes }: { killAfterMs?: number; fileKilobytes?: number },
): Promise<{ lines: string[] }> {
  const writer = new URL("./storageWriter.ts", import.meta.url).pathname;
  const limit = fileKilobytes === undefined ? "" : `ulimit -f ${fileKilobytes}; `;
  const child = spawn(
    "bash",
    ["-c", `${limit}exec "$@"`, "bash", process.execPath, "--import", "tsx", writer, ...args],
    {
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  let output = "";
  child.stdout.on("data", (data: Buffer) => {
    if (output === "" && killAfterMs !== undefined) setTimeout(() => child.kill("SIGKILL"), killAfterMs);
    output += data.toString();
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    // A line that was cut off by the kill reports nothing.
    child.on("close", () => resolve({ lines: output.split("\n").slice(0, -1) }));
  });
}
