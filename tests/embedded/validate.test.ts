import { validate as validateWithHelpers } from "convex-helpers/validators";
import {
  convexToJson,
  jsonToConvex,
  v,
  type GenericValidator,
  type Value,
  type ValidatorJSON,
} from "convex/values";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileValidator } from "../../embedded/functions/validate";
import { newId } from "../../embedded/values/ids";
import { int64Json, type Json } from "../../embedded/values/json";
import { convexValue } from "./arbitraryValues";

const TABLES: Record<number, string> = { 10001: "users", 10002: "meetings", 513: "_tables", 514: "_storage" };
const tables = { tableName: (tableNumber: number) => TABLES[tableNumber] };
const [userId, meetingId, systemId, fileId, unknownId] = [10001, 10002, 513, 514, 10003].map(
  (tableNumber) => newId(tableNumber, Date.now()).id,
) as [string, string, string, string, string];

function jsonOf(validator: GenericValidator): ValidatorJSON {
  return (validator as unknown as { json: ValidatorJSON }).json;
}

function problem(validator: GenericValidator, value: Json | undefined): string | null {
  return compileValidator(jsonOf(validator), tables)(value);
}

describe("a value that does not match", () => {
  test("is shown with its validator", () => {
    expect(problem(v.string(), 1)).toBe(
      "Value does not match validator.\n\nValue: 1.0\nValidator: v.string()",
    );
    expect(problem(v.null(), undefined)).toBe(
      "Value does not match validator.\n\nValue: undefined\nValidator: v.null()",
    );
  });

  test("is found by its path", () => {
    const validator = v.object({ a: v.array(v.object({ b: v.optional(v.number()) })) });
    expect(problem(validator, { a: [{}, { b: 1 }, { b: "x" }] })).toBe(
      'Value does not match validator.\nPath: .a[2].b\nValue: "x"\nValidator: v.float64()',
    );
  });

  test("is the key or the value of a record", () => {
    expect(problem(v.record(v.id("users"), v.number()), { x: 1 })).toBe(
      'Value does not match validator.\nPath: .keys()\nValue: "x"\nValidator: v.id("users")',
    );
    expect(problem(v.object({ r: v.record(v.string(), v.number()) }), { r: { b: 1, a: true } })).toBe(
      "Value does not match validator.\nPath: .r.values()\nValue: true\nValidator: v.float64()",
    );
  });

  test("misses a required field", () => {
    expect(problem(v.object({ name: v.string(), age: v.optional(v.number()) }), { age: 3 })).toBe(
      "Object is missing the required field `name`. Consider wrapping the field validator in `v.optional(...)` if this is expected.\n" +
        "\nObject: {age: 3.0}\nValidator: v.object({age: v.optional(v.float64()), name: v.string()})",
    );
    expect(problem(v.object({ o: v.object({ x: v.any() }) }), { o: {} })).toBe(
      "Object is missing the required field `x`. Consider wrapping the field validator in `v.optional(...)` if this is expected.\n" +
        "Path: .o\nObject: {}\nValidator: v.object({x: v.any()})",
    );
  });

  test("has an extra field", () => {
    expect(problem(v.object({ a: v.null() }), { b: 1, a: null, c: 2 })).toBe(
      "Object contains extra field `b` that is not in the validator.\n\nObject: {a: null, b: 1.0, c: 2.0}\nValidator: v.object({a: v.null()})",
    );
  });

  test("has one problem reported of several: fields by name, missing before extra", () => {
    const validator = v.object({ b: v.string(), a: v.optional(v.string()) });
    expect(problem(validator, { b: 1, a: 1, x: 1 })).toContain("Path: .a");
    expect(problem(validator, { b: 1, x: 1 })).toContain("Path: .b");
    expect(problem(validator, { x: 1 })).toContain("missing the required field `b`");
  });

  test("is another literal", () => {
    expect(problem(v.literal("a"), "b")).toBe('`"b"` does not match literal validator `v.literal("a")`.');
    expect(problem(v.object({ x: v.literal(1) }), { x: 2 })).toBe(
      "`2.0` does not match literal validator `v.literal(1.0)`.Path: .x",
    );
    expect(problem(v.literal(5n), int64Json(6n))).toBe(
      "`6` does not match literal validator `v.literal(<bigint>)`.",
    );
    expect(problem(v.literal(true), null)).toBe("`null` does not match literal validator `v.literal(true)`.");
    expect(problem(v.literal("a"), { a: 1 })).toBe(
      '`{a: 1.0}` does not match literal validator `v.literal("a")`.',
    );
  });

  test("matches no member of a union, or not the only one", () => {
    const union = v.union(v.string(), v.literal(1), v.object({ a: v.number() }));
    expect(problem(v.object({ u: union }), { u: { a: "x" } })).toBe(
      'Value does not match validator.\nPath: .u\nValue: {a: "x"}\nValidator: v.union(v.string(), v.literal(1.0), v.object({a: v.float64()}))',
    );
    expect(problem(v.union(v.object({ a: v.number() })), { a: "x" })).toBe(
      'Value does not match validator.\nPath: .a\nValue: "x"\nValidator: v.float64()',
    );
    expect(problem(v.union(), 1)).toBe("Value does not match validator.\n\nValue: 1.0\nValidator: v.union()");
    expect(problem(v.union(v.literal("a"), v.literal("b")), "c")).toBe(
      'Value does not match validator.\n\nValue: "c"\nValidator: v.union(v.literal("a"), v.literal("b"))',
    );
  });
});

