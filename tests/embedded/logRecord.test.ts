import fc from "fast-check";
import { expect, test } from "vitest";
import { Additions } from "../../embedded/storage/additions";
import { readRecord, RECORD_HEADER_BYTES, sealRecord } from "../../embedded/storage/logRecord";
import { Memtable } from "../../embedded/storage/memtable";
import { SheafCommits, sheafPlan } from "./sheaves";

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

test("records have the writes of the commits in their groups, whatever their keys and texts, and nothing of groups that were taken back", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          commits: fc.array(fc.tuple(writes, sheafPlan), { maxLength: 4 }),
          isTakenBack: fc.boolean(),
        }),
        {
          maxLength: 4,
        },
      ),
      fc.nat(),
      // At the end of a piece of memory, and elsewhere.
      fc.oneof(
        fc.nat(100),
        fc.nat(2 ** 20).map((bytes) => Math.max(0, 2 ** 20 - (bytes % 70_000))),
      ),
      (groups, sequence, before) => {
        const memtable = new Memtable();
        memtable.add(new Map([["before", "x".repeat(before)]]));
        const found = new Memtable();
        const sheaves = new SheafCommits();
        const kept: Write[] = [];
        let count = 0;
        for (const { commits, isTakenBack } of groups) {
          const group = new Additions();
          const made = commits.map(([others, plan]) => sheaves.commit(plan, others));
          for (const commit of made) memtable.add(commit, group);
          if (isTakenBack) {
            group.undo();
            continue;
          }
          for (const commit of made) count += commit.count;
          kept.push(...made.flatMap((commit) => [...commit]));
          const parts = [Buffer.alloc(RECORD_HEADER_BYTES), ...group.bytes()];
          // Before it is on disk others may come.
          memtable.add(new Map([["behind", "1"]]));
          sealRecord(parts, sequence, 7);
          const bytes = Buffer.concat(parts);
          const record = readRecord(bytes, 0, 7);
          expect([record?.sequence, record?.end]).toEqual([sequence, bytes.length]);
          if (record) found.addRecord(record);
        }
        const last = new Map(kept);
        expect([found.writes, [...found.scan("", null, "asc")]]).toEqual([
          count,
          [...last].sort(([one], [other]) => (one < other ? -1 : 1)),
        ]);
      },
    ),
    { numRuns: 300 },
  );
});
