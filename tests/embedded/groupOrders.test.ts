import fc from "fast-check";
import { expect, test } from "vitest";
import { Additions } from "../../embedded/storage/additions";
import { Memtable } from "../../embedded/storage/memtable";
import { keysOfSheaf, SheafLayout, type Sheaf } from "../../embedded/storage/sheaf";
import { entriesOf } from "./storeModel";
import { WritesWithSheaves } from "./sheaves";

const PREFIX = "\x03\0\0\0\x07";

/** They differ where ids are mostly alike, and are alike where ids differ most: all are in one chain. */
const FIRST_FIELDS = ["a", "b", "c", "m"].map((name) => `\x0c${name.repeat(12)}${"m".repeat(20)}\0`);
/** No two characters of it are the same. */
const MIXED_FIELD = "\x0c0123456789abcdefghjkmnpqrstvwxyz\0";
/** Shorter than an id. */
const SHORT_FIELD = "\x0cshort\0";

/** The first field is one part, two, or not the first one: of all of these the first key is the same text. */
const LAYOUTS = [
  new SheafLayout(3, [{ prefix: PREFIX, parts: [0, 1, 2] }]),
  new SheafLayout(4, [
    { prefix: PREFIX, parts: [0, 1, 2, 3] },
    { prefix: "\x03\0\0\0\x08", parts: [2, 3] },
  ]),
  new SheafLayout(3, [{ prefix: PREFIX, parts: [2, 1, 0] }]),
];

function sheafOf(shape: number, field: string, rest: string, end: string): Sheaf {
  const parts = [
    [field, rest, end],
    [field.slice(0, 4), field.slice(4), rest, end],
    [end, rest, field],
  ][shape] as string[];
  return { layout: LAYOUTS[shape] as SheafLayout, parts };
}

const field = fc.constantFrom(...FIRST_FIELDS, MIXED_FIELD, SHORT_FIELD);
const rest = fc.constantFrom("u1", "u2", "u20", "\xff", "");

type Model = Map<string, string | null>;
/** Does something with a memtable and its model, and gives what each of them then says. */
type Step = (memtable: Memtable, model: Model) => { actual: unknown; expected: unknown };

let count = 0;
const nextEnd = () => String((count++ * 7919) % 1_000_003).padStart(7, "0");

const writesOf = (
  rows: readonly { shape: number; field: string; rest: string }[],
  again: readonly string[],
) =>
  new WritesWithSheaves(
    rows
      .filter(({ shape }) => shape < LAYOUTS.length)
      .map((row) => sheafOf(row.shape, row.field, row.rest, nextEnd())),
    [
      ...rows
        .filter(({ shape }) => shape === LAYOUTS.length)
        .map((row) => [`${PREFIX}${row.field}${row.rest}${nextEnd()}`, ""] as const),
      ...again.map((key, i) => [key, i % 2 === 0 ? null : ""] as const),
    ],
  );

const rows = fc.array(fc.record({ shape: fc.nat(LAYOUTS.length), field, rest }), { maxLength: 12 });

const write = fc
  .tuple(rows, fc.array(fc.nat(), { maxLength: 3 }), fc.boolean())
  .map(([made, touched, isMadeReady]): Step => (memtable, model) => {
    const keys = [...model.keys()];
    const again = touched.flatMap((at) => keys[at % keys.length] ?? []);
    const writes = writesOf(made, again);
    const added = new Additions();
    memtable.add(writes, added);
    for (const [key, value] of writes) model.set(key, value);
    if (isMadeReady) added.makeReady();
    return { actual: memtable.isEmpty, expected: model.size === 0 };
  });

const refuse = rows.map((made): Step => (memtable) => {
  const { bytes } = memtable;
  const added = new Additions();
  memtable.add(writesOf(made, []), added);
  added.makeReady();
  // Somebody may have asked for them.
  for (const one of FIRST_FIELDS) memtable.touches(`${PREFIX}${one}`, `${PREFIX}${one}\xff`);
  added.undo();
  return { actual: memtable.bytes, expected: bytes };
});

const ask = fc
  .record({
    field,
    rest,
    to: rest,
    isOne: fc.boolean(),
    order: fc.constantFrom("asc" as const, "desc" as const),
    limit: fc.nat(20),
  })
  .map(({ order, limit, ...asked }): Step => (memtable, model) => {
    const start = `${PREFIX}${asked.field}${asked.rest}`;
    const end = asked.isOne ? `${start}\xff` : `${PREFIX}${asked.field}${asked.to}\xff`;
    const expected = entriesOf(model, start, end, order);
    const first = expected.slice(0, 3);
    return {
      actual: [
        memtable.take(start, end, order, limit),
        [...memtable.scan(start, end, order)],
        memtable.touches(start, end),
        first.map(([key]) => memtable.get(key)),
      ],
      expected: [expected.slice(0, limit), expected, expected.length > 0, first.map(([, value]) => value)],
    };
  });

const steps = fc.array(fc.oneof(write, write, ask, ask, refuse), { minLength: 1, maxLength: 30 });

test("of the writes of a group those in a range are found, whatever was written to others and undone", () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const memtable = new Memtable();
      const model: Model = new Map();
      for (const step of taken) {
        const { actual, expected } = step(memtable, model);
        expect(actual).toEqual(expected);
      }
      expect([...memtable.scan("", null, "asc")]).toEqual(entriesOf(model));
    }),
    { numRuns: 300 },
  );
});

test("of thousands of writes in many groups each group has its own, in order, and what has come since it was asked for", () => {
  const memtable = new Memtable();
  const field = (group: number) => `\x0c${String(group).padStart(32, "g")}\0`;
  const expected = new Map<number, string[]>();
  for (let round = 0; round < 3; round++) {
    const sheaves: Sheaf[] = [];
    for (let i = 0; i < 4000; i++) {
      const group = (i * i + round) % 97;
      const sheaf = sheafOf(i % 3, field(group), `u${i % 10}`, nextEnd());
      sheaves.push(sheaf);
      expected.set(group, [...(expected.get(group) ?? []), keysOfSheaf(sheaf)[0] as string]);
    }
    memtable.add(new WritesWithSheaves(sheaves, []));
    for (const [group, keys] of expected) {
      if ((group + round) % 2 === 0) continue;
      const start = `${PREFIX}${field(group)}`;
      const found = memtable.take(start, `${start}\xff`, "asc", 10_000).map(([key]) => key);
      expect(found).toEqual(keys.toSorted());
    }
  }
});
