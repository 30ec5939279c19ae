import { cpSync } from "node:fs";
import {
  copyFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { DataFolderError } from "../../embedded/storage/dataFolder";
import { Deferred } from "../../embedded/storage/deferred";
import { LmdbStore } from "../../embedded/storage/lmdbStore";
import { Log } from "../../embedded/storage/log";
import { listLogFiles } from "../../embedded/storage/logFile";
import { formatMark, NO_MARK } from "../../embedded/storage/logMark";
import { recoverLog } from "../../embedded/storage/logRecovery";
import { LogSpares } from "../../embedded/storage/logSpares";
import { LogStore, type LogSizes } from "../../embedded/storage/logStore";
import { InDoubtError, type Reading } from "../../embedded/storage/store";
import { Database } from "../../embedded/transaction/database";
import { SheafCommits, sheafPlan } from "./sheaves";
import { ObedientWriter } from "./storageProcess";
import { SMALL_LOG, SMALL_LOG_WITH_THREAD } from "./storageSizes";

type Writes = ReadonlyMap<string, string | null>;

/** Nothing goes on to the database by itself. */
const LOG_ALONE: LogSizes = {
  generationBytes: Infinity,
  mostBytes: Infinity,
  freeBytes: Infinity,
  waitingBytes: 0,
  waitingGenerations: 0,
  threadBytes: Infinity,
  atOnceBytes: 0,
  fileBytes: Infinity,
};
/** The same, and each record has a file of its own. */
const MANY_FILES: LogSizes = { ...LOG_ALONE, fileBytes: 1 };

let root: string;
let folders = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "storage-log-test-"));
});
afterAll(() => rm(root, { recursive: true }));

/** The file of a database in a new folder. */
async function newDatabase(): Promise<string> {
  const folder = join(root, `folder${folders++}`);
  await mkdir(folder);
  return join(folder, "data.mdb");
}

/** What a kill at this moment would leave of a store of which nothing is on its way to the database. */
async function copyOf(path: string): Promise<string> {
  const copy = await newDatabase();
  cpSync(dirname(path), dirname(copy), { recursive: true });
  await rm(`${copy}-lock`, { force: true });
  return copy;
}

function entriesOf(reading: Reading): [string, string][] {
  return [...reading.scan("", null, "asc")];
}

/** What is there after a start, which a second start finds too. */
async function recovered(path: string): Promise<[string, string][]> {
  const second = await copyOf(path);
  const store = await LogStore.open(path, LOG_ALONE);
  const entries = entriesOf(store);
  await store.close();
  const again = new LmdbStore(path);
  expect(entriesOf(again)).toEqual(entries);
  await again.close();
  const other = await LogStore.open(second, SMALL_LOG);
  expect(entriesOf(other)).toEqual(entries);
  await other.close();
  return entries;
}

/** The states after no, one, two ... of the commits. */
function statesOf(commits: readonly Writes[]): [string, string][][] {
  const model = new Map<string, string>();
  const sorted = () => [...model].sort(([a], [b]) => (a < b ? -1 : 1));
  const states = [sorted()];
  for (const writes of commits) {
    for (const [key, value] of writes) {
      if (value === null) model.delete(key);
      else model.set(key, value);
    }
    states.push(sorted());
  }
  return states;
}

/** A folder as it is after a kill, with these commits in its log alone. */
async function killedAfter(commits: readonly Writes[], sizes: LogSizes): Promise<string> {
  const path = await newDatabase();
  const store = await LogStore.open(path, sizes);
  for (const writes of commits) await store.commit(writes);
  const copy = await copyOf(path);
  await store.close();
  return copy;
}

async function logOf(path: string): Promise<string[]> {
  return (await listLogFiles(dirname(path))).map((file) => file.path);
}

const COMMITS: readonly Writes[] = [
  new Map([
    ["a", "1"],
    ["b", "é😀"],
  ]),
  new Map([["a", null]]),
  new Map([["\xff\xfe", ""]]),
  new SheafCommits().commit({ rows: [{ layout: 0, parts: ["a", "\xff", ""] }], touched: [] }),
  new Map([
    ["c".repeat(40), "x".repeat(60)],
    ["a", "2"],
  ]),
  new Map([["b", "last"]]),
];
const STATES = statesOf(COMMITS);

