import { describe, expect, test } from "vitest";
import { api } from "../../convex/_generated/api";
import { codeOf, newMeeting, type Person, signUp, signUpAll } from "./setup";

const { addMultipleParticipants, updateMeeting } = api.meetings.lifecycle;
const { listWaitlist, getOwnPosition, leaveWaitlist, removeFromWaitlist } = api.meetings.waitlist;

/** A meeting with no place left, for which three people wait. */
async function stage() {
  const setting = await newMeeting({ maxParticipants: 1 });
  const { app, host, meetingId } = setting;
  const people = await signUpAll(app, "ada", "bob", "cyd");
  const { waitlisted = [] } = await host.as.mutation(addMultipleParticipants, {
    meetingId,
    participants: people.map(({ id: userId }) => ({ userId, role: "participant" as const })),
    onFull: "waitlist",
  });
  const list = async () => {
    const paginationOpts = { numItems: 10, cursor: null };
    return (await host.as.query(listWaitlist, { meetingId, paginationOpts })).page;
  };
  const position = async (person: Person) => (await person.as.query(getOwnPosition, { meetingId })).position;
  return { ...setting, people, waitlisted, list, position };
}

test("hosts see who waits, in the order of their coming, and each sees their own position", async () => {
  const { people, list, position, waitlisted, host, app, meetingId } = await stage();
  expect((await list()).map(({ _id, userId }) => [_id, userId])).toEqual(
    people.map(({ id }, index) => [waitlisted[index], id]),
  );
  expect(await Promise.all(people.map(position))).toEqual([1, 2, 3]);
  expect(await position(host)).toBeNull();
  const stranger = await signUp(app, "stranger");
  expect(await codeOf(stranger.as.query(getOwnPosition, { meetingId }))).toBe("FORBIDDEN");
});

test("people of one request wait in its order, and keep what is said of them", async () => {
  const { host, meetingId, rows } = await newMeeting({ maxParticipants: 1 });
  await host.as.mutation(addMultipleParticipants, {
    meetingId,
    participants: [
      { externalId: "a", role: "participant", displayName: "A", attributes: { seat: "1" } },
      { externalId: "b", role: "observer", displayName: "B" },
      { externalId: "c", role: "participant", displayName: "C", attributes: { seat: "3" } },
    ],
    onFull: "waitlist",
  });
  for (const maxParticipants of [2, 3, 4]) {
    await host.as.mutation(updateMeeting, { meetingId, maxParticipants });
  }
  const [, ...promoted] = await rows();
  expect(promoted.map(({ displayName, role, attributes }) => [displayName, role, attributes])).toEqual([
    ["A", "participant", { seat: "1" }],
    ["B", "observer", undefined],
    ["C", "participant", { seat: "3" }],
  ]);
});

test("who leaves the waitlist makes the others move up", async () => {
  const { people, meetingId, position, meeting } = await stage();
  const [ada, bob, cyd] = people;
  await bob.as.mutation(leaveWaitlist, { meetingId });
  expect(await Promise.all([ada, cyd].map(position))).toEqual([1, 2]);
  expect(await meeting()).toMatchObject({ waitlistCount: 2 });
  expect(await codeOf(bob.as.mutation(leaveWaitlist, { meetingId }))).toBe("FORBIDDEN");
});

test("a host takes others off it, and hears who was not on it", async () => {
  const { host, meetingId, waitlisted, list, people, app } = await stage();
  const other = await signUp(app, "other");
  const [first] = waitlisted;
  const outcome = await host.as.mutation(removeFromWaitlist, {
    meetingId,
    waitlistIds: [first as never, first as never, other.id as never],
  });
  expect(outcome.removed).toEqual([first]);
  expect(outcome.skipped.map(({ code }) => code)).toEqual(["duplicate", "not_waiting"]);
  expect((await list()).map(({ userId }) => userId)).toEqual([people[1].id, people[2].id]);
});

describe("when a meeting gets more places", () => {
  test("those who have waited longest get them", async () => {
    const { host, meetingId, people, rows, meeting } = await stage();
    await host.as.mutation(updateMeeting, { meetingId, maxParticipants: 3 });
    expect((await rows()).map(({ userId }) => userId)).toEqual([host.id, people[0].id, people[1].id]);
    expect(await meeting()).toMatchObject({ participantCount: 3, waitlistCount: 1 });
  });

  test("the places cannot become fewer than the people", async () => {
    const { host, meetingId } = await stage();
    await host.as.mutation(updateMeeting, { meetingId, maxParticipants: 3 });
    const call = host.as.mutation(updateMeeting, { meetingId, maxParticipants: 2 });
    expect(await codeOf(call)).toBe("TOO_FEW_PLACES");
  });
});
