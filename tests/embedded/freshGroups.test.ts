import fc from "fast-check";
import { expect, test } from "vitest";
import { FreshGroups } from "../../embedded/storage/freshGroups";

const INDEX = 7;
const groupOf = (meeting: number) => `\x03\0\0\0\x07\x10${String(meeting).padStart(32, "m")}\0`;

test("a group of which nothing is said to be beside the database has had no write that it lacks", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("write" as const), meeting: fc.nat({ max: 3 }) }),
    fc.record({ kind: fc.constant("append" as const) }),
    fc.record({ kind: fc.constant("apply" as const), records: fc.nat({ max: 8 }) }),
  );
  let absent = 0;
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 20, maxLength: 80 }),
      fc.nat({ max: 5 }),
      (steps, watchedAfter) => {
        const fresh = new FreshGroups();
        const written = new Map<number, number>();
        let [last, applied] = [0, 0];
        for (const [i, one] of steps.entries()) {
          fresh.sequence = last + 2;
          if (i === watchedAfter) fresh.watch(INDEX);
          if (one.kind === "append") last++;
          else if (one.kind === "apply") {
            applied = Math.min(last, applied + one.records);
            fresh.forget(applied);
          } else {
            if (i >= watchedAfter) fresh.note(groupOf(one.meeting));
            // In the record that is being written, or in the one behind it.
            written.set(one.meeting, last + 1 + (i % 2));
          }
          for (let meeting = 0; meeting <= 3; meeting++) {
            const mayHave = fresh.mayHave(`${groupOf(meeting)}more`, applied);
            const has = (written.get(meeting) ?? 0) > applied;
            expect([meeting, mayHave || !has]).toEqual([meeting, true]);
            if (!mayHave) absent++;
          }
        }
      },
    ),
  );
  expect(absent).toBeGreaterThan(100);
});

test("of an index of which groups are not noted, and of what is too short to tell a group, there may be anything", () => {
  const fresh = new FreshGroups();
  expect(fresh.mayHave(`${groupOf(1)}more`, 100)).toBe(true);
  fresh.sequence = 3;
  fresh.watch(INDEX);
  expect(fresh.mayHave(`${groupOf(1)}more`, 2)).toBe(true);
  expect(fresh.mayHave(`${groupOf(1)}more`, 3)).toBe(false);
  expect(fresh.mayHave(groupOf(1).slice(0, -1), 3)).toBe(true);
  expect(fresh.mayHave("", 3)).toBe(true);
});