describe("a log of which a crash has left", () => {
  let path: string;
  let file: string;
  let whole: Buffer;
  /** Where the records end, and before them the header. */
  const ends: number[] = [];
  beforeAll(async () => {
    path = await newDatabase();
    const store = await LogStore.open(path, LOG_ALONE);
    for (const writes of COMMITS) {
      await store.commit(writes);
      const [only = ""] = await logOf(path);
      ends.push((await stat(only)).size);
    }
    path = await copyOf(path);
    await store.close();
    file = (await logOf(path))[0] as string;
    whole = await readFile(file);
  });

  async function recoveredNow(): Promise<[string, string][]> {
    const { writes } = await recoverLog(dirname(path), NO_MARK);
    return [...writes.scan("", null, "asc")].filter((entry): entry is [string, string] => entry[1] !== null);
  }

  /** The message of the refusal, which has changed nothing. */
  async function refusal(): Promise<string> {
    const before = await readFile(file);
    const error: unknown = await recoverLog(dirname(path), NO_MARK).catch((reason: unknown) => reason);
    if (!(error instanceof DataFolderError) || error.message.includes("\n")) throw error;
    expect(await readFile(file)).toEqual(before);
    return error.message;
  }

  test("its beginning, up to any byte, has all records that are whole", async () => {
    for (let length = 0; length < whole.length; length++) {
      await writeFile(file, whole.subarray(0, length));
      const records = ends.filter((end) => end <= length).length;
      expect([length, await recoveredNow()]).toEqual([length, STATES[records]]);
    }
    await writeFile(file, whole);
  });

  test("anything behind its last record has all records", async () => {
    for (const rest of [
      Buffer.alloc(5000),
      Buffer.alloc(3, 0xff),
      whole.subarray(0, 40),
      Buffer.from("text"),
    ]) {
      await writeFile(file, Buffer.concat([whole, rest]));
      expect(await recoveredNow()).toEqual(STATES.at(-1));
    }
    await writeFile(file, whole);
  });

  async function damageAt(at: number): Promise<void> {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] as number) ^ (1 << (at % 8));
    await writeFile(file, damaged);
  }

  test("any damaged byte is refused, if it is not in the last record", async () => {
    const begins = [0, 16, ...ends];
    for (let at = 0; at < (ends.at(-2) as number); at++) {
      await damageAt(at);
      expect(await refusal()).toBe(
        `${file} is damaged at byte ${begins.findLast((begin) => begin <= at)}: restore the folder from a backup, or choose another data folder.`,
      );
    }
    await writeFile(file, whole);
  });

  test("any damaged byte in the last record has all before it: it may not have been whole", async () => {
    for (let at = ends.at(-2) as number; at < whole.length; at++) {
      await damageAt(at);
      expect([at, await recoveredNow()]).toEqual([at, STATES.at(-2)]);
    }
    await writeFile(file, whole);
  });

  test("is refused at the start of a store too, which changes nothing", async () => {
    const damaged = Buffer.from(whole);
    damaged[ends[1] as number] = 0;
    await writeFile(file, damaged);
    const before = await readFile(path);
    await expect(LogStore.open(path)).rejects.toThrow(`${file} is damaged at byte ${ends[1]}`);
    expect([await readFile(path), await readFile(file)]).toEqual([before, damaged]);
    await writeFile(file, whole);
    expect(await recovered(await copyOf(path))).toEqual(STATES.at(-1));
  });
});

/** In the header of a file, see logFile.ts. */
const VERSION_AT = 7;
const HEADER_CHECK_AT = 12;