describe("ids", () => {
  test("of the table match, system tables included", () => {
    expect(problem(v.id("users"), userId)).toBeNull();
    expect(problem(v.id("_storage"), fileId)).toBeNull();
  });

  test("of another table are named", () => {
    expect(problem(v.id("users"), meetingId)).toBe(
      `Found ID "${meetingId}" from table \`meetings\`, which does not match the table name in validator \`v.id("users")\`.`,
    );
    expect(problem(v.object({ u: v.id("users") }), { u: systemId })).toBe(
      `Found ID "${systemId}" from a system table, which does not match the table name in validator \`v.id("users")\`.Path: .u`,
    );
  });

  test("that are none, or of no table, do not match", () => {
    for (const id of ["nope", unknownId]) {
      expect(problem(v.id("users"), id)).toBe(
        `Value does not match validator.\n\nValue: "${id}"\nValidator: v.id("users")`,
      );
    }
    expect(problem(v.id("users"), 7)).toBe(
      'Value does not match validator.\n\nValue: 7.0\nValidator: v.id("users")',
    );
  });
});

test("values print as Rust prints them", () => {
  const value = {
    z: [1, -0.5, 1e15, 1e16, 123456789012345680000, 0.0001, 0.00001, 1.5e-7],
    nan: convexToJson(NaN),
    inf: [convexToJson(Infinity), convexToJson(-Infinity), convexToJson(-0)],
    int: int64Json(-7n),
    at: { $commitTs: null },
    bytes: { $bytes: "AAE=" },
    text: "a\"b\\c'd\n\r\t\0\x01é\u0301\u200b 😀\ud800",
    none: null,
    yes: true,
  };
  expect(problem(v.string(), value)).toBe(
    "Value does not match validator.\n\nValue: {" +
      'at: 9223372036854775807, bytes: b"AAE=", inf: [inf, -inf, -0.0], int: -7, nan: NaN, none: null, ' +
      'text: "a\\"b\\\\c\'d\\n\\r\\t\\0\\u{1}é\\u{301}\\u{200b} 😀\\u{d800}", yes: true, ' +
      "z: [1.0, -0.5, 1000000000000000.0, 1e16, 1.2345678901234568e20, 0.0001, 1e-5, 1.5e-7]" +
      "}\nValidator: v.string()",
  );
});

test("validators print as Convex prints them", () => {
  const validator = v.object({
    z: v.array(v.union(v.int64(), v.bytes(), v.boolean(), v.null(), v.any())),
    r: v.record(v.string(), v.number()),
    c: v.commitTs(),
    l: v.union(v.literal(0.00001), v.literal(1e16), v.literal('q"'), v.literal(-0)),
    o: v.optional(v.id("users")),
  });
  expect(problem(validator, 1)).toContain(
    "Validator: v.object({c: v.commitTs(), " +
      'l: v.union(v.literal(0.00001), v.literal(1e16), v.literal("q\\""), v.literal(-0.0)), ' +
      'o: v.optional(v.id("users")), r: v.record(v.string(), v.float64()), ' +
      "z: v.array(v.union(v.int64(), v.bytes(), v.boolean(), v.null(), v.any()))})",
  );
});

test("an encoding is not an object of fields", () => {
  for (const encoded of [int64Json(1n), { $bytes: "" }, convexToJson(NaN), { $commitTs: null }]) {
    expect(problem(v.object({}), encoded)).toContain("Value does not match validator.");
    expect(problem(v.record(v.string(), v.any()), encoded)).toContain("Value does not match validator.");
  }
  expect(problem(v.int64(), { $commitTs: null })).toBeNull();
  expect(problem(v.commitTs(), int64Json(1n))).toBeNull();
  expect(problem(v.number(), convexToJson(NaN))).toBeNull();
});

