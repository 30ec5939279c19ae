import fc from "fast-check";
import { expect, test } from "vitest";
import { histories, play, setStage, violations } from "../parity/history";
import { scenarios } from "../parity/scenarios";
import { newApp, parityBackend } from "./setup";

test.each(Object.entries(scenarios))("scenario: %s", async (_, scenario) => {
  expect(await scenario(parityBackend(newApp()))).toMatchSnapshot();
});

test("after any history the count is right, nobody is without a place, and there is a host", async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const stage = await setStage(parityBackend(newApp()));
      for (const command of history) {
        await play(stage, command);
        expect(await violations(stage)).toEqual([]);
      }
    }),
    { numRuns: 40 },
  );
}, 60_000);
