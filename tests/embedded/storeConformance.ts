import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MAX_KEY_BYTES, type Order, type Store } from "../../embedded/storage/store";
import { SHEAF_TAIL_CHARS, SheafCommits, sheafPlan } from "./sheaves";

/** What every store does. `openStore` gives an empty one; the suite closes it. */
export function describeStore(name: string, openStore: () => Promise<Store>): void {
  // oxlint-disable-next-line vitest/valid-title -- the title is the caller's
  describe(name, () => {
    let store: Store;
    beforeEach(async () => {
      store = await openStore();
    });
    afterEach(() => store.close());

    test("has nothing at first, and scans it", () => {
      expect(store.get("a")).toBeUndefined();
      expect([...store.scan("", null, "asc"), ...store.scan("", null, "desc")]).toEqual([]);
    });

    test("shows in a snapshot what was there when it was taken, whatever is committed meanwhile", async () => {
      const long = "\xfe".repeat(5_000);
      const before = new Map([
        ["a", "1"],
        ["b", "2"],
        [long, "3"],
      ]);
      await store.commit(before);
      const snapshot = store.snapshot();
      await store.commit(
        new Map([
          ["a", "changed"],
          ["b", null],
          ["c", "new"],
          [long, "changed"],
        ]),
      );
      await store.commit(new Map([["d", "newer"]]));
      expect(new Map(snapshot.scan("", null, "asc"))).toEqual(before);
      expect([...snapshot.scan("a", "c", "desc")]).toEqual([
        ["b", "2"],
        ["a", "1"],
      ]);
      expect([snapshot.get("a"), snapshot.get(long), snapshot.get("c")]).toEqual(["1", "3", undefined]);
      snapshot.release();
      expect(store.get("a")).toBe("changed");
    });

    test("keeps values of any text, the empty one too", async () => {
      const values = ["", "\0", "é😀\u2028", "x".repeat(100_000), "1:"];
      await store.commit(new Map(values.map((value, i) => [`k${i}`, value])));
      expect(values.map((_, i) => store.get(`k${i}`))).toEqual(values);
      expect([...store.scan("", null, "asc")].map(([, value]) => value)).toEqual(values);
    });

    test.each<Order>(["asc", "desc"])(
      "gives as many entries at once as are asked for (%s), however large",
      async (order) => {
        const keys = Array.from({ length: 40 }, (_, i) => `k${String(i).padStart(2, "0")}`);
        await store.commit(new Map(keys.map((key) => [key, key.repeat(60_000)])));
        const inOrder = order === "asc" ? keys : keys.toReversed();
        for (const limit of [1, 30, 40, 41]) {
          const taken = store.take("k", "l", order, limit);
          expect(taken.map(([key]) => key)).toEqual(inOrder.slice(0, limit));
          expect(taken.every(([key, value]) => value === key.repeat(60_000))).toBe(true);
        }
      },
    );

    test("takes keys up to the longest and values of 16 MiB", async () => {
      const key = "\xfe".repeat(MAX_KEY_BYTES);
      const value = "ä".repeat(8 * 1024 * 1024);
      await store.commit(
        new Map([
          [key, value],
          ["a", "1"],
        ]),
      );
      expect(store.get(key) === value).toBe(true);
      expect([...store.scan("", null, "desc")].map(([found]) => found.length)).toEqual([MAX_KEY_BYTES, 1]);
    });

    test("rejects a commit with an illegal key and applies nothing of it", async () => {
      for (const key of ["", "x".repeat(MAX_KEY_BYTES + 1)]) {
        const writes = new Map([
          ["a", "1"],
          [key, "2"],
        ]);
        await expect(store.commit(writes)).rejects.toThrow(RangeError);
      }
      await store.commit(new Map([["b", "1"]]));
      expect([...store.scan("", null, "asc")]).toEqual([["b", "1"]]);
    });

    test("applies commits under way in the order of their calls", async () => {
      const writes = new Map<string, string | null>();
      const commits: Promise<void>[] = [];
      for (let i = 0; i < 50; i++) {
        writes.set("last", `${i}`).set(`k${i}`, "x");
        writes.set(`k${i - 1}`, null);
        commits.push(store.commit(new Map(writes)));
        if (i % 10 === 0) await new Promise(setImmediate);
      }
      await Promise.all(commits);
      expect([...store.scan("", null, "asc")]).toEqual([
        ["k49", "x"],
        ["last", "49"],
      ]);
    });

    test("shows a commit as soon as it has resolved, and never a part of one", async () => {
      let stop = false;
      const reader = (async () => {
        while (!stop) {
          const [first] = store.scan("a", null, "asc");
          const [last] = store.scan("a", null, "desc");
          expect(first?.[1]).toBe(last?.[1]);
          await new Promise(setImmediate);
        }
      })();
      for (let i = 0; i < 30; i++) {
        await store.commit(new Map(Array.from({ length: 20 }, (_, j) => [`a${j}`, `${i}`])));
        expect(store.get("a7")).toBe(`${i}`);
      }
      stop = true;
      await reader;
    });

    test.each<Order>(["asc", "desc"])("goes on with a scan (%s) while commits land", async (order) => {
      const stable = Array.from({ length: 300 }, (_, i) => `s${String(i).padStart(3, "0")}`);
      await store.commit(new Map(stable.map((key) => [key, key])));
      const seen: string[] = [];
      let i = 0;
      for (const [key, value] of store.scan("s", "t", order)) {
        seen.push(key);
        expect(key.startsWith(value)).toBe(true);
        if (i++ % 7 === 0) {
          const near = `${stable[(i * 37) % 300]}x${i}`;
          await store.commit(
            new Map<string, string | null>([
              [near, near],
              [seen[(i * 13) % seen.length]?.includes("x") ? (seen.at(-1) as string) : "gone", null],
            ]).set(key, key.includes("x") ? null : value),
          );
        }
      }
      expect(seen).toEqual(order === "asc" ? seen.toSorted() : seen.toSorted().toReversed());
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((key) => !key.includes("x")).toSorted()).toEqual(stable);
    });

    test("lets scans be abandoned, thousands of them", async () => {
      await store.commit(new Map(Array.from({ length: 100 }, (_, i) => [`k${i}`, "v"])));
      for (let i = 0; i < 3000; i++) {
        expect(store.scan("", null, i % 2 === 0 ? "asc" : "desc").next().done).toBe(false);
        if (i % 500 === 0) await store.commit(new Map([["k0", `${i}`]]));
      }
      expect([...store.scan("", null, "asc")].length).toBe(100);
    });

    test("behaves as a sorted map", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
          await store.close();
          store = await openStore();
          const model = new Map<string, string>();
          for (const writes of steps) {
            await store.commit(writes.changes);
            applyTo(model, writes.changes);
            const { start, end, order } = writes;
            expect(short([...store.scan(start, end, order)])).toEqual(
              short(scanModel(model, start, end, order)),
            );
            for (const limit of [1, 2, 5, 100]) {
              expect(short(store.take(start, end, order, limit))).toEqual(
                short(scanModel(model, start, end, order).slice(0, limit)),
              );
            }
            const keys = [...writes.changes.keys()];
            expect(keys.map((changed) => store.get(changed))).toEqual(
              keys.map((changed) => model.get(changed)),
            );
          }
        }),
        { numRuns: 60 },
      );
    });

    test("has all keys of sheaves, whatever comes of them later", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(stepOfSheaves, { minLength: 1, maxLength: 14 }), async (steps) => {
          await store.close();
          store = await openStore();
          const model = new Map<string, string>();
          const sheaves = new SheafCommits();
          for (const { plan, other, at, order } of steps) {
            const commit = sheaves.commit(plan, [["other", other]]);
            const before = new Map(model);
            const snapshot = store.snapshot();
            await store.commit(commit);
            applyTo(model, commit);
            const { keys } = sheaves;
            expect(keys.map((key) => store.get(key))).toEqual(keys.map((key) => model.get(key)));
            const asked = keys[at % keys.length] ?? "idx1:a000000";
            const stem = asked.slice(0, -SHEAF_TAIL_CHARS);
            for (const [start, end] of [
              ["", null],
              ["idx1:", "idx2:"],
              ["idx2:a", "idx4:"],
              [stem, `${stem}\xff`],
            ] as const) {
              const expected = scanModel(model, start, end, order);
              expect([...store.scan(start, end, order)]).toEqual(expected);
              expect(store.take(start, end, order, 3)).toEqual(expected.slice(0, 3));
              expect([...snapshot.scan(start, end, order)]).toEqual(scanModel(before, start, end, order));
            }
            snapshot.release();
            // Two may begin alike, of which one goes on where the other ends.
            const found = scanModel(model, stem, `${stem}\xff`, order);
            if (keys.some((key) => key.startsWith(stem) && key.length !== asked.length)) continue;
            expect(store.take(stem, `${stem}\xff`, order, 2, SHEAF_TAIL_CHARS)).toEqual(found.slice(0, 2));
          }
        }),
        { numRuns: 60 },
      );
    });

    test("takes the same where it is told how long the keys of a range are", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(stepOfStems, { minLength: 1, maxLength: 12 }), async (steps) => {
          await store.close();
          store = await openStore();
          const model = new Map<string, string>();
          for (const { changes, stems, order } of steps) {
            await store.commit(changes);
            applyTo(model, changes);
            for (const stem of stems) {
              const end = `${stem}\xff`;
              for (const limit of [1, 2, 100]) {
                expect(short(store.take(stem, end, order, limit, TAIL_CHARS))).toEqual(
                  short(scanModel(model, stem, end, order).slice(0, limit)),
                );
              }
            }
          }
        }),
        { numRuns: 60 },
      );
    });
  });
}

