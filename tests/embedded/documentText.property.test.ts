import { convexToJson, v, type GenericValidator, type Value, type ValidatorJSON } from "convex/values";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { Schema } from "../../embedded/functions/schema";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import { Database } from "../../embedded/transaction/database";
import { DocumentFields } from "../../embedded/transaction/documentText";
import { DeveloperError } from "../../embedded/transaction/errors";
import { IndexBuild } from "../../embedded/transaction/indexBuild";
import { MAX_DOCUMENT_BYTES } from "../../embedded/transaction/documentValue";
import { Transaction, type DocumentRules } from "../../embedded/transaction/transaction";
import { decodeId, newId } from "../../embedded/values/ids";
import type { Json, JsonObject } from "../../embedded/values/json";
import { convexValue } from "./arbitraryValues";

type Step =
  | { readonly kind: "insert"; readonly value: JsonObject }
  | { readonly kind: "patch"; readonly value: JsonObject }
  | { readonly kind: "replace"; readonly value: JsonObject };

/** What a table's documents are, and steps that write some. */
type Story = { readonly documentType: ValidatorJSON; readonly steps: readonly Step[] };

const NOW = 1_763_700_000_000;
const FIRST_TABLE = 10_001;

afterEach(() => vi.restoreAllMocks());

test("writes usual documents in one walk as it writes those that it looks at closely", async () => {
  vi.spyOn(Date, "now").mockReturnValue(NOW);
  const textOf = vi.spyOn(DocumentFields.prototype, "textOf");
  const outcomes = { written: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(story, async ({ documentType, steps }) => {
      const quick = await play(documentType, steps, (schema) => schema);
      const close = await play(documentType, steps, closely);
      expect(quick).toEqual(close);
      for (const outcome of quick.outcomes) outcomes["problem" in outcome ? "refused" : "written"]++;
    }),
    { numRuns: 1500 },
  );
  const found = textOf.mock.results.filter(({ value }) => value !== null).length;
  expect(Math.min(found, textOf.mock.results.length - found)).toBeGreaterThan(500);
  expect(Math.min(outcomes.written, outcomes.refused)).toBeGreaterThan(500);
});

test("refuses or writes odd values, wherever they are, as it does when it looks at them closely", async () => {
  vi.spyOn(Date, "now").mockReturnValue(NOW);
  const anything: readonly (readonly [GenericValidator, (odd: Json) => Json])[] = [
    [v.any(), (odd) => odd],
    [v.array(v.any()), (odd) => [odd]],
    [v.object({ x: v.any() }), (x) => ({ x })],
    [v.record(v.string(), v.any()), (x) => ({ x })],
    [v.union(v.null(), v.array(v.array(v.any()))), (odd) => [[odd]]],
  ];
  for (const [validator, wrapped] of anything) {
    const documentType = { type: "object", value: { a: field(validator) } } as ValidatorJSON;
    const steps = ODD_JSON.map((odd): Step => ({ kind: "insert", value: { a: wrapped(odd) } }));
    const quick = await play(documentType, steps, (schema) => schema);
    expect(quick).toEqual(await play(documentType, steps, closely));
    expect(new Set(quick.outcomes.map((outcome) => "problem" in outcome)).size).toBe(2);
  }
});

test("a document may be as large as it may be however it is written, and no larger", async () => {
  const documentType = { type: "object", value: { text: field(v.string()) } } as ValidatorJSON;
  const steps = [-73, -72, -71, -70, -69, -68].map((difference): Step => {
    return { kind: "insert", value: { text: "x".repeat(MAX_DOCUMENT_BYTES + difference) } };
  });
  const { outcomes } = await play(documentType, steps, (schema) => schema);
  const problems = outcomes.map((outcome) => ("problem" in outcome ? outcome.problem : null));
  const tooLarge = "Value is too large (1.00 MiB > maximum size 1 MiB)";
  expect(problems).toEqual([null, null, null, null, tooLarge, tooLarge]);
});

test.each<[what: string, validator: GenericValidator, wrap: (inner: Json) => Json]>([
  ["anything", v.any(), (inner) => [inner]],
  ["lists", wrapped(20, (inner) => v.union(v.null(), v.array(inner))), (inner) => [inner]],
  ["objects", wrapped(20, (inner) => v.union(v.null(), v.object({ inner }))), (inner) => ({ inner })],
])("a document of %s is nested no more than 16 levels, however it is written", async (_, validator, wrap) => {
  const documentType = { type: "object", value: { a: field(validator) } } as ValidatorJSON;
  const valueOf = (levels: number): Json => (levels === 0 ? null : wrap(valueOf(levels - 1)));
  const steps = (["insert", "patch", "replace"] as const).flatMap((kind) =>
    [15, 16].map((levels): Step => ({ kind, value: { a: valueOf(levels) } })),
  );
  const { outcomes } = await play(documentType, steps, (schema) => schema);
  const problem = "Document is too nested (nested 17 levels deep > maximum nesting 16)";
  const expected = { document: expect.any(String) as string };
  expect(outcomes).toEqual(steps.map((_step, i) => (i % 2 === 0 ? expected : { problem })));
});