describe("a log of many files", () => {
  let path: string;
  beforeEach(async () => {
    path = await killedAfter(COMMITS, MANY_FILES);
  });

  test("is read in order", async () => {
    expect(await logOf(path)).toHaveLength(COMMITS.length);
    expect(await recovered(path)).toEqual(STATES.at(-1));
  });

  test("is read if the version before has written it, which had no sheaves", async () => {
    for (const file of await logOf(path)) {
      const whole = await readFile(file);
      expect(whole[VERSION_AT]).toBe(2);
      whole[VERSION_AT] = 1;
      whole.writeUInt32LE(crc32(whole.subarray(0, HEADER_CHECK_AT)), HEADER_CHECK_AT);
      await writeFile(file, whole);
    }
    expect(await recovered(path)).toEqual(STATES.at(-1));
  });

  test("is refused when any but the last is cut off, damaged or gone, or when there is another's", async () => {
    const files = await logOf(path);
    for (const file of files.slice(0, -1)) {
      const whole = await readFile(file);
      for (let length = 0; length < whole.length; length += 7) {
        await truncate(file, length);
        await expect(LogStore.open(path)).rejects.toThrow(`${file} is damaged at byte`);
        await writeFile(file, whole);
      }
      await rm(file);
      await expect(LogStore.open(path)).rejects.toThrow(
        /is damaged at byte|lacks the part of its log from record/,
      );
      await copyFile(files.at(-1) as string, file);
      await expect(LogStore.open(path)).rejects.toThrow(DataFolderError);
      await writeFile(file, whole);
    }
    expect(await recovered(path)).toEqual(STATES.at(-1));
  });

  test("lacks nothing when its last file has not begun yet", async () => {
    const next = join(dirname(path), `log-${String(COMMITS.length + 1).padStart(16, "0")}`);
    for (const content of [Buffer.alloc(0), Buffer.alloc(16), Buffer.from("cvxlog\0")]) {
      await writeFile(next, content);
      expect(await recovered(await copyOf(path))).toEqual(STATES.at(-1));
    }
  });

  test("may have leftovers of a record that was given up, behind the last one of a file", async () => {
    const [first = "", second = ""] = await logOf(path);
    const record = (await readFile(second)).subarray(16);
    await writeFile(first, Buffer.concat([await readFile(first), record.subarray(0, 30)]));
    expect(await recovered(path)).toEqual(STATES.at(-1));
  });
});

test("a log has all records after a kill, whichever thread has written each of them", async () => {
  // Behind a long one it takes some until short ones are written without another thread again.
  const lengths = fc.array(fc.oneof({ arbitrary: fc.nat(300), weight: 40 }, fc.nat(2000)), {
    maxLength: 120,
  });
  const sizes = { ...LOG_ALONE, atOnceBytes: 500, fileBytes: 5000 };
  await fc.assert(
    fc.asyncProperty(lengths, async (given) => {
      const commits = given.map((length, i) => new Map([[`key${i % 20}`, `${i}`.padEnd(length, "x")]]));
      expect(await recovered(await killedAfter(commits, sizes))).toEqual(statesOf(commits).at(-1));
    }),
    { numRuns: 12 },
  );
});

describe("a file that is written over an older one of the log", () => {
  /** As long as a spare file. */
  const SPARE: LogSizes = { ...LOG_ALONE, fileBytes: 3000 };
  const OLD: readonly Writes[] = Array.from(
    { length: 30 },
    (_, i) => new Map([[`old${i}`, "o".repeat(100)]]),
  );
  let path: string;
  let file: string;
  let commits: Writes[];
  beforeEach(async () => {
    // What a process leaves that is killed: a file with whole records, some of which have the sequences of those to come.
    const older = await killedAfter(OLD, LOG_ALONE);
    const [oldFile = ""] = await logOf(older);
    path = await newDatabase();
    const spare = join(dirname(path), "log-spare");
    await copyFile(oldFile, spare);
    const store = await LogStore.open(path, SPARE);
    commits = [];
    const commit = async (writes: Writes) => {
      await store.commit(writes);
      commits.push(writes);
    };
    for (let i = 0; (await logOf(path)).length < 2; i++) await commit(new Map([["first", `${i}`]]));
    file = (await logOf(path))[1] as string;
    for (const writes of COMMITS) await commit(writes);
    const copy = await copyOf(path);
    await store.close();
    path = copy;
    file = (await logOf(path))[1] as string;
  });

  test("has the new records and none of the old ones", async () => {
    expect((await readFile(file)).includes("old29")).toBe(true);
    expect(await recovered(path)).toEqual(statesOf(commits).at(-1));
  });

  test("lacks no more than the last record, whichever byte of it was not written", async () => {
    const whole = await readFile(file);
    const value = whole.indexOf("last");
    for (let at = value - 29; at < value + 4; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] as number) ^ 1;
      await writeFile(file, damaged);
      const { writes } = await recoverLog(dirname(path), NO_MARK);
      const entries = [...writes.scan("", null, "asc")].filter(([, value]) => value !== null);
      expect([at, entries]).toEqual([at, statesOf(commits).at(-2)]);
    }
  });

  test("is kept for the next one when it is not needed any more, and goes with the store", async () => {
    const store = await LogStore.open(path, { ...SMALL_LOG, fileBytes: 3000 });
    const spare = join(dirname(path), "log-spare");
    const long = new Map([["long", "l".repeat(500)]]);
    await vi.waitUntil(async () => {
      await store.commit(long);
      return stat(spare).then(
        () => true,
        () => false,
      );
    });
    await store.close();
    expect((await readdir(dirname(path))).filter((name) => name.startsWith("log"))).toEqual([]);
  });
});

