import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open as openLmdb } from "lmdb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DataFolderError, openDataFolder } from "../../embedded/storage/dataFolder";
import { LogStore } from "../../embedded/storage/logStore";
import { findDamage } from "../../embedded/storage/lmdbFile";
import { openDatabase } from "../../embedded/storage/lmdbWriting.js";
import { LmdbAlone } from "./storageLmdb";

let root: string;
let path: string;
let folders = 0;
const openers: Opener[] = [];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "data-folder-test-"));
});
beforeEach(() => {
  path = join(root, `folder${folders++}`);
});
afterEach(() => {
  for (const opener of openers.splice(0)) opener.kill();
});
afterAll(() => rm(root, { recursive: true }));

/** The folder's files and what is in them. */
async function contents(folder: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const name of (await readdir(folder)).toSorted()) {
    const file = join(folder, name);
    files[name] = (await stat(file)).isFile() ? (await readFile(file)).toString("latin1") : "directory";
  }
  return files;
}

/** The name of the lock of a folder that is open. */
async function lockOf(folder: string): Promise<string> {
  return (await readdir(folder)).find((name) => name.startsWith("process-")) as string;
}

/** The message of a refusal to open the folder, which is one line and has changed nothing. */
async function refusal(): Promise<string> {
  const before = await contents(path);
  const error: unknown = await openDataFolder(path).then(
    () => new Error("It was opened"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof DataFolderError) || error.message.includes("\n")) throw error;
  expect(await contents(path)).toEqual(before);
  return error.message;
}

/** An empty database with pages of so many bytes. */
async function makeDatabase(file: string, pageSize: number): Promise<void> {
  const database = openLmdb({ path: file, noSubdir: true, pageSize, overlappingSync: false });
  await database.close();
}

describe("openDataFolder", () => {
  test("makes a folder that is not there, and takes it again after its release", async () => {
    path = join(path, "deep", "er");
    const folder = await openDataFolder(path);
    expect(folder.path).toBe(path);
    const store = new LmdbAlone(folder.database);
    await store.commit(new Map([["a", "1"]]));
    await folder.keepDatabase();
    await store.close();
    await folder.release();
    expect(await readdir(path)).toContain("format.json");
    expect(JSON.parse(await readFile(join(path, "format.json"), "utf8"))).toEqual({
      format: "convex-embedded",
      version: 3,
    });

    const again = await openDataFolder(path);
    const reopened = new LmdbAlone(again.database);
    expect(reopened.get("a")).toBe("1");
    await reopened.close();
    await again.release();
  });

  test("takes a folder of the version before, which had no log, and marks it as of this one", async () => {
    const folder = await openDataFolder(path);
    const store = openDatabase(folder.database);
    store.putSync("a", "1");
    await folder.keepDatabase();
    await store.close();
    await folder.release();
    const marker = join(path, "format.json");
    await writeFile(marker, '{"format":"convex-embedded","version":2}\n');

    const again = await openDataFolder(path);
    expect(JSON.parse(await readFile(marker, "utf8"))).toEqual({ format: "convex-embedded", version: 3 });
    const reopened = await LogStore.open(again.database);
    expect(reopened.get("a")).toBe("1");
    await reopened.close();
    await again.release();
  });

  test("takes an empty folder, and one with nothing but what file systems leave there", async () => {
    await mkdir(join(path, "lost+found"), { recursive: true });
    await (await openDataFolder(path)).release();
    expect((await readdir(path)).toSorted()).toEqual(["data.mdb-lock", "format.json", "lost+found"]);
  });

  test("refuses what is not a directory", async () => {
    await writeFile(path, "mine");
    await expect(openDataFolder(path)).rejects.toThrow(
      new DataFolderError(`${path} is not a directory: choose another data folder.`),
    );
    await expect(openDataFolder(join(path, "below"))).rejects.toThrow("is not a directory");
    expect(await readFile(path, "utf8")).toBe("mine");
  });

  test("refuses a folder of others, also one with a database in it", async () => {
    await mkdir(path);
    await writeFile(join(path, "notes.txt"), "mine");
    await writeFile(join(path, "data.mdb"), "mine");
    expect(await refusal()).toMatch(
      "is not empty and was not made by this server: choose an empty data folder",
    );
  });

  test.each([
    ["", "does not say"],
    ["{", "does not say"],
    ["null", "does not say"],
    ['{"format":"other","version":1}', "does not say"],
    [
      '{"format":"convex-embedded","version":1}',
      /has version 1 of the format, and this server reads versions 2 and 3/,
    ],
    ['{"format":"convex-embedded","version":"\\n"}', /has version "\\n" of the format/],
  ])("refuses a folder whose format.json is %j", async (marker, message) => {
    await mkdir(path);
    await writeFile(join(path, "format.json"), marker);
    await writeFile(join(path, "data.mdb"), "anything");
    expect(await refusal()).toMatch(message);
  });

  test("refuses a folder that it may not write to", async () => {
    await mkdir(path);
    await chmod(path, 0o555);
    await chmod(root, 0o755);
    const { lines } = await runOpener(path, { asNobody: true });
    expect(lines[0]).toMatch(
      /^DataFolderError .* cannot be written to \(EACCES\): give this user read and write permission/,
    );
    expect(await readdir(path)).toEqual([]);
  });
});

