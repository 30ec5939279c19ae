import { createContext, Script } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Additions } from "../../embedded/storage/additions";
import { GenerationFill, type Slice } from "../../embedded/storage/generationFill.js";
import type { Writes } from "../../embedded/storage/store";
import { Memtable } from "../../embedded/storage/memtable";
import { SparePieces } from "../../embedded/storage/sharedPieces";
import { SheafLayout } from "../../embedded/storage/sheaf";
import { entriesOf } from "./storeModel";
import { SHEAF_TAIL_CHARS, SheafCommits, sheafPlan, WritesWithSheaves } from "./sheaves";
import { keyAt, pieceAt, placeOf, valueAt } from "../../embedded/storage/writeLayout.js";

const TAIL_CHARS = 2;

/** What another thread would bring into the database. */
function shown(memtable: Memtable): [string, string | null][] {
  const entries = new Map<string, string | null>();
  const take = (slice: Slice) => {
    for (const { pieces, addresses } of slice) {
      let last = "";
      for (const address of addresses) {
        const [piece, place] = [pieceAt(pieces, address), placeOf(address)];
        const found = keyAt(piece, place);
        if (found <= last) throw new Error(`${found} comes behind ${last}`);
        last = found;
        entries.set(found, valueAt(piece, place));
      }
    }
  };
  const fill = new GenerationFill(take, memtable.show(), { during: "", after: "" });
  while (fill.next() !== null) continue;
  return entriesOf(entries);
}

/** A commit of writes, of which several may be of one key. */
function commitOf(made: readonly (readonly [string, string | null])[]): Writes {
  return { size: made.length, forEach: (change) => made.forEach(([name, text]) => change(text, name)) };
}

/** Few stems with few tails, in parts of which one has keys shorter than others, so that the same ones come again. */
const stem = fc
  .tuple(fc.constantFrom("", "a", "part1", "part2"), fc.constantFrom("x", "x\0", "x\0\xffy", "z"))
  .map((parts) => parts.join(""));
const tail = fc.constantFrom("aa", "ab", "\0\0", "\xffa");
const key = fc.oneof(
  fc.tuple(stem, tail).map((parts) => parts.join("")),
  fc.constantFrom("\0", "a", "a\0\0\0\0", "\xff"),
);
const value = fc.oneof(
  fc.constantFrom("", "", "1", null),
  // At the lengths where values are written in another way.
  fc
    .tuple(fc.constantFrom("x", "é", "語", "😀"), fc.constantFrom(1, 16_384, 16_385, 70_000, 1_100_000))
    .map(([character, length]) => character.repeat(length)),
);
const writes = fc.array(fc.tuple(key, value), { maxLength: 8 });
const order = fc.constantFrom("asc" as const, "desc" as const);

/** Does something with a memtable and its model, and gives what each of them then says. */
type Step = (
  memtable: Memtable,
  model: Map<string, string | null>,
  sheaves: SheafCommits,
) => { actual: unknown; expected: unknown };

const write = writes.map((made): Step => (memtable, model) => {
  memtable.add(commitOf(made));
  for (const [written, text] of made) model.set(written, text);
  return { actual: memtable.isEmpty, expected: model.size === 0 };
});

const refuse = writes.map((made): Step => (memtable) => {
  const { bytes } = memtable;
  const added = new Additions();
  memtable.add(commitOf(made), added);
  // Somebody may have seen them.
  for (const [written] of made) memtable.get(written);
  memtable.touches("", null);
  added.undo();
  return { actual: memtable.bytes, expected: bytes };
});

const writeSheaves = sheafPlan.map((plan): Step => (memtable, model, sheaves) => {
  const commit = sheaves.commit(plan);
  memtable.add(commit);
  for (const [written, text] of commit) model.set(written, text);
  return {
    actual: [...commit.keys()].every((written) => memtable.get(written) !== undefined),
    expected: true,
  };
});

const refuseSheaves = sheafPlan.map((plan): Step => (memtable, _, sheaves) => {
  const { bytes } = memtable;
  const added = new Additions();
  memtable.add(sheaves.commit(plan), added);
  memtable.touches("", null);
  added.undo();
  return { actual: memtable.bytes, expected: bytes };
});

/** The beginning of a key that has been in a sheaf, or may have been. */
const takeOfSheaf = fc
  .record({ which: fc.nat(), order, limit: fc.integer({ min: 1, max: 3 }) })
  .map((asked): Step => (memtable, model, { keys }) => {
    const asking = keys[asked.which % keys.length] ?? "idx1:a000000";
    const start = asking.slice(0, -SHEAF_TAIL_CHARS);
    const end = `${start}\xff`;
    const expected = entriesOf(model, start, end, asked.order);
    const promised = expected.every(([found]) => found.length === start.length + SHEAF_TAIL_CHARS);
    return {
      actual: [
        memtable.take(start, end, asked.order, asked.limit, promised ? SHEAF_TAIL_CHARS : undefined),
        memtable.get(asking),
      ],
      expected: [expected.slice(0, asked.limit), model.get(asking)],
    };
  });

