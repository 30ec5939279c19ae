import fc from "fast-check";
import { expect, test } from "vitest";
import { RecentMap } from "../../embedded/values/recentMap";

const CAPACITY = 10;

const step = fc.record({
  key: fc.constantFrom(..."abcdefghij"),
  kind: fc.constantFrom("get", "get", "set", "delete"),
  weight: fc.integer({ min: 1, max: 4 }),
});

test("gives what was set last, and surely what was used when less than the capacity has been used since", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const map = new RecentMap<{ weight: number }>(CAPACITY, (_key, { weight }) => weight);
      const model = new Map<string, { value: { weight: number }; usedAt: number }>();
      let used = 0;
      for (const { key, kind, weight } of steps) {
        if (kind === "delete") {
          map.delete(key);
          model.delete(key);
          continue;
        }
        const known = model.get(key);
        const found = kind === "set" ? { weight } : map.get(key);
        if (kind === "set") map.set(key, { weight });
        else expect([undefined, known?.value]).toContainEqual(found);
        if (kind === "get" && known && used - known.usedAt < CAPACITY) expect(found).toBeDefined();
        if (!found) continue;
        used += found.weight;
        model.set(key, { value: found, usedAt: used });
      }
    }),
  );
});

test("keeps no more than twice its capacity", () => {
  const map = new RecentMap<number>(100);
  for (let i = 0; i < 10_000; i++) map.set(`${i}`, i);
  const isKept = (i: number) => map.get(`${i}`) === i;
  // The last ones first, as what is looked up is used.
  const kept = Array.from({ length: 10_000 }, (_, i) => 9_999 - i).filter(isKept);
  expect(kept.length).toBeGreaterThanOrEqual(100);
  expect(kept.length).toBeLessThanOrEqual(200);
  expect(kept[0]).toBe(9_999);
});