test("a file of the log waits for a spare one that is on its way, and gets no longer than twice as long for that", async () => {
  const isComing = vi.spyOn(LogSpares.prototype, "isComing", "get").mockReturnValue(true);
  const isReady = vi.spyOn(LogSpares.prototype, "isReady", "get").mockReturnValue(false);
  const sizes = async (fileBytes: number) => {
    const path = await newDatabase();
    const store = await LogStore.open(path, { ...LOG_ALONE, fileBytes });
    for (let i = 0; i < 40; i++) await store.commit(new Map([[`key${i}`, "v".repeat(100)]]));
    const files = await Promise.all((await logOf(path)).map(async (file) => (await stat(file)).size));
    await store.close();
    return files.slice(0, -1);
  };
  for (const size of await sizes(1000)) {
    expect(size).toBeGreaterThanOrEqual(2000);
    expect(size).toBeLessThan(2200);
  }
  isComing.mockReturnValue(false);
  for (const size of await sizes(1000)) expect(size).toBeLessThan(1200);
  isComing.mockRestore();
  isReady.mockRestore();
});

test("a log of which a part is gone that the database has begun to take over is refused", async () => {
  const path = await killedAfter(COMMITS, LOG_ALONE);
  const database = new LmdbStore(path);
  database.writeNow([["a", "2"]], formatMark({ applied: 0, applying: COMMITS.length }));
  await database.close();
  const [file = ""] = await logOf(path);
  const whole = await readFile(file);
  await truncate(file, whole.length - 1);
  await expect(LogStore.open(path)).rejects.toThrow(
    `${dirname(path)} lacks the part of its log from record ${COMMITS.length} on: restore the folder from a backup`,
  );
  await rm(file);
  await expect(LogStore.open(path)).rejects.toThrow("lacks the part of its log from record 1 on");
  await writeFile(file, whole);
  expect(await recovered(path)).toEqual(STATES.at(-1));
});

const key = fc.oneof(
  fc.constantFrom("a", "a\0", "b", "tableA1", "tableA2", "tableB1", "\xff", "l".repeat(2000)),
  fc.string({ minLength: 1, maxLength: 7, unit: fc.constantFrom("a", "b", "\0", "\xff") }),
);
const writesOfCommit = fc
  .array(fc.tuple(key, fc.option(fc.constantFrom("", "1", "é", "x".repeat(300)), { freq: 3 })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((entries): Writes => new Map(entries));

test("whatever part of a generation has come into the database before a crash, nothing is lost and nothing undone", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(writesOfCommit, sheafPlan), { minLength: 1, maxLength: 8 }),
      fc.nat(),
      fc.nat(),
      fc.boolean(),
      async (planned, throughSeed, sliceSeed, manyFiles) => {
        const sheaves = new SheafCommits();
        const commits = planned.map(([others, plan]) => sheaves.commit(plan, [...others]));
        const path = await killedAfter(commits, manyFiles ? MANY_FILES : LOG_ALONE);
        const through = 1 + (throughSeed % commits.length);
        const generation = new Map(commits.slice(0, through).flatMap((writes) => [...writes]));
        const sorted = [...generation].sort(([a], [b]) => (a < b ? -1 : 1));
        const done = sliceSeed % (sorted.length + 1);
        const isWhole = done === sorted.length;
        const database = new LmdbStore(path);
        database.writeNow(
          sorted.slice(0, done),
          formatMark({ applied: isWhole ? through : 0, applying: through }),
        );
        await database.close();
        expect(await recovered(path)).toEqual(statesOf(commits).at(-1));
      },
    ),
    { numRuns: 25 },
  );
});

