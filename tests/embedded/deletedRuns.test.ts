import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { DeletedRuns } from "../../embedded/storage/deletedRuns";
import { Log } from "../../embedded/storage/log";
import { LogStore, type LogSizes } from "../../embedded/storage/logStore";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import { SheafLayout } from "../../embedded/storage/sheaf";
import { WriteList } from "../../embedded/storage/writeList";
import type { Store } from "../../embedded/storage/store";
import { WritesWithSheaves } from "./sheaves";
import { SMALL_LOG } from "./storageSizes";

/** What is written stays in memory. */
const IN_MEMORY: LogSizes = { ...SMALL_LOG, generationBytes: Infinity, mostBytes: Infinity };

let root: string;
let folders = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "deleted-runs-test-"));
});
afterAll(() => rm(root, { recursive: true }));

async function newStore(sizes: LogSizes): Promise<LogStore> {
  const folder = join(root, `folder${folders++}`);
  await mkdir(folder);
  return LogStore.open(join(folder, "data.mdb"), sizes);
}

const keyOf = (n: number) => `q${String(n).padStart(4, "0")}`;
const fill = (count: number) => new Map(Array.from({ length: count }, (_, i) => [keyOf(i), `${i}`]));

describe("ranges of which all is deleted", () => {
  test("are left out where a range begins or, in descending order, ends in them", () => {
    const runs = new DeletedRuns();
    runs.note("b", "d");
    runs.note("d", "f");
    expect(runs.narrow("b", "z", "asc")).toEqual(["f", "z"]);
    expect(runs.narrow("e", null, "asc")).toEqual(["f", null]);
    expect(runs.narrow("a", "z", "asc")).toEqual(["a", "z"]);
    expect(runs.narrow("f", "z", "asc")).toEqual(["f", "z"]);
    expect(runs.narrow("a", "e", "desc")).toEqual(["a", "b"]);
    expect(runs.narrow("a", "f", "desc")).toEqual(["a", "b"]);
    expect(runs.narrow("a", "b", "desc")).toEqual(["a", "b"]);
    expect(runs.narrow("a", null, "desc")).toEqual(["a", null]);
  });

  test("end where something is written", () => {
    const runs = new DeletedRuns();
    runs.note("b", "f");
    runs.written("d");
    expect(runs.narrow("b", "z", "asc")).toEqual(["d", "z"]);
    expect(runs.narrow("e", "z", "asc")).toEqual(["e", "z"]);
    runs.written("b");
    expect(runs.narrow("b", "z", "asc")).toEqual(["b", "z"]);
  });
});

describe("a store of which much is deleted", () => {
  type Command = {
    readonly kind: "first" | "last" | "put" | "sheaf" | "read";
    readonly at: number;
    readonly count: number;
  };
  const commands = fc.array(
    fc.record({
      kind: fc.constantFrom<Command["kind"]>("first", "first", "last", "put", "sheaf", "read"),
      at: fc.nat(250),
      count: fc.integer({ min: 1, max: 70 }),
    }),
    { minLength: 5, maxLength: 30 },
  );

  /** Reads as those who take from a queue do, and looks at all of it. */
  function read(store: Store, { at, count }: Command): unknown {
    const start = keyOf(at);
    return [
      store.take("q", "r", "asc", 3),
      store.take("q", "r", "desc", 3),
      store.take(start, keyOf(at + count), "asc", 2),
      store.take("q", start, "desc", 2),
      [...store.scan("q", "r", "asc")],
      [...store.scan("q", start, "desc")],
    ];
  }

  test.each([
    ["in memory", IN_MEMORY],
    ["some of which is in the database already", SMALL_LOG],
  ])("reads as a plain one does: %s", async (_, sizes) => {
    await fc.assert(
      fc.asyncProperty(commands, async (made) => {
        const store = await newStore(sizes);
        const model = new MemoryStore();
        const commit = async (writes: ReadonlyMap<string, string | null>) => {
          await Promise.all([store.commit(writes), model.commit(writes)]);
        };
        try {
          await commit(fill(250));
          for (const [i, command] of made.entries()) {
            const { kind, at, count } = command;
            if (kind === "put") await commit(new Map([[keyOf(at), "new"]]));
            if (kind === "sheaf") {
              const layout = new SheafLayout(1, [{ prefix: keyOf(at), parts: [0] }]);
              await commit(new WritesWithSheaves([{ layout, parts: [`${i}`] }], []));
            }
            if (kind === "first" || kind === "last") {
              const order = kind === "first" ? "asc" : "desc";
              const taken = store.take("q", "r", order, count);
              await commit(new Map(taken.map(([key]) => [key, null])));
            }
            expect(read(store, command)).toEqual(read(model, command));
          }
        } finally {
          await store.close();
        }
      }),
      { numRuns: 40 },
    );
  });

  test("has again what was deleted by a commit that the disk refuses", async () => {
    const store = await newStore(IN_MEMORY);
    await store.commit(fill(100));
    const append = vi.spyOn(Log.prototype, "append").mockRejectedValueOnce(new Error("no room"));
    const keys = [...fill(100).keys()];
    const refused = store.commit(new Map(keys.slice(0, 60).map((key) => [key, null])));
    expect(store.take("q", "r", "asc", 1)).toEqual([[keyOf(60), "60"]]);
    expect(store.take("q", "r", "asc", 1)).toEqual([[keyOf(60), "60"]]);
    await expect(refused).rejects.toThrow("no room");
    append.mockRestore();
    expect(store.take("q", "r", "asc", 1)).toEqual([[keyOf(0), "0"]]);
    await store.close();
  });

  test("looks at few of those that are deleted when the first or the last is taken again and again", async () => {
    const store = await newStore(IN_MEMORY);
    const count = 1_000;
    await store.commit(fill(count));
    const looks = vi.spyOn(WriteList.prototype, "valueAt");
    for (let taken = 0; taken < count; taken++) {
      const order = taken < count / 2 ? "asc" : "desc";
      const [only] = store.take("q", "r", order, 1);
      expect(only?.[0]).toBe(keyOf(order === "asc" ? taken : 1.5 * count - taken - 1));
      void store.commit(new Map([[only?.[0] ?? "", null]]));
    }
    expect(looks.mock.calls.length).toBeLessThan(100 * count);
    looks.mockRestore();
    await store.close();
  });
});
