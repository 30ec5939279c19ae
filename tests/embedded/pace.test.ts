import fc from "fast-check";
import { expect, test } from "vitest";
import { Pace } from "../../embedded/sync/pace";

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("no more go on in one turn of the event loop than may, none is forgotten, and they keep their order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.nat({ max: 7 }), { maxLength: 6 }),
      async (perTurn, arrivals) => {
        const pace = new Pace(perTurn);
        const gone: number[] = [];
        let come = 0;
        const arrive = async () => {
          const place = come++;
          await pace.turn();
          gone.push(place);
        };
        // Some come in each turn, also while others wait.
        for (let turn = 0; turn < arrivals.length || gone.length < come; turn++) {
          const before = gone.length;
          for (let i = 0; i < (arrivals[turn] ?? 0); i++) void arrive();
          await nextTurn();
          expect(gone.length - before).toBeLessThanOrEqual(2 * perTurn);
          expect(gone.length).toBeGreaterThanOrEqual(Math.min(come, before + 1));
        }
        expect(gone).toEqual(gone.toSorted((a, b) => a - b));
        expect(gone).toHaveLength(come);
      },
    ),
  );
});

test("who comes when nobody has gone on in this turn need not wait", () => {
  expect(new Pace(1).turn()).toBeUndefined();
});
