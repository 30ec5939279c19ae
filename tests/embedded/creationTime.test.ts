import fc from "fast-check";
import { expect, test } from "vitest";
import { nextUp, timeText } from "../../embedded/transaction/creationTime";

/** Any, those of documents that were inserted in one ms, and those around which numbers become coarser or finer. */
const time = fc.oneof(
  fc.double({ min: Number.MIN_VALUE, max: 1e300, noNaN: true }),
  fc.record({ ms: fc.nat(2 ** 42), part: fc.nat(4095) }).map(({ ms, part }) => ms + part / 4096),
  fc
    .record({ ms: fc.integer({ min: 1.7e12, max: 1.71e12 }), part: fc.nat(4095) })
    .map(({ ms, part }) => ms + part / 4096),
  fc.constantFrom(2 ** 40, 2 ** 40 - 2 ** -13, 2 ** 41, 2 ** 41 - 2 ** -12, 0.1, 1, Number.MAX_SAFE_INTEGER),
);

test("the text of a time is that which JSON has for the number", () => {
  fc.assert(
    fc.property(fc.array(time, { minLength: 1 }), (times) => {
      expect(times.map(timeText)).toEqual(times.map((one) => JSON.stringify(one)));
    }),
    { numRuns: 2000 },
  );
  for (let part = 0; part < 4096; part++) {
    const one = 1_763_785_000_123 + part / 4096;
    expect(timeText(one)).toBe(JSON.stringify(one));
  }
});

test("between a number and the next one there is no other", () => {
  fc.assert(
    fc.property(time, (one) => {
      const next = nextUp(one);
      const between = one + (next - one) / 2;
      expect(next).toBeGreaterThan(one);
      expect([one, next]).toContain(between);
    }),
    { numRuns: 2000 },
  );
  // Where the lower half of the number is full.
  const full = new Float64Array(new Uint32Array([0xffff_ffff, 0x4278_0000]).buffer)[0] as number;
  expect(nextUp(full)).toBe(full + 2 ** -12);
});
