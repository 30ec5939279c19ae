import fc from "fast-check";
import { expect, test } from "vitest";
import { readRecord, RecordWriter, writesOf } from "../../embedded/storage/logRecord";

type Write = readonly [key: string, value: string | null];

const key = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  // At the lengths where keys are written in another way.
  fc.constantFrom(255, 256, 5_000, 70_000).map((length) => "\xfe".repeat(length)),
);
const value = fc.oneof(
  fc.constantFrom("", "", "{}", null),
  fc.string({ unit: "binary", maxLength: 10 }),
  fc
    .tuple(fc.constantFrom("x", "é", "語", "😀"), fc.constantFrom(100, 16_384, 16_385, 70_000))
    .map(([character, length]) => character.repeat(length)),
);
const writes = fc.array(fc.tuple(key, value), { maxLength: 12 });

test("a record has the writes of its commits, whatever their keys and texts, without those that were taken back", () => {
  const writer = new RecordWriter();
  fc.assert(
    fc.property(
      fc.array(fc.record({ writes, isTakenBack: fc.boolean() }), { maxLength: 5 }),
      fc.nat(),
      (commits, sequence) => {
        const kept: Write[] = [];
        for (const commit of commits) {
          const { length } = writer;
          for (const [name, text] of commit.writes) writer.add(name, text);
          if (commit.isTakenBack) writer.cutTo(length);
          else kept.push(...commit.writes);
        }
        const { length } = writer;
        const bytes = Buffer.from(writer.seal(sequence, 7));
        writer.reset();
        const record = readRecord(bytes, 0, 7);
        expect([record?.sequence, record?.end, bytes.length]).toEqual([sequence, length, length]);
        expect(record && [...writesOf(record)]).toEqual(kept);
      },
    ),
    { numRuns: 300 },
  );
});
