import { describe, expect, test } from "vitest";
import { api } from "../../convex/_generated/api";
import { codeOf, newMeeting, signUp, signUpAll } from "./setup";

const { addMultipleParticipants, removeMultipleParticipants, updateParticipantRole } = api.meetings.lifecycle;

type Options = Omit<(typeof removeMultipleParticipants)["_args"], "meetingId">;

/** A meeting with Ada, Bob and a guest in it, and how its host removes people. */
async function stage() {
  const setting = await newMeeting();
  const { app, host, meetingId, add } = setting;
  const [ada, bob] = await signUpAll(app, "ada", "bob");
  await add([ada, "participant"], [bob, "observer"]);
  await host.as.mutation(addMultipleParticipants, {
    meetingId,
    participants: [{ externalId: "crm-7", email: "grace@example.com", role: "participant" }],
  });
  const remove = (options: Options) =>
    host.as.mutation(removeMultipleParticipants, { meetingId, ...options });
  return { ...setting, ada, bob, remove };
}

test("people are removed by whatever names them, and each who is not is told why", async () => {
  const { remove, ada, bob, rows, meeting, app } = await stage();
  const [, adaRow, bobRow, guestRow] = await rows();
  const elsewhere = await signUp(app, "elsewhere");
  const outcome = await remove({
    participantIds: [adaRow?._id as never, "no id" as never],
    userIds: [bob.id, elsewhere.id, ada.id, "nobody" as never],
    externalIds: ["unknown"],
    emails: ["Grace@example.com", "nobody@example.com"],
  });
  expect(outcome.removed).toEqual([adaRow?._id, bobRow?._id, guestRow?._id]);
  expect(outcome.skipped).toMatchObject([
    { participantId: "no id", code: "participant_not_found" },
    { userId: elsewhere.id, code: "participant_not_found", reason: "Not in the meeting" },
    { userId: ada.id, code: "duplicate" },
    { userId: "nobody", code: "participant_not_found" },
    { externalId: "unknown", code: "participant_not_found" },
    { email: "nobody@example.com", code: "participant_not_found" },
  ]);
  expect(await rows()).toHaveLength(1);
  expect(await meeting()).toMatchObject({ participantCount: 1 });
});

test("nobody of another meeting is removed by the id they have there", async () => {
  const { remove, rows, app } = await stage();
  const other = await signUp(app, "other");
  await other.as.mutation(api.meetings.lifecycle.createMeeting, { title: "Other" });
  const foreign = (await rows()).find(({ userId }) => userId === other.id);
  const { removed, skipped } = await remove({ participantIds: [foreign?._id as never] });
  expect([removed, skipped.map(({ code }) => code)]).toEqual([[], ["participant_not_found"]]);
});

describe("of the hosts", () => {
  test("the one who is named last stays", async () => {
    const { remove, host, ada, meetingId, rows } = await stage();
    await host.as.mutation(updateParticipantRole, { meetingId, userId: ada.id, newRole: "host" });
    const { removed, skipped } = await remove({ userIds: [host.id, ada.id] });
    expect(removed).toHaveLength(1);
    expect(skipped).toMatchObject([{ userId: ada.id, code: "last_host" }]);
    expect((await rows()).filter(({ role }) => role === "host")).toMatchObject([{ userId: ada.id }]);
  });

  test("all named go when another is left", async () => {
    const { remove, host, ada, meetingId } = await stage();
    await host.as.mutation(updateParticipantRole, { meetingId, userId: ada.id, newRole: "host" });
    expect(await remove({ userIds: [host.id] })).toMatchObject({ skipped: [] });
  });
});

test("the places go to those who wait longest, once", async () => {
  const { remove, host, ada, bob, meetingId, meeting, rows, app } = await stage();
  const [cyd, dee, eve] = await signUpAll(app, "cyd", "dee", "eve");
  await host.as.mutation(api.meetings.lifecycle.updateMeeting, { meetingId, maxParticipants: 4 });
  await host.as.mutation(addMultipleParticipants, {
    meetingId,
    participants: [cyd, dee, eve].map(({ id: userId }) => ({ userId, role: "participant" as const })),
    onFull: "waitlist",
  });
  await remove({ userIds: [ada.id, bob.id] });
  const present = new Set((await rows()).map(({ userId }) => userId));
  expect([present.has(cyd.id), present.has(dee.id), present.has(eve.id)]).toEqual([true, true, false]);
  expect(await meeting()).toMatchObject({ participantCount: 4, waitlistCount: 1 });
});

test("who is removed with a ban cannot come back", async () => {
  const { remove, add, ada, bob, meeting } = await stage();
  const { removed } = await remove({ userIds: [ada.id], ban: { reason: "Noise" } });
  expect(removed).toHaveLength(1);
  expect(await meeting()).toMatchObject({ banCount: 1 });
  const again = await add([ada, "participant"]);
  expect(again.skipped).toMatchObject([{ userId: ada.id, code: "banned" }]);
  expect(await codeOf(remove({ userIds: [bob.id], ban: { expiresAt: 1 } }))).toBe("EXPIRES_IN_PAST");
});

test("a dry run removes nobody, and a repetition nobody twice", async () => {
  const { remove, add, ada, rows } = await stage();
  const before = await rows();
  const rehearsed = await remove({ userIds: [ada.id], dryRun: true });
  expect(await rows()).toEqual(before);
  expect(await remove({ userIds: [ada.id], idempotencyKey: "k" })).toEqual(rehearsed);
  await add([ada, "participant"]);
  expect(await remove({ userIds: [ada.id], idempotencyKey: "k" })).toEqual(rehearsed);
  expect(await rows()).toHaveLength(before.length);
});

test("a request names at most 1,000 people in all of its lists", async () => {
  const { remove } = await stage();
  const names = (count: number) => Array.from({ length: count }, (_, index) => `x${index}`);
  expect(await codeOf(remove({ externalIds: names(600), participantIds: names(401) as never[] }))).toBe(
    "INVALID_ARGUMENT",
  );
  expect((await remove({ externalIds: names(600), participantIds: names(400) as never[] })).removed).toEqual(
    [],
  );
});