test("fields may have the names of what every JavaScript object inherits", () => {
  const required = v.object({ constructor: v.any() });
  expect(problem(required, {})).toContain("missing the required field `constructor`");
  expect(problem(required, { constructor: 1 })).toBeNull();
  expect(problem(v.object({ toString: v.optional(v.any()) }), {})).toBeNull();
  expect(problem(v.object({}), { constructor: 1 })).toContain("extra field `constructor`");
});

test("a table made after compiling counts", () => {
  const names: Record<number, string> = {};
  const check = compileValidator(jsonOf(v.id("users")), { tableName: (tableNumber) => names[tableNumber] });
  expect(check(userId)).not.toBeNull();
  names[10001] = "users";
  expect(check(userId)).toBeNull();
});

test.each<[unknown, string]>([
  [{ type: "nonsense" }, 'Unknown validator type "nonsense"'],
  [{ type: "id", tableName: "a-b" }, "Identifier a-b has invalid character '-'"],
  [{ type: "literal", value: null }, "Value null is not a valid literal."],
  [
    { type: "record", keys: { type: "number" }, values: { fieldType: { type: "any" }, optional: false } },
    "Records can only have string keys. Your validator contains a record with key typed as `v.float64()`, which is not a subtype of `v.string()`",
  ],
  [
    {
      type: "record",
      keys: { type: "literal", value: "a" },
      values: { fieldType: { type: "any" }, optional: false },
    },
    "Records cannot have string literal keys",
  ],
  [
    { type: "record", keys: { type: "string" }, values: { fieldType: { type: "any" }, optional: true } },
    "Records cannot have optional values",
  ],
  [
    {
      type: "array",
      value: { type: "object", value: { a: { fieldType: { type: "nope" }, optional: false } } },
    },
    'Invalid validator for key `a`: Unknown validator type "nope"',
  ],
])("a validator that Convex would not deploy is rejected (%#)", (json, message) => {
  expect(() => compileValidator(json as ValidatorJSON, tables)).toThrow(message);
});

const literal = fc.constantFrom<string | number | bigint | boolean>("", "a", "ab", 0, 1, 5n, 0n, true, false);

const validators = fc.letrec<{ validator: GenericValidator }>((tie) => ({
  validator: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<GenericValidator>(
      v.null(),
      v.number(),
      v.int64(),
      v.boolean(),
      v.string(),
      v.bytes(),
      v.any(),
    ),
    literal.map((value) => v.literal(value)),
    tie("validator").map((element) => v.array(element as never)),
    fc.array(tie("validator"), { maxLength: 3 }).map((members) => v.union(...(members as never[]))),
    fc
      .dictionary(
        fc.constantFrom("a", "b", "c", "constructor"),
        fc
          .tuple(tie("validator"), fc.boolean())
          .map(([field, optional]) => (optional ? v.optional(field as never) : field)),
        { maxKeys: 3, noNullPrototype: true },
      )
      .map((fields) => v.object(fields as never)),
    tie("validator").map((value) => v.record(v.string(), value as never)),
  ),
})).validator;

/** Values that are likely to match some of the validators above. */
const values = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<Value>(null, 0, 1, NaN, "a", "ab", 5n, 0n, true, false, new ArrayBuffer(1)),
    fc.array(tie("value"), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom("a", "b", "c", "constructor"), tie("value"), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
    convexValue,
  ),
})).value;

/** The library takes lists and bytes for records, because JavaScript calls them objects; Convex does not. */
function mistakesRecords(validator: GenericValidator, value: Value): boolean {
  const text = JSON.stringify(convexToJson(value));
  return (
    JSON.stringify(jsonOf(validator)).includes('"record"') && (text.includes("[") || text.includes("$bytes"))
  );
}

/** The library takes -0 for the literal 0; Convex orders, and so distinguishes, the two. */
function holdsNegativeZero(value: Value): boolean {
  return JSON.stringify(convexToJson(value)).includes("AAAAAAAAAIA=");
}

/** The library takes inherited members for fields; a test above shows that we do not. */
function usesInheritedName(validator: GenericValidator, value: Value): boolean {
  return /"(constructor|toString)":/.test(JSON.stringify([jsonOf(validator), convexToJson(value)]));
}

test("agrees with validate of convex-helpers on what matches, and always explains what does not", () => {
  const accepted = { yes: 0, no: 0 };
  fc.assert(
    fc.property(validators, values, (validator, value) => {
      const json = convexToJson(value);
      const found = problem(validator, json);
      accepted[found === null ? "yes" : "no"]++;
      if (mistakesRecords(validator, value) || usesInheritedName(validator, value)) return;
      if (holdsNegativeZero(value)) return;
      expect(found === null).toBe(validateWithHelpers(validator as never, jsonToConvex(json)));
    }),
    { numRuns: 5000 },
  );
  expect(Math.min(accepted.yes, accepted.no)).toBeGreaterThan(100);
});
