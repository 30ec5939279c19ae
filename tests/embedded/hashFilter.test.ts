import fc from "fast-check";
import { expect, test } from "vitest";
import { HashFilter } from "../../embedded/storage/hashFilter";

/** Numbers that are as good as random, and always the same ones. */
function* hashes(): Generator<number, never> {
  for (let state = 1; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    const mix = Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d);
    yield mix ^ (mix >>> 12);
  }
}

test("a filter has all hashes that were added to it, however many were expected", () => {
  const hash = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(fc.array(hash, { maxLength: 500 }), fc.nat({ max: 500 }), (added, expected) => {
      const filter = new HashFilter(expected);
      for (const one of added) {
        filter.add(one);
        expect(filter.has(one)).toBe(true);
      }
      expect(added.filter((one) => !filter.has(one))).toEqual([]);
    }),
  );
});

test.each([
  { expected: 100_000, added: 100_000, mostBytes: 2 ** 18, most: 0.01 },
  { expected: 64, added: 60, mostBytes: 128, most: 0.01 },
  { expected: 64, added: 80_000, mostBytes: 5 * 80_000, most: 0.04 },
])(
  "a filter for $expected hashes, of which $added are added, takes up to $mostBytes bytes and has few others",
  ({ expected, added, mostBytes, most }) => {
    const filter = new HashFilter(expected);
    const numbers = hashes();
    for (let i = 0; i < added; i++) filter.add(numbers.next().value);
    const others = Array.from({ length: 100_000 }, () => numbers.next().value);
    expect(others.filter((other) => filter.has(other)).length / others.length).toBeLessThan(most);
    expect(filter.bytes).toBeLessThanOrEqual(mostBytes);
  },
);

test("a filter has few others that end in the same bits, as those of one block do", () => {
  const filter = new HashFilter(4096);
  const numbers = hashes();
  for (let i = 0; i < 4096; i++) filter.add(numbers.next().value);
  const alike = Array.from({ length: 100_000 }, () => (numbers.next().value & ~0xffff) | 0x1234);
  const added = alike.slice(0, 3);
  for (const one of added) filter.add(one);
  const others = alike.slice(3).filter((one) => !added.includes(one));
  expect(others.filter((one) => filter.has(one)).length / others.length).toBeLessThan(0.2);
});