const scan = fc
  .record({ start: fc.oneof(fc.constant(""), key), end: fc.option(key), order, limit: fc.nat(6) })
  .map((asked): Step => (memtable, model) => {
    const { start, end, limit } = asked;
    const expected = entriesOf(model, start, end, asked.order);
    return {
      actual: [
        [...memtable.scan(start, end, asked.order)],
        memtable.take(start, end, asked.order, limit),
        memtable.touches(start, end),
      ],
      expected: [expected, expected.slice(0, limit), expected.length > 0],
    };
  });

const takeOfStem = fc
  .record({ stem, order, limit: fc.integer({ min: 1, max: 3 }) })
  .map((asked): Step => (memtable, model) => {
    const end = `${asked.stem}\xff`;
    const expected = entriesOf(model, asked.stem, end, asked.order);
    const promised = expected.every(([found]) => found.length === asked.stem.length + TAIL_CHARS);
    return {
      actual: memtable.take(asked.stem, end, asked.order, asked.limit, promised ? TAIL_CHARS : undefined),
      expected: expected.slice(0, asked.limit),
    };
  });

const get = key.map((asked): Step => (memtable, model) => ({
  actual: memtable.get(asked),
  expected: model.get(asked),
}));

const getAll = fc.constant<Step>((memtable, model) => ({
  actual: [...model.keys()].map((written) => memtable.get(written)),
  expected: [...model.values()],
}));

const show = fc.constant<Step>((memtable, model) => ({
  actual: shown(memtable),
  expected: entriesOf(model),
}));

const ofSheaves = [writeSheaves, refuseSheaves, takeOfSheaf] as const;
const steps = fc.array(fc.oneof(write, refuse, scan, takeOfStem, get, getAll, show, ...ofSheaves), {
  minLength: 1,
  maxLength: 40,
});