function wrapped(levels: number, wrap: (inner: GenericValidator) => GenericValidator): GenericValidator {
  return levels === 0 ? v.null() : wrap(wrapped(levels - 1, wrap));
}

/** A schema that knows nothing of fields. */
function closely(schema: Schema): DocumentRules {
  return { check: (table, value) => schema.check(table, value), fields: () => undefined };
}

type Outcome = { readonly document: string } | { readonly problem: string };

/** Does the steps and tells what came of them, but for the random parts of ids. Patches and replacements are of the document before. */
async function play(
  documentType: ValidatorJSON,
  steps: readonly Step[],
  rulesOf: (schema: Schema) => DocumentRules,
) {
  const database = await Database.open(new MemoryStore());
  const tables = { tableName: (number: number) => database.catalog.tableName("", number) };
  const indexes = [["a"], ["b", "a"], ["d.x", "c"], ["h"]].map((fields, i) => ({
    indexDescriptor: `by_${i}`,
    fields,
  }));
  const schema = new Schema(
    JSON.stringify({ tables: [{ tableName: "items", indexes, documentType }], schemaValidation: true }),
    tables,
  );
  const build = new IndexBuild(database, new Map([["", schema.indexes]]), new Map());
  await build.done;
  await build.finish([]);

  const transaction = new Transaction(database, rulesOf(schema), "");
  const ids: string[] = [];
  const outcomes = steps.map(({ kind, value }): Outcome => {
    const id = ids.at(-1) ?? newId(FIRST_TABLE, NOW).id;
    const where = { operation: "db.patch", system: false } as const;
    try {
      if (kind === "insert") ids.push(transaction.insert("items", value));
      else if (kind === "patch") transaction.patch(id, withId(value, id), where);
      else transaction.replace(id, withId(value, id), where);
      const document = transaction.get(ids.at(-1) as string, { operation: "db.get", system: false });
      return { document: withoutIds(document?.text ?? "none", ids) };
    } catch (error) {
      if (!(error instanceof DeveloperError)) throw error;
      return { problem: withoutIds(error.message, [...ids, id]) };
    }
  });
  const usage = transaction.usage.report();
  const touched: string[] = [];
  database.onCommit(({ all }) => touched.push(...all));
  transaction.commit();
  const entries = database.take("\x02", "\x04", "asc", Infinity);
  return {
    outcomes,
    usage,
    touched: touched.map((key) => withoutIds(key, ids)).sort(),
    entries: entries.map((entry) => entry.map((part) => withoutIds(part, ids)).join()).sort(),
  };
}

/** Some changes repeat the document's id. */
function withId(value: JsonObject, id: string): JsonObject {
  return value["_id"] === OWN_ID ? { ...value, _id: id } : value;
}

const OWN_ID = "its own";

/** Puts their places in the places of ids. */
function withoutIds(text: string, ids: readonly string[]): string {
  return ids.reduce((rest, id, i) => {
    const internalId = decodeId(id)?.internalId ?? "";
    return rest.replaceAll(id, `id ${i}`).replaceAll(internalId, `internal id ${i}`);
  }, text);
}

function field(validator: GenericValidator, isOptional = false) {
  return { fieldType: (validator as unknown as { json: ValidatorJSON }).json, optional: isOptional };
}

const someId = newId(FIRST_TABLE, NOW).id;

const text = fc.oneof(
  convexValue.filter((value) => typeof value === "string"),
  fc.constantFrom(
    "plain",
    'a "quoted" one',
    "a\\b",
    "\u2028",
    "\ud800",
    "x".repeat(64),
    "x".repeat(65),
    "é".repeat(60),
  ),
);
const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, NaN, 1e21, 5e-324));