test("a store goes on where it was killed, again and again", async () => {
  let path = await newDatabase();
  const commits: Writes[] = [];
  for (let round = 0; round < 6; round++) {
    const store = await LogStore.open(path, LOG_ALONE);
    // What was recovered goes to the database at once; what comes after it is in a new file.
    for (let i = 0; i < 3; i++) {
      const writes = new Map([
        [`key${round}-${i}`, `${round}`],
        ["last", `${round}-${i}`],
      ]);
      await store.commit(writes);
      commits.push(writes);
    }
    expect(entriesOf(store)).toEqual(statesOf(commits).at(-1));
    await vi.waitUntil(async () => (await logOf(path)).length === 1);
    const copy = await copyOf(path);
    await store.close();
    path = copy;
  }
  expect(await recovered(path)).toEqual(statesOf(commits).at(-1));
});

test("what is in the database leaves the log, and nothing is left of it after a store was closed", async () => {
  const path = await newDatabase();
  const store = await LogStore.open(path, SMALL_LOG);
  for (let i = 0; i < 200; i++) {
    await store.commit(new Map([[`key${i}`, "v".repeat(200)]]));
    // Two generations, and the files that reach beyond them.
    expect((await logOf(path)).length).toBeLessThan(20);
  }
  await store.close();
  expect((await readdir(dirname(path))).filter((name) => name.startsWith("log"))).toEqual([]);
  const database = new LmdbStore(path);
  expect(entriesOf(database)).toHaveLength(200);
  await database.close();
});

test("a commit of which only a part can be taken in is refused with those that it would be written with, and no others", async () => {
  const path = await newDatabase();
  const store = await LogStore.open(path, SMALL_LOG);
  await store.commit(new Map([["before", "1"]]));
  const outOfMemory = new Error("Array buffer allocation failed");
  let isChecked = false;
  const tooMuch = {
    size: 2,
    forEach: (change: (value: string | null, key: string) => void) => {
      change("2", "part");
      if (isChecked) throw outOfMemory;
      isChecked = true;
    },
  };
  const together = [new Map([["first", "2"]]), tooMuch, new Map([["last", "2"]])].map((writes) =>
    store.commit(writes).catch((error: unknown) => error),
  );
  expect(await Promise.all(together)).toEqual([outOfMemory, outOfMemory, outOfMemory]);
  await store.commit(new Map([["behind", "3"]]));
  const left = [
    ["before", "1"],
    ["behind", "3"],
  ];
  expect(entriesOf(store)).toEqual(left);
  await store.close();
  const reopened = await LogStore.open(path, SMALL_LOG);
  expect(entriesOf(reopened)).toEqual(left);
  await reopened.close();
});

test("what waits in memory for more of its own leaves the log too, and is there all the time", async () => {
  const path = await newDatabase();
  const store = await LogStore.open(path, SMALL_LOG);
  const commits: Writes[] = [];
  for (let round = 0; round < 30; round++) {
    for (let i = 10 * round; i < 10 * (round + 1); i++) {
      // Entries of two indexes, one of which comes and goes.
      const place = (i * 7919) % 300;
      const writes = new Map<string, string | null>([
        [`value${i}`, "v".repeat(300)],
        [`indexA${place}/${"a".repeat(40)}`, ""],
        [`indexB${place % 20}/${"b".repeat(40)}`, i % 3 === 0 ? null : ""],
      ]);
      await store.commit(writes);
      commits.push(writes);
    }
    expect(entriesOf(store)).toEqual(statesOf(commits).at(-1));
    // Of 1,500 bytes each: those of two generations, and of three more for which the entries may wait.
    expect((await logOf(path)).length).toBeLessThan(20);
  }
  await store.close();
  expect((await readdir(dirname(path))).filter((name) => name.startsWith("log"))).toEqual([]);
});

