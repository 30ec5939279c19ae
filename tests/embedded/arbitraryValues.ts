import type { Value } from "convex/values";
import fc from "fast-check";

/** Texts that order differently by UTF-16 units and by UTF-8 bytes, that hold zero bytes, that continue others. */
const trickyText = fc.oneof(
  fc.constantFrom(
    "",
    "\0",
    "\0\0",
    "a",
    "a\0",
    "a\0b",
    "ab",
    "\x7f",
    "\x80",
    "é",
    "ÿ",
    "\ud7ff",
    "\ue000",
    "\uffff",
  ),
  fc.constantFrom("😀", "😀a", "a😀", "😁", "\u{10ffff}"),
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.string({ unit: "binary", maxLength: 8 }),
);

const trickyFloat = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    NaN,
    Infinity,
    -Infinity,
    5e-324,
    -5e-324,
    Number.MAX_VALUE,
    2 ** 53,
    1763700000000.25,
  ),
  fc.double(),
  fc.integer(),
);

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/** Around each width of the encoding, and anywhere. */
const trickyInt64 = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(0n, 7n, 8n, 15n, 16n, 31n, 32n, 63n),
      fc.bigInt({ min: -2n, max: 2n }),
      fc.boolean(),
    )
    .map(([bits, near, negative]) => {
      const value = (negative ? -1n : 1n) * 2n ** bits + near;
      return value < MIN_INT64 ? MIN_INT64 : value > MAX_INT64 ? MAX_INT64 : value;
    }),
  fc.bigInt({ min: MIN_INT64, max: MAX_INT64 }),
);

const bytes = fc.uint8Array({ maxLength: 6 }).map((array) => array.slice().buffer);

const fieldName = fc.oneof(
  fc.constantFrom("a", "b", "ab", "", "10", "9", "_x", "constructor", "toString"),
  fc.stringMatching(/^[A-Za-z ._-][ -~]{0,5}$/),
);

/** Any value of Convex, in JavaScript. */
export const convexValue: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    trickyInt64,
    trickyFloat,
    trickyText,
    bytes,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fieldName, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;
