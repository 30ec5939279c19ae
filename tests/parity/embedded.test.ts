/** The scenarios give on the embedded runtime, call by call over HTTP, what they give on convex-test. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { newApp, parityBackend } from "../convex/setup";
import { startEmbeddedBackend } from "../e2e/embeddedBackend";
import { histories, play, setStage, violations, type Stage } from "./history";
import { scenarios } from "./scenarios";

test.each(Object.entries(scenarios))("%s", async (_name, scenario) => {
  const { server, backend } = await startEmbeddedBackend();
  const onConvexTest = await scenario(parityBackend(newApp()));
  expect(await scenario(backend)).toEqual(onConvexTest);
  expect(server.faults).toEqual([]);
});

test("random histories are answered alike and end alike", async () => {
  const { server, backend } = await startEmbeddedBackend();
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const here = await setStage(backend);
      const there = await setStage(parityBackend(newApp()));
      for (const command of history) {
        expect(withNames(here, await play(here, command))).toEqual(
          withNames(there, await play(there, command)),
        );
      }
      expect(await people(here)).toEqual(await people(there));
      expect(await violations(here)).toEqual([]);
    }),
    { numRuns: 15 },
  );
  expect(server.faults).toEqual([]);
});

test("whatever is done at the same time, the counts are right, all have places, and there is a host", async () => {
  const { server, backend } = await startEmbeddedBackend();
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const stage = await setStage(backend);
      await Promise.all(history.map((command) => play(stage, command)));
      expect(await violations(stage)).toEqual([]);
    }),
    { numRuns: 15 },
  );
  expect(server.faults).toEqual([]);
});

/** Ids differ from run to run: those of people are named, those of rows are not shown. */
function withNames({ userIds }: Stage, result: unknown): unknown {
  return JSON.parse(JSON.stringify(result), (field, value: unknown) => {
    if (["added", "removed", "waitlisted", "banned", "unbanned", "admitted", "refused"].includes(field)) {
      return (value as string[]).length;
    }
    return field === "userId" ? userIds.indexOf(value as string) : value;
  }) as unknown;
}

/** Who is in the meeting, as what, in the order in which they came. */
async function people({ backend, meetingId, userIds }: Stage): Promise<unknown> {
  const rows = (await backend.rows("meetingParticipants")).filter((row) => row["meetingId"] === meetingId);
  return rows.map(({ userId, role, presence }) => [userIds.indexOf(String(userId)), role, presence]);
}
