import fc from "fast-check";
import { expect, test } from "vitest";
import { HashSet } from "../../embedded/storage/hashSet";

const anyHash = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
/** These look for their places in the same few slots. */
const crowded = fc.integer({ min: 0, max: 40 }).map((n) => n << 26);
const check = fc.oneof(fc.integer({ min: 0, max: 2 ** 16 - 1 }), fc.integer({ min: 0, max: 2 }));
const hashes = fc.array(fc.tuple(fc.oneof(anyHash, crowded), check), { maxLength: 300 });

test("a set has what was added to it and, but that 0 is taken for 1, nothing else", () => {
  fc.assert(
    fc.property(hashes, hashes, fc.nat({ max: 400 }), (added, others, expected) => {
      const set = new HashSet(expected);
      const model = new Set<string>();
      const textOf = ([hash, checked]: [number, number]) => `${hash === 0 ? 1 : hash} ${checked}`;
      for (const one of added) {
        set.add(...one);
        model.add(textOf(one));
        expect(set.has(...one)).toBe(true);
      }
      for (const one of [...added, ...others])
        expect([one, set.has(...one)]).toEqual([one, model.has(textOf(one))]);
    }),
  );
});

test("a set takes up to 24 bytes for each hash, and does not grow while there are as many as were expected", () => {
  const set = new HashSet(1000);
  const { bytes } = set;
  for (let i = 1; i < 1000; i++) set.add(Math.imul(i, 0x9e37_79b1), i & 0xffff);
  expect(set.bytes).toBe(bytes);
  for (let i = 1000; i <= 100_000; i++) set.add(Math.imul(i, 0x9e37_79b1), i & 0xffff);
  expect(set.bytes).toBeLessThanOrEqual(24 * 100_000);
});
