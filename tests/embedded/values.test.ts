import {
  compareValues,
  convexToJson,
  getConvexSize,
  getDocumentSize,
  jsonToConvex,
  type Value,
} from "convex/values";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fieldAt, identifierProblem } from "../../embedded/values/fields";
import { decodeId, encodeId, idProblem, newId, normalizeId, tableNumberOf } from "../../embedded/values/ids";
import { checkValue, int64Json, kindOf, toCleanJson, type Json } from "../../embedded/values/json";
import { compareJson, encodeKey, encodeKeyPart, keySuccessor } from "../../embedded/values/keyEncoding";
import { documentSize, formatBytes, sizeOf } from "../../embedded/values/size";
import { convexValue } from "./arbitraryValues";

const optionalValue = fc.option(convexValue, { nil: undefined });

function toJson(value: Value | undefined): Json | undefined {
  return value === undefined ? undefined : convexToJson(value);
}

describe("keys", () => {
  test("order as compareValues of the convex package orders their values", () => {
    fc.assert(
      fc.property(optionalValue, optionalValue, (a, b) => {
        const expected = Math.sign(compareValues(a, b));
        const [x, y] = [encodeKeyPart(toJson(a)), encodeKeyPart(toJson(b))];
        expect(x < y ? -1 : x > y ? 1 : 0).toBe(expected);
        expect(Math.sign(compareJson(toJson(a), toJson(b)))).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  test("order as the tuples of their parts, also when one tuple begins another", () => {
    const tuple = fc.array(optionalValue, { maxLength: 3 });
    fc.assert(
      fc.property(tuple, tuple, (a, b) => {
        let expected = 0;
        for (let i = 0; i < Math.min(a.length, b.length) && expected === 0; i++) {
          expected = Math.sign(compareValues(a[i], b[i]));
        }
        if (expected === 0) expected = Math.sign(a.length - b.length);
        const [x, y] = [encodeKey(a.map(toJson)), encodeKey(b.map(toJson))];
        expect(x < y ? -1 : x > y ? 1 : 0).toBe(expected);
      }),
    );
  });

  test("are binary strings, and those with a prefix lie between it and its successor", () => {
    fc.assert(
      fc.property(optionalValue, optionalValue, (a, b) => {
        const prefix = encodeKey([toJson(a)]);
        const key = encodeKey([toJson(a), toJson(b)]);
        expect(/^[\0-\xff]*$/.test(key)).toBe(true);
        expect(key.startsWith(prefix)).toBe(true);
        expect(key < keySuccessor(prefix)).toBe(true);
      }),
    );
    expect(keySuccessor("a\xff\xff")).toBe("b");
    expect(() => keySuccessor("\xff")).toThrow(RangeError);
  });

  test("have the bytes that Convex sorts by", () => {
    const hex = (part: Json | undefined) => Buffer.from(encodeKeyPart(part), "latin1").toString("hex");
    expect(hex(undefined)).toBe("01");
    expect(hex(null)).toBe("03");
    expect(hex(int64Json(0n))).toBe("08");
    expect(hex(int64Json(-1n))).toBe("07ff");
    expect(hex(int64Json(-129n))).toBe("06ff7f");
    expect(hex(int64Json(40000n))).toBe("0b00009c40");
    expect(hex(int64Json(2n ** 31n))).toBe("0c0000000080000000");
    expect(hex(1)).toBe("0dbff0000000000000");
    expect(hex(-1)).toBe("0d400fffffffffffff");
    expect(hex("a\0b")).toBe("106100ff6200");
    expect(hex({ $bytes: "AAE=" })).toBe("1100ff0100");
    expect(hex([true, false])).toBe("120f0e00");
    expect(hex({ b: null, "": null })).toBe("1500ff0362000300");
  });

  test("take a bare -0 for 0, as JSON writes it, and tell lone surrogates apart", () => {
    expect(encodeKeyPart(-0)).toBe(encodeKeyPart(0));
    expect(encodeKeyPart("\ud800")).not.toBe(encodeKeyPart("\ufffd"));
    expect(encodeKeyPart("a\ud800b") < encodeKeyPart("a\ue000")).toBe(true);
  });

  test("order an unresolved commit timestamp after every int64", () => {
    expect(compareJson({ $commitTs: null }, int64Json(2n ** 63n - 2n))).toBe(1);
    expect(compareJson({ $commitTs: null }, 0)).toBe(-1);
  });
});

describe("checkValue", () => {
  test("accepts what convexToJson writes", () => {
    fc.assert(
      fc.property(convexValue, (value) => {
        const json = convexToJson(value);
        checkValue(json);
        expect(compareValues(jsonToConvex(json), value)).toBe(0);
      }),
    );
  });

  test.each<[unknown, string]>([
    [{ $a: 1 }, "Field name $a starts with '$', which is reserved."],
    [{ a: 1, $integer: "AAAAAAAAAAA=" }, "Field name $integer starts with '$', which is reserved."],
    [{ $commitTs: null }, "Field name $commitTs starts with '$', which is reserved."],
    [
      { ñ: 1 },
      "Field name ñ has invalid character 'ñ': Field names can only contain non-control ASCII characters",
    ],
    [{ ["x".repeat(1025)]: 1 }, "Field name is too long (1025 > maximum 1024)"],
    [{ $integer: "AAAA" }, "Int64 must be exactly eight bytes"],
    [{ $integer: 5 }, "Malformed $integer field: expected a base64 string"],
    [{ $bytes: "AAE" }, "Malformed $bytes field: expected a base64 string"],
    [{ $bytes: "AAF=" }, "Malformed $bytes field: expected a base64 string"],
    [{ $float: "AAAA" }, "Float64 must be exactly eight bytes"],
    [convexFloat(1.5), "Float64 1.5 should be encoded as a number"],
    [convexFloat(0), "Float64 0 should be encoded as a number"],
    [Infinity, "Float64 Infinity should be encoded as a $float"],
    [[undefined], "undefined is not a supported Convex type."],
    [Array(8193).fill(0), "Array length is too long (8193 > maximum length 8192)"],
    [
      Object.fromEntries(Array.from({ length: 1025 }, (_, i) => [`f${i}`, 0])),
      "Object has too many fields (1025 > maximum number 1024)",
    ],
    [nested(65), "Value is too nested (nested 65 levels deep > maximum nesting 64)"],
    [nested(5000), "Value is too nested (nested 65 levels deep > maximum nesting 64)"],
    ["x".repeat(33 * 1024 * 1024 + 500_000), "Value is too large (33.48 MiB > maximum size 32 MiB)"],
  ])("rejects an illegal value with Convex's message (%#)", (json, message) => {
    expect(() => checkValue(json as Json)).toThrow(new Error(message));
  });

  test("accepts values at the limits, and a commit timestamp where it may stand", () => {
    for (const json of [nested(64), Array(8192).fill(0), { ["x".repeat(1024)]: 1 }] as Json[]) {
      expect(() => checkValue(json)).not.toThrow();
    }
    expect(() => checkValue({ at: { $commitTs: null } }, { allowCommitTs: true })).not.toThrow();
  });
});

function convexFloat(value: number): Json {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return { $float: bytes.toString("base64") };
}

function nested(levels: number): Json {
  let json: Json = 1;
  for (let i = 0; i < levels; i++) json = i % 2 === 0 ? [json] : { a: json };
  return json;
}

test("the clean format writes int64s, bytes and special floats as strings", () => {
  const value = {
    i: -5n,
    b: new Uint8Array([1, 2]).buffer,
    nan: NaN,
    inf: -Infinity,
    list: [1n, 2.5],
    plain: "x",
  };
  expect(toCleanJson(convexToJson(value))).toEqual({
    i: "-5",
    b: "AQI=",
    nan: "NaN",
    inf: "-Infinity",
    list: ["1", 2.5],
    plain: "x",
  });
  expect(toCleanJson(convexToJson(-0))).toBe(-0);
});

test("a field named __proto__ is a field like others", () => {
  const json = JSON.parse('{"__proto__": {"$integer": "AQAAAAAAAAA="}, "a": 1}') as Json;
  checkValue(json);
  expect(JSON.stringify(toCleanJson(json))).toBe('{"__proto__":"1","a":1}');
  expect(fieldAt({}, "__proto__")).toBeUndefined();
  expect(fieldAt({}, "constructor")).toBeUndefined();
});

describe("sizes", () => {
  test("agree with getConvexSize and getDocumentSize", () => {
    fc.assert(
      fc.property(convexValue, (value) => {
        expect(sizeOf(convexToJson(value))).toBe(getConvexSize(value));
        if (kindOf(convexToJson(value)) !== "object") return;
        const document = value as Record<string, Value>;
        expect(documentSize(convexToJson(value) as { [key: string]: Json })).toBe(getDocumentSize(document));
      }),
    );
    const text = "é".repeat(100);
    expect(sizeOf(text)).toBe(202);
    expect(documentSize({ _id: "x", _creationTime: 1 })).toBe(
      getDocumentSize({ _id: "x", _creationTime: 1 }),
    );
  });

  test("print with binary units", () => {
    expect([0, 1023, 1024, 1536, 1 << 20, 33_554_433].map(formatBytes)).toEqual([
      "0 B",
      "1023 B",
      "1 KiB",
      "1.50 KiB",
      "1 MiB",
      "32.00 MiB",
    ]);
  });
});

describe("ids", () => {
  // Ids that Convex made.
  test.each([
    ["kg25efbgcywfzkr6h78cjw1pzx85r2ha", 540, "573d7067b8ffcf0689d0c97036ff505c"],
    ["kg204m40v9m1bmkthp86n486mh85s0rc", 540, "025080da6815d27a8d906a9106a4505c"],
    ["kg27rxfv99gzp01wmph0gvt92d6hnvy6", 540, "7c75fb4a61fb003ca5a2086f49134d1a"],
    ["m57068j1c1zsxfewzcd3jp3qjttx99vg", 10017, "032241607f9ebddcfb1a39587796b5d4"],
    ["k570e9j5cj1t5gf0zwf3tq3vkawxhqr0", 10009, "0726456483a2c1e0ff1e3d5c7b9ab9d8"],
  ])("of Convex are read and written: %s", (id, tableNumber, internalId) => {
    const bytes = Buffer.from(internalId, "hex").toString("latin1");
    expect(decodeId(id)).toMatchObject({ tableNumber, internalId: bytes });
    expect(encodeId(tableNumber, bytes)).toBe(id);
    expect(idProblem(id)).toBeNull();
  });

  const internalId = fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((bytes) => Buffer.from(bytes).toString("latin1"));
  const tableNumber = fc.oneof(
    fc.constantFrom(1, 127, 128, 16383, 16384, 2 ** 21 - 1, 2 ** 21, 2 ** 28 - 1, 2 ** 28, 2 ** 32 - 1),
    fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  );

  test("come back from their text for every table number", () => {
    fc.assert(
      fc.property(tableNumber, internalId, (table, internal) => {
        const id = encodeId(table, internal);
        expect(id.length >= 31 && id.length <= 37).toBe(true);
        expect(decodeId(id)).toMatchObject({ tableNumber: table, internalId: internal });
      }),
    );
    expect(() => encodeId(0, "\0".repeat(16))).toThrow(RangeError);
  });

  test("have one text each: whatever decodes is what encodes to it", () => {
    const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    const replaced = fc
      .tuple(tableNumber, internalId, fc.nat(36), fc.constantFrom(...Array.from(alphabet), "l", "A", "é", ""))
      .map(([table, internal, position, character]) => {
        const id = encodeId(table, internal);
        return id.slice(0, position) + character + id.slice(position + 1);
      });
    // Random bytes with a good checksum: long forms of table numbers, bytes left over, bits set in the padding.
    const checksummed = fc
      .tuple(
        fc.uint8Array({ minLength: 15, maxLength: 23 }),
        fc.constantFrom([], [0x80, 0], [0x80], [0x81, 0x80, 0x80, 0x80, 0x10], [0]),
        fc.nat(31),
      )
      .map(([rest, head, padding]) => {
        const body = [...head, ...rest];
        let [low, high] = [0, 0];
        for (const byte of body) high += low += byte;
        return base32([...body, low & 0xff, high & 0xff], alphabet, padding);
      });
    fc.assert(
      fc.property(fc.oneof(replaced, checksummed), (text) => {
        const decoded = decodeId(text);
        expect(decoded === null || encodeId(decoded.tableNumber, decoded.internalId) === text).toBe(true);
        expect(idProblem(text) === null).toBe(decoded !== null);
      }),
      { numRuns: 2000 },
    );
  });

  test("say what is wrong with a text in Convex's words", () => {
    expect(idProblem("foo")).toBe("Unable to decode ID: Invalid ID length 3");
    expect(idProblem("kg25efbgcywfzkr6h78cjw1pzx85r2hU")).toBe("Unable to decode ID: ID wasn't valid base32");
    expect(idProblem("é".repeat(32))).toBe("Unable to decode ID: Invalid ID length 64");
    expect(idProblem("kg25efbgcywfzkr6h78cjw1pzx85r2hb")).toMatch(
      /^Unable to decode ID: Invalid ID version \d+ \(expected \d+\)$/,
    );
    expect(idProblem("0".repeat(32))).toBe("Unable to decode ID: Invalid table number");
  });

  test("are new each time, of their table, and in the order of their times", () => {
    const times = [0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, Date.now(), Date.now() + 1, 2 ** 47];
    const ids = times.map((time) => newId(10001, time).id);
    expect(ids.toSorted()).toEqual(ids);
    expect(ids.every((id) => id.length === 32 && tableNumberOf(id) === 10001)).toBe(true);
    const many = Array.from({ length: 5000 }, () => newId(10001, 1_763_700_000_123.9).id);
    expect(new Set(many).size).toBe(5000);
    const view = Buffer.from(decodeId(many[0] as string)?.internalId ?? "", "latin1");
    expect(view.readUIntBE(0, 6)).toBe(1_763_700_000_123);
    expect(view.readUInt16BE(14)).toBe(Math.floor(1_763_700_000_123 / 86_400_000));
  });

  test("normalize to the id itself, from an internal id alone, or to null", () => {
    const id = "kg25efbgcywfzkr6h78cjw1pzx85r2ha";
    const bytes = Buffer.from(decodeId(id)?.internalId ?? "", "latin1");
    expect(normalizeId(540, id)).toBe(id);
    expect(normalizeId(541, id)).toBeNull();
    expect(normalizeId(540, bytes.toString("base64url"))).toBe(id);
    expect(normalizeId(540, "not an id")).toBeNull();
    expect(normalizeId(540, "~".repeat(22))).toBeNull();
  });
});

function base32(bytes: number[], alphabet: string, padding: number): string {
  const bits = bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const missing = (5 - (bits.length % 5)) % 5;
  const padded =
    bits +
    padding
      .toString(2)
      .padStart(5, "0")
      .slice(5 - missing);
  return (padded.match(/.{5}/g) ?? []).map((five) => alphabet[Number.parseInt(five, 2)]).join("");
}

test("fieldAt follows a path through objects only", () => {
  const document = { a: { b: { c: 1 }, "": 2 }, list: [{ a: 1 }], n: int64Json(1n), f: null };
  expect(fieldAt(document, "a.b.c")).toBe(1);
  expect(fieldAt(document, "a.b")).toEqual({ c: 1 });
  expect(fieldAt(document, "f")).toBeNull();
  for (const path of ["x", "a.x", "f.x", "list.0", "list.length", "n.$integer", "a.b.c.d"]) {
    expect(fieldAt(document, path)).toBeUndefined();
  }
});

test("identifiers are letters, digits and underscores, and Convex says what else they are", () => {
  for (const good of ["a", "_a", "A1_", "x".repeat(64)]) expect(identifierProblem(good)).toBeNull();
  expect(identifierProblem("")).toBe("Identifier cannot be empty");
  expect(identifierProblem("1a")).toMatch("Invalid first character '1' in 1a");
  expect(identifierProblem("a-b")).toMatch("Identifier a-b has invalid character '-'");
  expect(identifierProblem("__")).toBe("Identifier __ cannot have exclusively underscores");
  expect(identifierProblem("x".repeat(65))).toBe("Identifier is too long (65 > maximum 64)");
});
