import fc from "fast-check";
import { expect, test } from "vitest";
import { histories, overtakers, play, setStage, violations, waitingList } from "../parity/history";
import { scenarios } from "../parity/scenarios";
import { newApp, parityBackend } from "./setup";

test.each(Object.entries(scenarios))("scenario: %s", async (_, scenario) => {
  expect(await scenario(parityBackend(newApp()))).toMatchSnapshot();
});

test("after any history the counts are right, all have places, nobody overtakes, and there is a host", async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const stage = await setStage(parityBackend(newApp()));
      for (const command of history) {
        const waited = await waitingList(stage);
        await play(stage, command);
        expect(await violations(stage)).toEqual([]);
        expect(await overtakers(stage, waited)).toEqual([]);
      }
    }),
    { numRuns: 40 },
  );
}, 60_000);