const ELSEWHERE =
  "is in use by a process elsewhere, in another container perhaps: stop that process, or choose another data folder.";

/** Runs what follows as in a container: with ids of processes and a network of its own. */
const APART = "unshare --user --map-root-user --net --pid --fork --mount-proc --kill-child".split(" ");
const [UNSHARE, ...APART_OPTIONS] = APART as [string, ...string[]];
const canSeparate = spawnSync(UNSHARE, [...APART_OPTIONS, "true"]).status === 0;

describe("a folder in use", () => {
  test("is refused with the id of the process that has it, this one or another one", async () => {
    const folder = await openDataFolder(path);
    expect(await refusal()).toMatch(
      `is in use by process ${process.pid}: stop that process, or choose another data folder.`,
    );
    const { lines } = await runOpener(path);
    expect(lines[0]).toContain(`is in use by process ${process.pid}:`);
    await folder.release();
  });

  test("is free as soon as that process was killed", async () => {
    const opener = startOpener(path);
    await opener.firstLine;
    expect(await refusal()).toMatch(`is in use by process ${opener.id}:`);
    opener.kill();
    await opener.ended;
    await (await openDataFolder(path)).release();
    expect((await readdir(path)).toSorted()).toEqual(["data.mdb-lock", "format.json"]);
  });

  test("is not held by another process that was given the same id later", async () => {
    await mkdir(path);
    await writeFile(join(path, `process-${process.ppid}-1.lock`), "");
    await (await openDataFolder(path)).release();
    expect((await readdir(path)).toSorted()).toEqual(["data.mdb-lock", "format.json"]);
  });

  test("is not held by a process before that had the id and the start of this one, as there may be after a boot", async () => {
    const folder = await openDataFolder(path);
    const lock = await lockOf(path);
    await folder.release();
    await writeFile(join(path, lock), "");
    await (await openDataFolder(path)).release();
    expect((await readdir(path)).toSorted()).toEqual(["data.mdb-lock", "format.json"]);
  });

  test("is refused to the process that has it under another path too, and can be taken again later", async () => {
    const folder = await openDataFolder(path);
    const link = `${path}-link`;
    await symlink(path, link);
    const inUse = `is in use by process ${process.pid}:`;
    await expect(openDataFolder(link)).rejects.toThrow(inUse);
    await expect(openDataFolder(path)).rejects.toThrow(inUse);
    await folder.release();
    await (await openDataFolder(link)).release();
  });

  test("is refused while a process that is not to be seen from here listens in it, whatever the numbers of that", async () => {
    const folder = await openDataFolder(path);
    const likeMine = await lockOf(path);
    await folder.release();
    for (const lock of ["process-4194304-1.lock", likeMine]) {
      const elsewhere = createServer().listen(join(path, lock));
      await once(elsewhere, "listening");
      expect(await refusal()).toContain(ELSEWHERE);
      elsewhere.close();
      await once(elsewhere, "close");
      await (await openDataFolder(path)).release();
    }
  });

  test.each(["", "long".repeat(25)])("has a lock that only its user may open: %j", async (end) => {
    path = join(path, end);
    const folder = await openDataFolder(path);
    const lock = await stat(join(path, await lockOf(path)));
    expect([lock.isSocket(), lock.mode & 0o777]).toEqual([true, 0o600]);
    await folder.release();
    expect((await readdir(path)).toSorted()).toEqual(["data.mdb-lock", "format.json"]);
  });

  test("does not keep its process alive", async () => {
    expect((await runOpener(path, { stays: false })).lines).toEqual(["open"]);
    await (await openDataFolder(path)).release();
  });

  test.runIf(canSeparate)(
    "is refused to a process in another container, as long as the one that has it lives",
    async () => {
      path = join(path, "long".repeat(25));
      const opener = startOpener(path, { apart: true });
      expect(await opener.firstLine).toBe("open");
      expect(await refusal()).toContain(ELSEWHERE);
      expect((await runOpener(path, { apart: true })).lines[0]).toContain(ELSEWHERE);
      opener.kill();
      await opener.ended;
      await (await openDataFolder(path)).release();
    },
  );

  test("has exactly one holder of those that start at once", async () => {
    const started = Array.from({ length: 4 }, () => startOpener(path, { at: Date.now() + 1500 }));
    const lines = await Promise.all(started.map((opener) => opener.firstLine));
    const winners = lines.filter((line) => line === "open");
    expect([winners.length, lines.filter((line) => line.includes("in use")).length]).toEqual([1, 3]);
    for (const opener of started) opener.kill();
    await Promise.all(started.map((opener) => opener.ended));
  });
});