test.each([
  ["", SMALL_LOG],
  [" in a thread", SMALL_LOG_WITH_THREAD],
])("a snapshot holds still while its generation goes to the database%s and others come", async (_, sizes) => {
  const store = await LogStore.open(await newDatabase(), sizes);
  const before: [string, string][] = [];
  for (let i = 0; i < 30; i++) {
    const entry: [string, string] = [`key${String(i).padStart(3, "0")}`, "v".repeat(100)];
    before.push(entry);
    await store.commit(new Map([entry]));
  }
  const snapshot = store.snapshot();
  for (let i = 0; i < 60; i++) {
    const name = `key${String(i).padStart(3, "0")}`;
    await store.commit(new Map([[name, i % 2 === 0 ? null : "w".repeat(100)]]));
    expect(entriesOf(snapshot)).toEqual(before);
  }
  expect(entriesOf(snapshot)).toEqual(before);
  expect(snapshot.get("key000")).toBe("v".repeat(100));
  snapshot.release();
  await store.close();
});

test("timestamps and creation times go on after a kill where they were, whatever the clock says", async () => {
  const path = await newDatabase();
  const database = await Database.open(await LogStore.open(path, LOG_ALONE));
  const tomorrow = Date.now() + 86_400_000;
  const clock = vi.spyOn(Date, "now").mockReturnValue(tomorrow);
  database.commit([["a", "1"]]);
  clock.mockRestore();
  await database.durable();
  const copy = await copyOf(path);
  await database.close();
  const restarted = await Database.open(await LogStore.open(copy));
  expect(restarted.timestamp).toBe(database.timestamp);
  expect(restarted.nextTimestamp()).toBeGreaterThan(database.timestamp);
  expect(restarted.nextCreationTime()).toBeGreaterThan(tomorrow);
  await restarted.close();
});

test("the timestamp after a kill is none that clients have seen, though its commit is gone", async () => {
  const path = await newDatabase();
  const database = await Database.open(await LogStore.open(path, LOG_ALONE));
  database.commit([["kept", "1"]]);
  await database.durable();
  const copy = await copyOf(path);
  const seen = database.commit([["gone", "1"]]);
  await database.close();
  const restarted = await Database.open(await LogStore.open(copy));
  expect(restarted.get("gone")).toBeUndefined();
  expect(restarted.timestamp).toBeGreaterThanOrEqual(seen);
  await restarted.close();
});

/** Holds the next record: tells when it is to be written, and waits for what becomes of it. */
function holdAppend(): { begun: Deferred; written: Deferred } {
  const [begun, written] = [new Deferred(), new Deferred()];
  vi.spyOn(Log.prototype, "append").mockImplementationOnce(async () => {
    begun.resolve();
    await written.promise;
    return Infinity;
  });
  return { begun, written };
}

