import { expect, test } from "vitest";
import { api } from "../../convex/_generated/api";
import { codeOf, newMeeting } from "./setup";

const { addMultipleParticipants, updateMeeting, updateMultipleParticipants } = api.meetings.lifecycle;

/** As much as may be said of one person, in characters of three bytes. */
const attributes = Object.fromEntries(
  Array.from({ length: 8 }, (_, index) => [`about${index}`, "語".repeat(2000)]),
);

const HALF = 40;

/** A full meeting, for which twice as many people wait as one document could tell of. */
async function stage() {
  const setting = await newMeeting({ maxParticipants: 1 });
  const { host, meetingId } = setting;
  for (const half of [0, 1]) {
    await host.as.mutation(addMultipleParticipants, {
      meetingId,
      participants: Array.from({ length: HALF }, (_, index) => ({
        externalId: `crm-${half}-${index}`,
        role: "participant" as const,
        attributes,
      })),
      onFull: "waitlist",
    });
  }
  const events = async (type: "waitlist.promoted" | "participants.updated") => {
    const paginationOpts = { numItems: 100, cursor: null };
    const args = { meetingId, type, paginationOpts };
    return (await host.as.query(api.meetings.queries.listMeetingEvents, args)).page;
  };
  return { ...setting, events };
}

test("however much is said of people, they are all promoted and changed at once, and events tell of each in turn", async () => {
  const { host, meetingId, meeting, rows, events } = await stage();
  await host.as.mutation(updateMeeting, { meetingId, maxParticipants: 1 + 2 * HALF });
  expect(await meeting()).toMatchObject({ participantCount: 1 + 2 * HALF, waitlistCount: 0 });
  const people = (await rows()).slice(1).map(({ _id }) => _id);
  const promoted = await events("waitlist.promoted");
  expect(promoted.length).toBeGreaterThan(1);
  expect(promoted.flatMap(({ changes }) => changes.map(({ subject }) => subject))).toEqual(people);

  const participants = people.map((participantId) => ({ participantId, attributes: null }));
  await host.as.mutation(updateMultipleParticipants, { meetingId, participants });
  const changes = (await events("participants.updated")).flatMap((event) => event.changes);
  expect(changes.map(({ subject, before }) => [subject, before])).toEqual(
    people.map((participantId) => [participantId, { attributes }]),
  );
});

test("more attributes than can be written at once are refused before anybody is added, and what can be is written", async () => {
  const { host, meetingId, meeting } = await newMeeting({ maxParticipants: 1000 });
  const add = (count: number) =>
    host.as.mutation(addMultipleParticipants, {
      meetingId,
      participants: Array.from({ length: count }, (_, index) => ({
        externalId: `crm-${index}`,
        role: "participant" as const,
        attributes,
      })),
    });
  expect(await codeOf(add(160))).toBe("PAYLOAD_TOO_LARGE");
  expect(await meeting()).toMatchObject({ participantCount: 1 });
  expect((await add(150)).added).toHaveLength(150);
});