test("a database without its first commit is made anew, whatever a start that was cut off has left of it", async () => {
  const first = await openDataFolder(path);
  await writeFile(first.database, "");
  await writeFile(join(path, "log-0000000000000001"), "");
  await first.release();
  const again = await openDataFolder(path);
  expect(await readdir(path)).not.toContain("log-0000000000000001");
  const store = new LmdbAlone(again.database);
  await store.commit(new Map([["a", "1"]]));
  await again.keepDatabase();
  await store.close();
  await again.release();
  const kept = await openDataFolder(path);
  const reopened = new LmdbAlone(kept.database);
  expect(reopened.get("a")).toBe("1");
  await reopened.close();
  await kept.release();
});

/** Of older databases, of new ones, and as large as can be. */
const PAGE_SIZES = [4096, 8192, 32768];

test.each(PAGE_SIZES)("a database goes on with the pages of %i bytes that it was made with", async (page) => {
  const { database, release } = await openDataFolder(path);
  await makeDatabase(database, page);
  const store = new LmdbAlone(database);
  await store.commit(new Map(Array.from({ length: 2000 }, (_, i) => [`key${i}`, `value${i}`])));
  await store.close();
  const reopened = new LmdbAlone(database);
  expect(reopened.get("key1999")).toBe("value1999");
  await reopened.close();
  // Where LMDB's file says it.
  expect((await readFile(database)).readUInt32LE(48)).toBe(page);
  await release();
});

