import fc from "fast-check";
import { expect, test } from "vitest";
import { RecentMap } from "../../embedded/values/recentMap";

const CAPACITY = 8;

const step = fc.record({
  key: fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h"),
  kind: fc.constantFrom("get", "get", "set", "delete"),
  value: fc.nat(),
});

test("gives what was set last, and surely what was used when less than half the capacity has been used since", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const map = new RecentMap<string, { value: number }>(CAPACITY);
      const model = new Map<string, { value: { value: number }; usedAt: number }>();
      let used = 0;
      for (const { key, kind, value } of steps) {
        if (kind === "delete") {
          map.delete(key);
          model.delete(key);
          continue;
        }
        if (kind === "set") {
          map.set(key, { value });
          model.set(key, { value: { value }, usedAt: used });
        }
        const known = model.get(key);
        const mayBeForgotten = !known || used - known.usedAt >= CAPACITY / 2;
        const found = map.get(key);
        expect(mayBeForgotten ? [undefined, known?.value] : [known.value]).toContainEqual(found);
        if (!found) continue;
        used++;
        model.set(key, { value: found, usedAt: used });
      }
    }),
  );
});

test("keeps no more than its capacity, and no less than half of it", () => {
  const map = new RecentMap<string, number>(200);
  for (let i = 0; i < 10_000; i++) map.set(`${i}`, i);
  const isKept = (i: number) => map.get(`${i}`) === i;
  // The last ones first, as what is looked up is used.
  const kept = Array.from({ length: 10_000 }, (_, i) => 9_999 - i).filter(isKept);
  expect(kept.length).toBeGreaterThanOrEqual(100);
  expect(kept.length).toBeLessThanOrEqual(200);
  expect(kept[0]).toBe(9_999);
});