function applyTo(model: Map<string, string>, changes: ReadonlyMap<string, string | null>): void {
  for (const [key, value] of changes) {
    if (value === null) model.delete(key);
    else model.set(key, value);
  }
}

function scanModel(
  model: Map<string, string>,
  start: string,
  end: string | null,
  order: Order,
): [string, string][] {
  const entries = [...model].filter(([key]) => key >= start && (end === null || key < end));
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return order === "asc" ? entries : entries.reverse();
}

/** Long runs of one character as a count, so that a failure can be read. */
function short(entries: [string, string][]): string[] {
  return entries.map(
    ([key, value]) => `${key.replace(/(.)\1{9,}/gs, (run, one) => `(${one}*${run.length})`)}=${value}`,
  );
}

/** Keys that begin each other, also beyond the length that LMDB takes, and share long prefixes. */
const key = fc.oneof(
  fc.constantFrom("\0", "\0\0", "a", "a\0", "a\0\xff", "a\xff", "b", "\xff", "\xff\xff"),
  fc
    .tuple(
      fc.constantFrom("a", "\0", "\xff"),
      fc.constantFrom(1899, 1900, 1901, 1932, 1978, 1979, 5000),
      fc.constantFrom("", "\0", "\0\0", "a", "b", "b".repeat(40), "\xff", "\xff".repeat(40), "1:x"),
    )
    .map(([character, length, rest]) => character.repeat(length) + rest),
  fc.uint8Array({ minLength: 1, maxLength: 3 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
);

const step = fc.record({
  changes: fc
    .array(fc.tuple(key, fc.option(fc.constantFrom("", "1", "2:é", "x".repeat(3000)), { freq: 4 })), {
      maxLength: 20,
    })
    .map((entries) => new Map(entries)),
  start: fc.oneof(fc.constant(""), key),
  end: fc.option(key),
  order: fc.constantFrom<Order>("asc", "desc"),
});

const TAIL_CHARS = 3;

/** As encoded texts are: one begins with all of another one only where FF follows. */
const stem = fc
  .tuple(
    fc.constantFrom("index", "other"),
    fc.constantFrom("a\0", "a\0\xffb\0", "b\0", `${"c".repeat(1950)}\0`),
  )
  .map((parts) => parts.join(""));

const stepOfSheaves = fc.record({
  plan: sheafPlan,
  /** Long enough that every few commits are brought into a database. */
  other: fc.constantFrom("", "x".repeat(500)),
  at: fc.nat(),
  order: fc.constantFrom<Order>("asc", "desc"),
});

const stepOfStems = fc.record({
  changes: fc
    .array(
      fc.tuple(
        fc
          .tuple(stem, fc.constantFrom("aaa", "aab", "\0\0\0", "\xfe\xff\xff"))
          .map((parts) => parts.join("")),
        fc.option(fc.constantFrom("", "1", "x".repeat(500)), { freq: 4 }),
      ),
      { maxLength: 10 },
    )
    .map((entries) => new Map(entries)),
  stems: fc.array(stem, { minLength: 1, maxLength: 3 }),
  order: fc.constantFrom<Order>("asc", "desc"),
});
