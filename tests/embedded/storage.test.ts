import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LogStore } from "../../embedded/storage/logStore";
import type { Store } from "../../embedded/storage/store";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import { LmdbAlone } from "./storageLmdb";
import { runWriter } from "./storageProcess";
import { SMALL_LOG, SMALL_LOG_WITH_THREAD } from "./storageSizes";
import { describeStore } from "./storeConformance";

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "storage-test-"));
});
afterAll(() => rm(folder, { recursive: true }));

function newFile(): string {
  return join(folder, `data${files++}.mdb`);
}

/** The file of a database in a folder of its own. */
async function newFolder(): Promise<string> {
  const path = join(folder, `folder${files++}`);
  await mkdir(path);
  return join(path, "data.mdb");
}

describeStore("MemoryStore", async () => new MemoryStore());
describeStore("LmdbStore", async () => new LmdbAlone(newFile()));
describeStore("LogStore", async () => LogStore.open(await newFolder()));
describeStore("LogStore with a small log", async () => LogStore.open(await newFolder(), SMALL_LOG));
describeStore("LogStore with a small log and a thread", async () =>
  LogStore.open(await newFolder(), SMALL_LOG_WITH_THREAD),
);

test("LogStore has a commit of thousands of parts whole again after it was closed and opened", async () => {
  const path = await newFolder();
  // More than an address has room for pieces of memory, of which each part has one of its own.
  const entries = Array.from({ length: 4500 }, (_, i): [string, string] => [
    `\x03\0\0${String.fromCharCode(i >> 8, i & 255)}tail`,
    `value${i}`,
  ]);
  const first = await LogStore.open(path);
  await first.commit(new Map(entries));
  await first.close();
  const second = await LogStore.open(path);
  expect([...second.scan("", null, "asc")]).toEqual(entries);
  await second.close();
});

describe("LmdbStore", () => {
  test("has everything again after it was closed and opened, long keys too", async () => {
    const path = newFile();
    const entries: [string, string][] = [
      ["a", ""],
      ["k".repeat(2000), "é😀"],
      [`${"k".repeat(2000)}\0`, "x"],
      ["\xff", "z"],
    ];
    const first = new LmdbAlone(path);
    const unawaited = first.commit(new Map(entries));
    await first.close();
    await unawaited;
    const second = new LmdbAlone(path);
    expect([...second.scan("", null, "asc")]).toEqual(entries);
    await second.close();
  });

  test("grows from nothing to 50 MB under scans that go on meanwhile", async () => {
    const store = new LmdbAlone(newFile());
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
});

describe.each<[string, string, (path: string) => Promise<Store>]>([
  ["LmdbStore", "lmdb", async (path) => new LmdbAlone(path)],
  ["LogStore", "log", (path) => LogStore.open(path)],
  ["LogStore with a small log", "small-log", (path) => LogStore.open(path, SMALL_LOG)],
  ["LogStore with a small log and a thread", "thread-log", (path) => LogStore.open(path, SMALL_LOG)],
])("%s in a process of its own", (_name, kind, openStore) => {
  test("rejects a commit that the disk has no room for, applies nothing of it, and goes on", async () => {
    const path = await newFolder();
    const output = await runWriter(["fill", kind, path], { fileKilobytes: 4096 });
    const { resolved, rejected, message, afterwards } = JSON.parse(output.lines.at(-1) as string) as {
      resolved: number;
      rejected: number;
      message: string;
      afterwards: boolean;
    };
    expect(resolved).toBeGreaterThan(3);
    expect(rejected).toBeGreaterThan(0);
    expect(message).toMatch(
      /^The database could not be written: (Input\/output error|EFBIG: file too large, write)$/,
    );
    const store = await openStore(path);
    const keys = [...store.scan("", null, "asc")].map(([key]) => key);
    expect(keys.filter((key) => key.startsWith("big")).length).toBe(resolved * 2);
    expect(keys.includes("small")).toBe(afterwards);
    await store.close();
  });

  test("lets its process end in the midst of commits, and has all that resolved", async () => {
    const path = await newFolder();
    const { lines } = await runWriter(["exit", kind, path], {});
    const store = await openStore(path);
    const numbers = lines.map(Number);
    expect(numbers.length).toBeGreaterThan(390);
    for (const number of numbers)
      expect(store.get(`commit${String(number).padStart(8, "0")}/0${"x".repeat(2000)}`)).toBe(`${number}`);
    await store.close();
  });

  test("has every commit that resolved before the process was killed, and each commit whole or not at all", async () => {
    const path = await newFolder();
    let next = 0;
    for (let round = 0; round < 6; round++) {
      const { lines } = await runWriter(["commit", kind, path, `${next}`], { killAfterMs: 15 + round * 37 });
      const reported = lines.map(Number);
      const store = await openStore(path);
      const pieces = new Map<number, number>();
      for (const [key, value] of store.scan("commit0", "commit:", "asc")) {
        const commit = Number(key.slice(6, 14));
        expect(value).toBe(`${commit}`);
        pieces.set(commit, (pieces.get(commit) ?? 0) + 1);
      }
      const entries = new Map<number, number>();
      for (const [key] of store.scan("entry", "entrz", "asc")) {
        const commit = Number(key.slice(-8));
        entries.set(commit, (entries.get(commit) ?? 0) + 1);
      }
      const present = [...pieces.keys()];
      const last = Number(store.get("commit") ?? -1);
      await store.close();

      expect(present).toEqual(Array.from({ length: last + 1 }, (_, i) => i));
      expect([...pieces].filter(([commit, count]) => count !== 1 + (commit % 40))).toEqual([]);
      expect([...entries].sort(([a], [b]) => a - b)).toEqual(present.map((commit) => [commit, 5]));
      expect(Math.max(-1, ...reported)).toBeLessThanOrEqual(last);
      expect(reported.length).toBeGreaterThan(0);
      next = last + 1;
    }
  });
});