/** Validators with values that match. */
const kinds: readonly (readonly [GenericValidator, fc.Arbitrary<Value | undefined>])[] = [
  [v.string(), text],
  [v.number(), number],
  [v.boolean(), fc.boolean()],
  [v.null(), fc.constant(null)],
  [v.int64(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  [v.bytes(), fc.uint8Array({ maxLength: 4 }).map((bytes) => bytes.slice().buffer)],
  [v.id("items"), fc.constantFrom(someId, someId, "no id")],
  [v.union(v.literal("one"), v.literal("two"), v.literal(3)), fc.constantFrom<Value>("one", "two", 3)],
  [
    v.union(v.string(), v.object({ x: v.number() }), v.null()),
    fc.oneof(
      text,
      number.map((x) => ({ x })),
    ),
  ],
  [
    v.object({ x: v.number(), y: v.optional(v.string()) }),
    fc.record({ x: number, y: fc.option(text, { nil: undefined }) }),
  ],
  [
    v.array(v.object({ x: v.string() })),
    fc.array(
      text.map((x) => ({ x })),
      { maxLength: 3 },
    ),
  ],
  [
    v.record(v.string(), v.any()),
    fc.dictionary(fc.constantFrom("k", "l"), convexValue, { noNullPrototype: true }),
  ],
  [v.any(), convexValue],
];

/** What no function can hand over, or seldom does. */
const ODD_JSON: readonly Json[] = [
  { $integer: "AA==" },
  { $float: "AAAAAAAA8D8=" },
  { $commitTs: null },
  { in: [{ $commitTs: null }] },
  { y: "not", x: "in order" },
  { é: 1 },
  { $what: 1 },
  { _hidden: 1 },
  ...[12, 13, 14, 15, 16, 63, 64].map((depth) => JSON.parse("[".repeat(depth) + "]".repeat(depth)) as Json),
  Array.from({ length: 8193 }, () => null),
  "x".repeat(MAX_DOCUMENT_BYTES),
  { $undefined: null },
];
const json = (value: fc.Arbitrary<Value | undefined>) =>
  value.map((made) => (made === undefined ? undefined : (convexToJson(made) as Json)));
const anyJson = fc.oneof(
  { weight: 3, arbitrary: json(convexValue) },
  { weight: 1, arbitrary: fc.constantFrom(...ODD_JSON) },
);

type ArbitraryField = { name: string; rule: ReturnType<typeof field>; value: fc.Arbitrary<Json | undefined> };

const names = ["a", "b", "c", "d", "e", "f", "constructor", "h", "Capital", "_low"];

const arbitraryField: fc.Arbitrary<ArbitraryField> = fc
  .tuple(
    fc.oneof(
      { weight: 30, arbitrary: fc.constantFrom(...names.slice(0, 8)) },
      { weight: 1, arbitrary: fc.constantFrom(...names) },
    ),
    fc.constantFrom(...kinds),
    fc.boolean(),
  )
  .map(([name, [validator, value], isOptional]) => ({
    name,
    rule: field(validator, isOptional),
    value: json(value),
  }));

function documentOf(fields: readonly ArbitraryField[], keep: number): fc.Arbitrary<JsonObject> {
  const values = fields.map(({ name, value }) =>
    fc
      .oneof(
        { weight: keep, arbitrary: value },
        { weight: 2, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: anyJson },
      )
      .map((made) => [name, made] as const),
  );
  const extra = fc.oneof(
    { weight: 30, arbitrary: fc.constant([] as [string, Json | undefined][]) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom(...names, "_id", "$x", "é"), anyJson).map((one) => [one]),
    },
    { weight: 1, arbitrary: fc.constant([["_id", OWN_ID] as [string, Json]]) },
  );
  return fc.tuple(fc.tuple(...values), extra, fc.nat(20)).map(([made, more, shuffled]) => {
    const entries = [...made, ...more].filter((entry): entry is [string, Json] => entry[1] !== undefined);
    if (shuffled > 0) entries.sort(([one], [other]) => (one < other ? -1 : 1));
    return Object.fromEntries(entries);
  });
}

const story: fc.Arbitrary<Story> = fc
  .uniqueArray(arbitraryField, { selector: ({ name }) => name, minLength: 1, maxLength: 6 })
  .chain((fields) => {
    const value = Object.fromEntries(fields.map(({ name, rule }) => [name, rule]));
    const whole = documentOf(fields, 40);
    const insert = fc.record({ kind: fc.constant("insert" as const), value: whole });
    const change = fc.oneof(
      fc.record({ kind: fc.constant("patch" as const), value: documentOf(fields, 4) }),
      fc.record({ kind: fc.constant("replace" as const), value: whole }),
    );
    return fc.record({
      documentType: fc.constant({ type: "object", value } as ValidatorJSON),
      steps: fc
        .tuple(insert, fc.array(fc.oneof(insert, change), { maxLength: 3 }))
        .map(([first, rest]): Step[] => [first, ...rest]),
    });
  });
