/** The order in which writes go into the database, beside that of texts. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { haveSameKey, sortByKey } from "../../embedded/storage/keyOrder.js";
import { Memtable } from "../../embedded/storage/memtable";
import { keyAt, pieceAt, placeOf } from "../../embedded/storage/writeLayout.js";

/** All in one part of a memtable; of few bytes, so that keys begin alike, end where others go on, and come again. */
const START = "part1";
const end = fc.string({ maxLength: 9, unit: fc.constantFrom("\0", "\x01", "a", "\x7f", "\x80", "\xff") });
const long = fc
  .tuple(fc.constantFrom("", "x".repeat(50), "\0".repeat(50)), end)
  .map((parts) => parts.join(""));
/** Many, as few are put in order in another way. */
const keys = fc.oneof(
  fc.array(end, { maxLength: 20 }),
  fc.array(end, { minLength: 100, maxLength: 400 }),
  fc.array(long, { minLength: 20, maxLength: 200 }),
  // All of one key, or nearly.
  fc.array(fc.constantFrom("same", "same", "same", "same\0", "same\0\0"), { minLength: 10, maxLength: 60 }),
);

test("writes are put in the order of their keys' bytes, and those of one key stay in theirs", () => {
  fc.assert(
    fc.property(keys, (ends) => {
      const memtable = new Memtable();
      for (const one of ends) memtable.add(new Map([[START + one, "value"]]));
      const [{ pieces, addresses } = { pieces: [], addresses: new Uint32Array() }] = memtable.show();
      const came = [...addresses];
      const keyOf = (address: number) => keyAt(pieceAt(pieces, address), placeOf(address));
      // `sort` is stable, and compares binary strings by their bytes.
      const expected = came.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
      sortByKey(pieces, addresses);
      expect([...addresses]).toEqual(expected);
      expected.forEach((address, i) => {
        const next = expected[i + 1] ?? address;
        expect(haveSameKey(pieces, address, next)).toBe(keyOf(address) === keyOf(next));
      });
    }),
    { numRuns: 500 },
  );
});
