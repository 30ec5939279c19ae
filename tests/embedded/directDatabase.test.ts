/** `ctx.db` without JSON text (directDatabase.js) beside the convex package's own, which makes a text of all it asks for. */
import type { Value } from "convex/values";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import type { Json } from "../../embedded/values/json";
import { startRuntime, type TestRuntime } from "./harness";

let runtimes: TestRuntime[] = [];

afterEach(() => {
  expect(runtimes.flatMap(({ faults }) => faults)).toEqual([]);
  runtimes = [];
});

async function start(options: Parameters<typeof startRuntime>[1] = {}): Promise<TestRuntime> {
  const runtime = await startRuntime(new MemoryStore(), options);
  runtimes.push(runtime);
  return runtime;
}

/** What comes of a probe on an app of its own, without the parts that differ from run to run. */
async function outcomeOf(name: string, byText: boolean): Promise<string> {
  const outcome = await (await start({ byText })).outcome("mutation", "probes:probe", { name });
  const { message = "", data = null } = outcome.ok ? {} : outcome.failure;
  const text = JSON.stringify([outcome.ok && (JSON.parse(outcome.value) as Json), message, data]);
  return text.replaceAll(/[0-9a-z]{32}/g, "<id>").replaceAll(/("_creationTime":)[\d.]+/g, "$1<time>");
}

describe("what an app sees of its database", async () => {
  const names = await (await startRuntime()).query<string[]>("probes:names");
  test.each(names)("is the same with and without text between it and the runtime (%s)", async (name) => {
    expect(await outcomeOf(name, false)).toEqual(await outcomeOf(name, true));
  });
});

test("no text is made for what is plain", async () => {
  const counted = await (await start()).mutation<{ texts: number }>("probes:countTexts");
  const withText = await (await start({ byText: true })).mutation<{ texts: number }>("probes:countTexts");
  expect(counted.texts).toBe(0);
  expect(withText.texts).toBeGreaterThan(0);
});

/** Names that would end a string, a bracket or a comment, are numbers, or stand for something else in an object. */
const name = fc.oneof(
  fc.constantFrom('"', '"]', "\\", "`${", "*/", "0", "constructor", "toString", "length", "of", "copy"),
  fc.string({ minLength: 1, maxLength: 4 }).filter((text) => /^[^$_][\x20-\x7e]*$/.test(text)),
);
const value = fc.letrec<{ any: Value; object: Record<string, Value> }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    fc.oneof(fc.string(), fc.boolean(), fc.integer(), fc.constant(null), fc.constant("$"), fc.bigInt(0n, 9n)),
    fc.array(tie("any"), { maxLength: 3 }),
    tie("object"),
  ),
  object: fc.dictionary(name, tie("any"), { maxKeys: 5, noNullPrototype: true }),
})).object;

/** All documents of the table, without their system fields. */
async function anything(runtime: TestRuntime): Promise<Record<string, Value>[]> {
  const documents = await runtime.query<Record<string, Value>[]>("probes:anything");
  return documents.map(({ _id, _creationTime, ...fields }) => fields);
}

test("a document is a new object for whoever reads it, whatever its fields are called", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 5 }), async (values) => {
      const runtime = await start();
      await runtime.mutation("probes:keep", { values });
      const direct = await runtime.query<string[]>("probes:readAndSpoil");
      expect(new Set(direct).size).toBe(1);
      expect(await anything(runtime)).toEqual(values);
    }),
    { numRuns: 30 },
  );
});

test("documents whose fields are called the same are each as they were stored, whatever is in these", async () => {
  const kinds: Value[] = ["x", null, 1, [1, { a: 1 }], { a: 1 }, { a: [1] }, { a: { b: 1 } }, { b: 1 }, {}];
  // Each one right after each other one.
  const values = kinds.flatMap((a) => kinds.flatMap((b) => [{ a }, { a: b }, { a, b }, { b }]));
  const runtime = await start();
  await runtime.mutation("probes:keep", { values });
  const reads = await runtime.query<string[]>("probes:readAndSpoil");
  expect(new Set(reads).size).toBe(1);
  expect(await anything(runtime)).toEqual(values);
});

test("a document is as it was written last, however often it was read before, and another one in its place is that", async () => {
  const step = fc.record({
    note: fc.nat(3),
    change: fc.constantFrom("none", "edit", "overwrite", "renew"),
    // The second time a document is kept as an object, of which the third one is a copy.
    reads: fc.integer({ min: 1, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const runtime = await start();
      const add = () => runtime.mutation<string>("notes:add", { author: "ann", text: "new", rank: 1 });
      const ids = await Promise.all([add(), add(), add(), add()]);
      const stored = ids.map((): Record<string, Value> => ({ author: "ann", text: "new", rank: 1 }));
      for (const [number, { note, change, reads }] of steps.entries()) {
        const id = ids[note] as string;
        const text = `${number}`;
        if (change === "edit") {
          await runtime.mutation("notes:edit", { id, text });
          stored[note] = { ...stored[note], text };
        } else if (change === "overwrite") {
          stored[note] = { author: "ben", text };
          await runtime.mutation("notes:overwrite", { id, value: stored[note] });
        } else if (change === "renew") {
          await runtime.mutation("notes:remove", { id });
          stored[note] = { author: "ann", text: "new", rank: 1 };
          ids[note] = await add();
        }
        for (let time = 0; time < reads; time++) {
          const read = await runtime.query("notes:get", { id: ids[note] as string });
          expect(read).toEqual({ _id: ids[note], _creationTime: expect.any(Number), ...stored[note] });
        }
      }
    }),
    { numRuns: 20 },
  );
});

test("an app that listens in on the language itself meets nothing of the runtime's, and can spoil no document", async () => {
  const runtime = await start();
  const values = [{ a: 1 }, { nested: { list: [{ b: 2 }] }, text: "x" }];
  await runtime.mutation("probes:keep", { values });
  const { seen, foreign } = await runtime.query<{ seen: number; foreign: number }>("probes:eavesdrop");
  expect(seen).toBeGreaterThan(0);
  expect(foreign).toBe(0);
  for (let time = 0; time < 4; time++) expect(await anything(runtime)).toEqual(values);
});

test.each(["query", "mutation"] as const)(
  "what one %s does to the objects that it is given to work with, the next one does not see",
  async (kind) => {
    const path = kind === "query" ? "probes:spoilContextOfQuery" : "probes:spoilContextOfMutation";
    const ofText = await start({ byText: true });
    const runtime = await start();
    for (const name of ["Ada", "Ben", "Ben"]) {
      const caller = {
        kind: "user",
        identity: { subject: name, tokenIdentifier: `issuer|${name}` },
      } as const;
      const expected = await ofText.call(kind, path, {}, caller);
      for (let time = 0; time < 3; time++)
        expect(await runtime.call(kind, path, {}, caller)).toEqual(expected);
    }
    const unidentified = { kind: "unidentified", problem: "This token is too old" } as const;
    for (const one of [runtime, ofText]) {
      const outcome = await one.outcome(kind, path, {}, unidentified);
      expect(outcome.ok ? null : outcome.failure.message).toContain("This token is too old");
    }
  },
);