describe("a disk that takes no more", () => {
  test("makes commits fail and nothing else; when it takes them again they succeed, and a kill loses none of them", async () => {
    const path = await newDatabase();
    const writer = await ObedientWriter.start("log", path);
    expect(await writer.ask("a")).toBe("committed");
    for (let round = 0; round < 3; round++) {
      // No room at all, and room for a part of a record.
      await writer.limitFiles(round * 2000);
      for (let i = 0; i < 3; i++) {
        expect(await writer.ask(`refused${round}`)).toBe(
          "The database could not be written: EFBIG: file too large, write",
        );
      }
      expect(await writer.ask("get a")).toBe("x".repeat(200));
      expect(await writer.ask(`get refused${round}`)).toBe("undefined");
      await writer.limitFiles("unlimited");
      expect(await writer.ask(`taken${round}`)).toBe("committed");
    }
    await writer.kill();
    const names = (await recovered(path)).map(([name]) => name);
    expect(names).toEqual(["a", "taken0", "taken1", "taken2"]);
  });

  test("leaves in doubt what it neither syncs nor takes away, until it takes something else", async () => {
    const path = await newDatabase();
    const store = await LogStore.open(path, LOG_ALONE);
    await store.commit(new Map([["a", "1"]]));
    const file = await open(path, "r");
    const files = Object.getPrototypeOf(file) as typeof file;
    await file.close();
    const namesAfterKill = async () => (await recovered(await copyOf(path))).map(([name]) => name);

    const writev = Reflect.get(files, "writev") as typeof files.writev;
    const failToSync = () =>
      vi.spyOn(files, "writev").mockImplementationOnce(async function (this: typeof file, ...args) {
        await writev.apply(this, args);
        throw new Error("not synced");
      });
    failToSync();
    const refused = store.commit(new Map([["b", "1"]]));
    await expect(refused).rejects.toThrow("The database could not be written: not synced");
    await expect(refused).rejects.not.toBeInstanceOf(InDoubtError);
    expect(await namesAfterKill()).toEqual(["a"]);

    await store.commit(new Map([["c", "1"]]));
    failToSync();
    vi.spyOn(files, "truncate").mockRejectedValueOnce(new Error("not truncated"));
    await expect(store.commit(new Map([["d", "1"]]))).rejects.toThrow(InDoubtError);
    expect(store.get("d")).toBe(undefined);
    expect(await namesAfterKill()).toEqual(["a", "c", "d"]);
    await store.commit(new Map([["e", "1"]]));
    expect(await namesAfterKill()).toEqual(["a", "c", "e"]);
    await store.close();
  });

  test("leaves a store that can be opened again, where entries were to wait that are undone", async () => {
    const path = await newDatabase();
    const store = await LogStore.open(path, SMALL_LOG);
    await store.commit(new Map([["a", "1"]]));
    const { begun, written } = holdAppend();
    const plan = { rows: [{ layout: 0, parts: ["p".repeat(40), "q".repeat(40), ""] }], touched: [] };
    const large = new SheafCommits().commit(plan, [
      ["value", "v".repeat(2_500)],
      [`index${"i".repeat(100)}`, ""],
    ]);
    const refused = store.commit(large);
    await begun.promise;
    // With this one what there is goes on its way to the database, but for the entries.
    const behind = store.commit(new Map([["b", "1"]]));
    written.reject(new Error("no room"));
    await expect(refused).rejects.toThrow("no room");
    await expect(behind).rejects.toThrow("no room");
    await store.close();
    expect(await recovered(path)).toEqual([["a", "1"]]);
  });

  test("refuses with a commit those that have come while it was being written, as they may build on it", async () => {
    const path = await newDatabase();
    const store = await LogStore.open(path, LOG_ALONE);
    await store.commit(new Map([["a", "1"]]));
    const { begun, written } = holdAppend();
    const refused = store.commit(new Map([["b", "1"]]));
    await begun.promise;
    const behind = store.commit(
      new Map([
        ["b", "2"],
        ["c", "1"],
      ]),
    );
    expect([store.get("b"), store.get("c")]).toEqual(["2", "1"]);
    written.reject(new Error("no room"));
    await expect(refused).rejects.toThrow("no room");
    await expect(behind).rejects.toThrow("no room");
    expect(entriesOf(store)).toEqual([["a", "1"]]);
    await store.commit(new Map([["d", "1"]]));
    await store.close();
    expect((await recovered(path)).map(([name]) => name)).toEqual(["a", "d"]);
  });

  test.each([
    ["", "small-log"],
    [" in a thread", "thread-log"],
  ])("makes commits fail once the log has no room because the database%s can't grow", async (_, kind) => {
    const path = await newDatabase();
    const writer = await ObedientWriter.start(kind, path);
    expect(await writer.ask("a")).toBe("committed");
    // Enough for files of the log, of which each has one record here.
    await writer.limitFiles(12 * 1024);
    const taken = ["a"];
    let answer = "committed";
    for (let i = 0; answer === "committed"; i++) {
      const name = `key${String(i).padStart(3, "0")}`;
      answer = await writer.ask(name);
      if (answer === "committed") taken.push(name);
      expect(i).toBeLessThan(20);
    }
    expect(answer).toMatch(/^The database could not be written: (Input\/output error|File too large)/);
    expect(await writer.ask("get a")).toBe("x".repeat(200));
    await writer.limitFiles("unlimited");
    expect(await writer.ask("z")).toBe("committed");
    await writer.kill();
    expect((await recovered(path)).map(([name]) => name)).toEqual([...taken, "z"]);
  });
});