describe.each(PAGE_SIZES)("a damaged database with pages of %i bytes", (page) => {
  let sound: string;
  let bytes: number;
  beforeAll(async () => {
    const source = await openDataFolder(join(root, `sound${page}`));
    await makeDatabase(source.database, page);
    const store = new LmdbAlone(source.database);
    for (let i = 0; i < 40; i++) {
      const writes = new Map<string, string>();
      for (let j = 0; j < 200; j++)
        writes.set(`key${(i * 7919 + j * 104729) % 8000}`, "v".repeat((j % 50) * 10));
      writes.set(`big${i}`, "b".repeat(i * 1000));
      await store.commit(writes);
    }
    await source.keepDatabase();
    await store.close();
    await source.release();
    sound = source.path;
    bytes = (await stat(source.database)).size;
  });

  beforeEach(() => cp(sound, path, { recursive: true }));

  test("is one that is empty", async () => {
    await truncate(join(path, "data.mdb"), 0);
    expect(await refusal()).toMatch(
      /data\.mdb is empty: restore the folder from a backup, or choose another data folder\.$/,
    );
  });

  test("is one that is cut off, anywhere", async () => {
    const lengths = [1, 23, 100, page - 1, page, page + 204, 2 * page - 1, 2 * page, 3 * page];
    for (let i = 1; i < 12; i++) lengths.push(Math.floor((bytes * i) / 12));
    for (const length of lengths.toSorted((a, b) => b - a)) {
      await truncate(join(path, "data.mdb"), length);
      expect(await refusal()).toMatch(
        /data\.mdb (is cut off: it has \d+ bytes and should have \d+ or more|does not begin like)/,
      );
    }
  });

  test("is not one that lost only free pages at its end: all entries are there", async () => {
    const all = await entries(join(sound, "data.mdb"));
    for (let cut = page; cut <= Math.min(40 * page, bytes / 2); cut += page) {
      await cp(join(sound, "data.mdb"), join(path, "data.mdb"));
      await truncate(join(path, "data.mdb"), bytes - cut);
      const isSound = findDamage(join(path, "data.mdb")) === null;
      expect(isSound ? await entries(join(path, "data.mdb")) : all).toEqual(all);
    }
  });

  test("is one whose beginning is zeroed, or random, or another file", async () => {
    const file = join(path, "data.mdb");
    for (const [position, head] of [
      [0, Buffer.alloc(page)],
      [0, Buffer.alloc(2 * page)],
      [page, Buffer.alloc(page)],
      [0, Buffer.from(Array.from({ length: 2 * page }, (_, i) => (i * 7919 + (i >> 3)) & 0xff))],
      [0, Buffer.from("SQLite format 3\0")],
      [24, Buffer.from("not a database")],
    ] as const) {
      await cp(join(sound, "data.mdb"), file);
      const handle = await open(file, "r+");
      await handle.write(head, 0, head.length, position);
      await handle.close();
      expect(await refusal()).toMatch(/data\.mdb does not begin like a database/);
    }
  });

  test("is one in which the pages that lead to the data are overwritten", async () => {
    const file = join(path, "data.mdb");
    const noise = Buffer.from(Array.from({ length: page }, (_, i) => (i * 31 + 7) & 0xff));
    const handle = await open(file, "r+");
    for (let at = 2 * page; at < bytes; at += page) await handle.write(noise, 0, page, at);
    await handle.close();
    expect(await refusal()).toMatch(/data\.mdb is (damaged at page \d+|cut off)/);
  });

  test("is not one that was left by a killed process, nor one with free pages missing at its end", async () => {
    expect(findDamage(join(sound, "data.mdb"))).toBeNull();
    const { database, release } = await openDataFolder(path);
    const store = new LmdbAlone(database);
    for (let i = 0; i < 100; i++) {
      const writes = new Map<string, string | null>();
      for (let j = 0; j < 60; j++)
        writes.set(`key${(i * 31 + j * 17) % 500}`, j % 3 === 0 ? null : "w".repeat(j * 40));
      await store.commit(writes);
      // As it is found after a kill at this moment.
      expect(findDamage(database)).toBeNull();
    }
    await store.close();
    await release();
  });

  test("is not one of which only the lock file of LMDB is damaged", async () => {
    await writeFile(join(path, "data.mdb-lock"), "garbage");
    const { database, release } = await openDataFolder(path);
    const store = new LmdbAlone(database);
    expect(store.get("big1")).toBe("b".repeat(1000));
    await store.close();
    await release();
  });
});

async function entries(database: string): Promise<[string, string][]> {
  const store = new LmdbAlone(database);
  const all = [...store.scan("", null, "asc")];
  await store.close();
  return all;
}

type Opener = {
  id: number;
  firstLine: Promise<string>;
  ended: Promise<void>;
  lines: string[];
  kill: () => void;
};

/** Opens the folder in a process of its own, which says so and stays if it is to, or says why not and ends. */
function startOpener(folder: string, { at = 0, asNobody = false, stays = true, apart = false } = {}): Opener {
  const module = new URL("../../embedded/storage/dataFolder.ts", import.meta.url).href;
  const script = `
    const { openDataFolder } = await import(${JSON.stringify(module)});
    while (Date.now() < ${at});
    try {
      await openDataFolder(${JSON.stringify(folder)});
      console.log("open");
      if (${stays}) setInterval(() => {}, 1000);
    } catch (error) {
      console.log(error.name, error.message);
    }`;
  const isRoot = process.getuid?.() === 0;
  const node = [process.execPath, "--import", "tsx", "--input-type=module", "-e", script];
  const [command, ...args] = (apart ? [...APART, ...node] : node) as [string, ...string[]];
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "inherit"],
    // Root may write everywhere.
    ...(asNobody && isRoot ? { uid: 65534, gid: 65534 } : {}),
  });
  const lines: string[] = [];
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const firstLine = new Promise<string>((resolve) => {
    child.stdout.on("data", (data: Buffer) => {
      lines.push(...data.toString().trimEnd().split("\n"));
      resolve(lines[0] as string);
    });
    void ended.then(() => resolve(""));
  });
  const kill = () => void child.kill("SIGKILL");
  const opener = { id: child.pid as number, firstLine, ended, lines, kill };
  openers.push(opener);
  return opener;
}

async function runOpener(folder: string, options = {}): Promise<Opener> {
  const opener = startOpener(folder, options);
  await opener.ended;
  return opener;
}
