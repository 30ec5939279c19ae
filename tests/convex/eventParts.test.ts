import fc from "fast-check";
import { expect, test } from "vitest";
import type { EventChange } from "../../convex/contract/events";
import { partsOf } from "../../convex/model/eventParts";

const MOST_CHANGES = 250;
const LONGEST_TEXT = 250_000;

function lengthOf(changes: readonly EventChange[]): number {
  return changes.reduce((sum, change) => sum + JSON.stringify(change).length, 0);
}

/** A list of changes that say the same, at most `times` of them, with a text of one of the lengths. */
function runOf(times: number, lengths: readonly number[]): fc.Arbitrary<EventChange[]> {
  // JSON takes one, two or six characters for each of these.
  const nickname = fc
    .tuple(fc.constantFrom("語", '"', "\u0000"), fc.constantFrom(...lengths))
    .map(([character, length]) => character.repeat(length));
  const fields = fc.oneof(
    fc.record({ role: fc.constantFrom("host", "observer"), level: fc.double() }),
    fc.record({ role: fc.constant("host"), nickname }),
    fc.record({ attributes: fc.dictionary(fc.constantFrom("a", "b", "\u007f"), nickname) }),
  );
  const change = fc.record({ subject: fc.string(), after: fields });
  return fc
    .tuple(change, fc.integer({ min: 1, max: times }))
    .map(([one, count]) => Array<EventChange>(count).fill(one));
}

const run = fc.oneof(
  { weight: 3, arbitrary: runOf(300, [0, 1, 20, 120, 160, 900, 1000]) },
  { weight: 1, arbitrary: runOf(8, [40_000, 260_000]) },
);

test("events hold as many changes, in their order, as there may be in one", () => {
  fc.assert(
    fc.property(fc.array(run, { maxLength: 3 }), (runs) => {
      const changes = runs.flat();
      const parts = partsOf(changes);
      expect(parts.flat()).toEqual(changes);
      parts.forEach((part, index) => {
        expect(part.length).toBeLessThanOrEqual(MOST_CHANGES);
        expect(part.length === 1 || lengthOf(part) <= LONGEST_TEXT).toBe(true);
        const more = [...part, ...(parts[index + 1]?.slice(0, 1) ?? [])];
        if (more.length === part.length) return;
        expect(more.length > MOST_CHANGES || lengthOf(more) > LONGEST_TEXT).toBe(true);
      });
    }),
    { numRuns: 50 },
  );
});
