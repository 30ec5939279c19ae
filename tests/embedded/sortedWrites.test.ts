import fc from "fast-check";
import { expect, test } from "vitest";
import { SheafLayout } from "../../embedded/storage/sheaf";
import { SortedWrites } from "../../embedded/transaction/sortedWrites";

const LAYOUT = new SheafLayout(2, [
  { prefix: "idx1:", parts: [0, 1] },
  { prefix: "idx2:", parts: [1] },
]);

const step = fc.oneof(
  fc.record({ kind: fc.constantFrom("add" as const, "sheaf" as const, "insert" as const) }),
  fc.record({
    kind: fc.constantFrom("set" as const, "undo" as const),
    at: fc.nat(),
    value: fc.constantFrom(null, "", "1"),
  }),
  fc.record({ kind: fc.constant("look" as const), at: fc.nat() }),
);

test("the writes of a transaction are those that were made and not forgotten, in the order of their keys", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const writes = new SortedWrites();
      const model = new Map<string, string | null>();
      /** What was set, and not added as new. */
      const wasSet = new Set<string>();
      const keys: string[] = [];
      const make = (key: string, value: string) => {
        keys.push(key);
        model.set(key, value);
      };
      for (const [i, one] of steps.entries()) {
        // No key that is new has been there, and their order is not that in which they come.
        const name = String((i * 7919) % 1000).padStart(4, "0");
        const key = "at" in one ? (keys[one.at % keys.length] ?? "idx1:x") : "";
        const before = model.get(key);
        if (one.kind === "add") {
          writes.add(`idx1:${name}`);
          make(`idx1:${name}`, "");
        } else if (one.kind === "sheaf") {
          writes.addSheaf({ layout: LAYOUT, parts: ["a", name] });
          for (const made of [`idx1:a${name}`, `idx2:${name}`]) make(made, "");
        } else if (one.kind === "insert") {
          writes.insert(`doc${name}`, "{}");
          make(`doc${name}`, "{}");
          wasSet.add(`doc${name}`);
        } else if (one.kind === "set") {
          writes.set(key, one.value);
          model.set(key, one.value);
          wasSet.add(key);
        } else if ("value" in one && !wasSet.has(key)) {
          // As a nested mutation does that fails: it sets a key and takes that back.
          writes.set(key, one.value);
          writes.forget(key);
          if (before === undefined) model.delete(key);
        }
        // Not always: what is in order by then is not what comes after it.
        const looked = one.kind === "look" ? look(writes, model, key) : null;
        expect(looked?.actual).toEqual(looked?.expected);
      }
    }),
    { numRuns: 500 },
  );
});

function look(writes: SortedWrites, model: ReadonlyMap<string, string | null>, start: string) {
  const all = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
  const expected = all.filter(([found]) => found >= start);
  const pairs = pairsOf(writes);
  return {
    actual: [
      [...writes.scan(start, "z", "asc")],
      [...writes.scan(start, "z", "desc")],
      writes.touches(start, "z"),
      [...new Map(pairs)].sort(([a], [b]) => (a < b ? -1 : 1)),
      writes.size,
    ],
    expected: [expected, expected.toReversed(), expected.length > 0, all, pairs.length],
  };
}

function pairsOf(writes: SortedWrites): [string, string | null][] {
  const pairs: [string, string | null][] = [];
  writes.forEach((value, key) => pairs.push([key, value]));
  return pairs;
}
