import fc from "fast-check";
import { expect, test } from "vitest";
import { Additions } from "../../embedded/storage/additions";
import { readRecord, RECORD_HEADER_BYTES, sealRecord } from "../../embedded/storage/logRecord";
import { Memtable } from "../../embedded/storage/memtable";

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
  fc.assert(
    fc.property(
      fc.array(fc.record({ writes, isTakenBack: fc.boolean() }), { maxLength: 5 }),
      fc.nat(),
      // At the end of a piece of memory, and elsewhere.
      fc.oneof(
        fc.nat(100),
        fc.nat(2 ** 20).map((bytes) => Math.max(0, 2 ** 20 - (bytes % 70_000))),
      ),
      (commits, sequence, before) => {
        const memtable = new Memtable();
        memtable.add(new Map([["before", "x".repeat(before)]]));
        const group = new Additions();
        const kept: Write[] = [];
        for (const commit of commits) {
          const added = memtable.add({
            size: commit.writes.length,
            forEach: (change) => commit.writes.forEach(([name, text]) => change(text, name)),
          });
          if (commit.isTakenBack) {
            added.undo();
            continue;
          }
          group.join(added);
          kept.push(...commit.writes);
        }
        const parts = [Buffer.alloc(RECORD_HEADER_BYTES), ...group.bytes()];
        memtable.add(new Map([["behind", "1"]]));
        sealRecord(parts, sequence, 7);
        const bytes = Buffer.concat(parts);
        const record = readRecord(bytes, 0, 7);
        expect([record?.sequence, record?.end]).toEqual([sequence, bytes.length]);
        const found = new Memtable();
        if (record) found.addRecord(record);
        const last = new Map(kept);
        expect([found.writes, [...found.scan("", null, "asc")]]).toEqual([
          kept.length,
          [...last].sort(([one], [other]) => (one < other ? -1 : 1)),
        ]);
      },
    ),
    { numRuns: 300 },
  );
});