describe("a memtable", () => {
  test("knows the writes that were made and not undone, however it is asked, and a copy those until then", () => {
    fc.assert(
      fc.property(steps, steps, (before, after) => {
        const memtable = new Memtable();
        const model = new Map<string, string | null>();
        const sheaves = new SheafCommits();
        const follow = (taken: Step[]) => {
          for (const step of taken) {
            const { actual, expected } = step(memtable, model, sheaves);
            expect(actual).toEqual(expected);
          }
        };
        follow(before);
        const copy = memtable.copy();
        const then = entriesOf(model);
        follow(after);
        expect([...copy.scan("", null, "asc")]).toEqual(then);
      }),
      { numRuns: 300 },
    );
  });

  test("has every write once, after there was no memory for them when somebody asked first", () => {
    class ScarcePieces extends SparePieces {
      isScarce = false;

      override take(bytes: number): Buffer | undefined {
        if (this.isScarce) throw new RangeError("Array buffer allocation failed");
        return super.take(bytes);
      }
    }
    const spare = new ScarcePieces();
    const memtable = new Memtable(spare);
    const group = new Additions();
    const model = new Map<string, string>();
    const write = (written: string, text: string) => {
      memtable.add(commitOf([[written, text]]), group);
      model.set(written, text);
    };
    write("part1a", "1");
    write("part2a", "2");
    spare.isScarce = true;
    expect(() => memtable.get("part1a")).toThrow(RangeError);
    expect(() => [...memtable.scan("", null, "asc")]).toThrow(RangeError);
    write("part1b", "3");
    write("part1a", "4");
    spare.isScarce = false;
    expect([...memtable.scan("", null, "asc")]).toEqual(entriesOf(model));
    expect(memtable.writes).toBe(4);
    group.undo();
    expect([memtable.isEmpty, memtable.get("part1a")]).toEqual([true, undefined]);
  });

  test("stays as it is for who keeps it, though its memory is released and others write", () => {
    const plan = { rows: [{ layout: 0, parts: ["a", "ab", ""] }], touched: [] };
    const sheaves = new SheafCommits();
    const memtable = new Memtable();
    const commit = sheaves.commit(plan, [["part1a", "1"]]);
    memtable.add(commit);
    const kept = memtable.moveOut(new Set()).keep();
    // As bytes, as what goes to the database is.
    kept.show();
    kept.release();
    memtable.add(
      sheaves.commit({ ...plan, rows: [{ layout: 0, parts: ["b", "bc", "b"] }] }, [["part1b", "2"]]),
    );
    expect([...memtable.scan("", null, "asc")]).toHaveLength(4);
    expect([...kept.scan("", null, "asc")]).toEqual(entriesOf(commit));
  });

  test("has of thousands of writes those in any range, whatever was asked for before", () => {
    const keyOf = (number: number) => `part1${String(number % 10_000).padStart(4, "0")}`;
    const number = fc.nat(9_999);
    const writeMany = fc
      .record({
        first: number,
        apart: fc.constantFrom(1, 7, 3_571),
        count: fc.constantFrom(1, 3_000, 6_000),
      })
      .map(({ first, apart, count }): Step => (memtable, model) => {
        const made = Array.from({ length: count }, (_, i): [string, string | null] => {
          const place = memtable.writes + i;
          return [keyOf(first + i * apart), place % 11 === 0 ? null : `${place}`];
        });
        memtable.add(commitOf(made));
        for (const [written, text] of made) model.set(written, text);
        return { actual: null, expected: null };
      });
    const ask = fc
      .record({
        first: number,
        width: fc.constantFrom(1, 10, 100, 10_000),
        order,
        limit: fc.constantFrom(1, 5, 10_000),
      })
      .map((asked): Step => (memtable, model) => {
        const start = keyOf(asked.first);
        const end = asked.first + asked.width > 9_999 ? "part2" : keyOf(asked.first + asked.width);
        const expected = entriesOf(model, start, end, asked.order);
        return {
          actual: [memtable.take(start, end, asked.order, asked.limit), memtable.touches(start, end)],
          expected: [expected.slice(0, asked.limit), expected.length > 0],
        };
      });
    const manySteps = fc.array(fc.oneof(writeMany, ask, ask, ask), { minLength: 2, maxLength: 30 });
    const sheaves = new SheafCommits();
    fc.assert(
      fc.property(manySteps, (taken) => {
        const memtable = new Memtable();
        const model = new Map<string, string | null>();
        for (const step of taken) {
          const { actual, expected } = step(memtable, model, sheaves);
          expect(actual).toEqual(expected);
        }
        expect([...memtable.scan("", null, "desc")]).toEqual(entriesOf(model).toReversed());
      }),
      { numRuns: 40 },
    );
  });

  test("finds everything after those who have asked first were cut off", () => {
    const keys = Array.from({ length: 200_000 }, (_, i) => `part1${(i * 7919) % 200_000}`);
    // So many keys take longer than that on any machine.
    const askBriefly = (ask: () => unknown) => {
      const script = new Script("ask()");
      expect(() => script.runInContext(createContext({ ask }), { timeout: 1 })).toThrow(/timed out/);
    };
    const memtable = new Memtable();
    for (const [i, written] of keys.entries()) {
      memtable.add(commitOf([[written, ""]]));
      if (i % 100_000 !== 99_999) continue;
      askBriefly(() => memtable.get("part1"));
      askBriefly(() => memtable.touches("part1", null));
    }
    expect(keys.every((written) => memtable.get(written) === "")).toBe(true);
    expect([...memtable.scan("", null, "asc")].map(([found]) => found)).toEqual(keys.toSorted());
  });
});

test("of thousands of sheaves those in a range are found, whichever parts it begins with", () => {
  const prefix = "\x03\0\0\0\x07";
  // The parts of the second key lie in another order than in the key.
  const layout = new SheafLayout(3, [
    { prefix, parts: [0, 1, 2] },
    { prefix: "\x03\0\0\0\x08", parts: [1, 0, 2] },
  ]);
  const partsOf = (i: number) => [`a${i % 7}`, `b${i % 1000}`, String(i).padStart(8, "0")];
  const all = Array.from({ length: 6000 }, (_, i) => ({ layout, parts: partsOf(i) }));
  const memtable = new Memtable();
  memtable.add(new WritesWithSheaves(all, []));
  const numbers = (start: string) =>
    memtable.take(start, `${start}\xff`, "asc", 10_000).map(([key]) => Number(key.slice(-8)));
  const expected = (keep: (i: number) => boolean) =>
    all.flatMap((_, i) => (keep(i) ? [i] : [])).toSorted((a, b) => a - b);
  expect(numbers(`${prefix}a3b53`).toSorted((a, b) => a - b)).toEqual(
    expected((i) => i % 7 === 3 && `b${i % 1000}`.startsWith("b53")),
  );
  expect(numbers("\x03\0\0\0\x08b999a")).toEqual(expected((i) => i % 1000 === 999).toSorted(byKeyOfSecond));
  expect(numbers(`${prefix}a3b53x`)).toEqual([]);
});

/** In the order of the second key of those whose second parts are the same. */
function byKeyOfSecond(a: number, b: number): number {
  return (a % 7) - (b % 7) || a - b;
}
