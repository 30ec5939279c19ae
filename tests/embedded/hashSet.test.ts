import fc from "fast-check";
import { expect, test } from "vitest";
import { HashSet } from "../../embedded/storage/hashSet";

const hash = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
/** These look for their places in the same few slots. */
const crowded = fc.integer({ min: 0, max: 40 }).map((n) => n << 26);
const hashes = fc.array(fc.oneof(hash, crowded), { maxLength: 300 });

test("a set has what was added to it and, but that 0 is taken for 1, nothing else", () => {
  fc.assert(
    fc.property(hashes, hashes, fc.nat({ max: 400 }), (added, others, expected) => {
      const set = new HashSet(expected);
      const model = new Set<number>();
      for (const one of added) {
        set.add(one);
        model.add(one === 0 ? 1 : one);
        expect(set.has(one)).toBe(true);
      }
      for (const one of [...added, ...others])
        expect([one, set.has(one)]).toEqual([one, model.has(one === 0 ? 1 : one)]);
    }),
  );
});

test("a set takes up to 16 bytes for each number, and does not grow while there are as many as were expected", () => {
  const set = new HashSet(1000);
  const { bytes } = set;
  for (let i = 1; i < 1000; i++) set.add(Math.imul(i, 0x9e37_79b1));
  expect(set.bytes).toBe(bytes);
  for (let i = 1000; i <= 100_000; i++) set.add(Math.imul(i, 0x9e37_79b1));
  expect(set.bytes).toBeLessThanOrEqual(16 * 100_000);
});
