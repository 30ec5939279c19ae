import fc from "fast-check";
import { expect, test } from "vitest";
import { SlotTable } from "../../embedded/transaction/slotTable";

/** Few, of which many want the same places, also at both ends of the table. */
const hash = fc.constantFrom(0, 1, 2, 62, 63, 64, 65, 127, 128, -1, -2, -64, 2 ** 31 - 1, -(2 ** 31));
const step = fc.record({ kind: fc.constantFrom("add", "add", "remove"), hash, slot: fc.nat({ max: 150 }) });

test("a table of slots has what was noted and not removed, whatever hashes are alike", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const table = new SlotTable();
      const model = new Map<number, Set<number>>();
      for (const one of steps) {
        const slots = model.get(one.hash) ?? new Set();
        model.set(one.hash, slots);
        if (one.kind === "remove") {
          table.remove(one.hash, one.slot);
          slots.delete(one.slot);
        } else if (!slots.has(one.slot)) {
          table.add(one.hash, one.slot);
          slots.add(one.slot);
        }
      }
      for (const [wanted, slots] of model) {
        const found: number[] = [];
        for (let place = table.find(wanted); place >= 0; place = table.find(wanted, place))
          found.push(table.slotAt(place));
        expect(found.toSorted((a, b) => a - b)).toEqual([...slots].toSorted((a, b) => a - b));
      }
      expect(table.isWhole).toBe(true);
    }),
    { numRuns: 500 },
  );
});
