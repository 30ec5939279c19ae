import { describe, expect, test } from "vitest";
import { api } from "../../convex/_generated/api";
import type { ParticipantsEntry } from "../../convex/contract/entries";
import { codeOf, newMeeting, signUp, signUpAll, type Person } from "./setup";

const { addMultipleParticipants, removeMultipleParticipants, removeParticipant, updateParticipantRole } =
  api.meetings.lifecycle;

type Options = Omit<(typeof addMultipleParticipants)["_args"], "meetingId" | "participants">;

/** A meeting, and how its host adds people with options. */
async function stage(args: Parameters<typeof newMeeting>[0] = {}) {
  const setting = await newMeeting(args);
  const { host, meetingId, app } = setting;
  const addWith = (options: Options, ...participants: ParticipantsEntry[]) =>
    host.as.mutation(addMultipleParticipants, { meetingId, participants, ...options });
  const events = () => app.run((ctx) => ctx.db.query("meetingEvents").collect());
  return { ...setting, addWith, events };
}

function entry({ id: userId }: Person, role: ParticipantsEntry["role"] = "participant"): ParticipantsEntry {
  return { userId, role };
}

describe("people who are there", () => {
  test("are returned as they are", async () => {
    const { app, addWith, rows } = await stage();
    const ada = await signUp(app, "ada");
    const { added } = await addWith({}, entry(ada, "observer"));
    const before = await rows();
    const again = await addWith({ onExisting: "return" }, entry(ada, "host"));
    expect(again).toEqual({ added: [], skipped: [], existing: added, success: true });
    expect(await rows()).toEqual(before);
  });

  test("get the role and the data of the entry, and keep what it does not name", async () => {
    const { app, addWith, rows } = await stage();
    const ada = await signUp(app, "ada");
    const { added } = await addWith({}, { ...entry(ada), nickname: "Countess", level: 3 });
    const again = await addWith({ onExisting: "update" }, { ...entry(ada, "co-host"), level: 4 });
    expect(again).toEqual({ added: [], skipped: [], updated: added, success: true });
    expect((await rows()).find(({ userId }) => userId === ada.id)).toMatchObject({
      role: "co-host",
      nickname: "Countess",
      level: 4,
    });
  });

  test("stay hosts if they are the last one", async () => {
    const { host, addWith } = await stage();
    const { skipped } = await addWith({ onExisting: "update" }, entry(host, "observer"));
    expect(skipped).toMatchObject([{ userId: host.id, code: "last_host" }]);
  });

  test("are no reason to fail", async () => {
    const { app, host, addWith } = await stage();
    const ada = await signUp(app, "ada");
    const outcome = await addWith({ onInvalid: "failAll", onFull: "failAll" }, entry(host), entry(ada));
    expect(outcome.added).toHaveLength(1);
    expect(outcome.skipped).toMatchObject([{ code: "already_participant" }]);
  });
});

describe("all or nothing", () => {
  test.each([
    ["USER_NOT_FOUND", (): ParticipantsEntry[] => [{ userId: "nobody" as never, role: "host" }]],
    ["USER_NOT_FOUND", (): ParticipantsEntry[] => [{ email: "no@example.com", role: "host" }]],
    ["GUEST_NOT_FOUND", (): ParticipantsEntry[] => [{ guestId: "nobody" as never, role: "host" }]],
    ["ALREADY_PARTICIPANT", (ada: Person) => [entry(ada), entry(ada)]],
  ] as const)("fails with %s and adds nobody", async (code, entriesOf) => {
    const { app, addWith, rows, meeting, events } = await stage();
    const [ada, bob] = await signUpAll(app, "ada", "bob");
    const before = { rows: await rows(), meeting: await meeting(), events: await events() };
    expect(await codeOf(addWith({ onInvalid: "failAll" }, entry(bob), ...entriesOf(ada)))).toBe(code);
    expect({ rows: await rows(), meeting: await meeting(), events: await events() }).toEqual(before);
  });

  test("fails when there is no place for all", async () => {
    const { app, addWith, rows } = await stage({ maxParticipants: 2 });
    const [ada, bob] = await signUpAll(app, "ada", "bob");
    expect(await codeOf(addWith({ onFull: "failAll" }, entry(ada), entry(bob)))).toBe("MEETING_FULL");
    expect(await rows()).toHaveLength(1);
  });
});

describe("the waitlist", () => {
  test("takes those for whom there is no place, and gives them places in the order of their coming", async () => {
    const { app, host, addWith, meetingId, meeting, rows } = await stage({ maxParticipants: 2 });
    const [ada, bob, cyd] = await signUpAll(app, "ada", "bob", "cyd");
    const { added, waitlisted } = await addWith(
      { onFull: "waitlist" },
      entry(ada),
      { ...entry(bob, "observer"), nickname: "B" },
      entry(cyd),
    );
    expect([added.length, waitlisted?.length]).toEqual([1, 2]);
    const again = await addWith({ onFull: "waitlist" }, entry(bob));
    expect(again.skipped).toMatchObject([{ userId: bob.id, code: "already_waiting" }]);
    await host.as.mutation(removeParticipant, { meetingId, userId: ada.id });
    expect((await rows()).map(({ userId }) => userId)).toEqual([host.id, bob.id]);
    expect((await rows())[1]).toMatchObject({ role: "observer", nickname: "B", presence: "invited" });
    expect(await meeting()).toMatchObject({ participantCount: 2, waitlistCount: 1 });
  });

  test("passes over who has been deactivated meanwhile", async () => {
    const { app, host, addWith, meetingId, meeting, rows } = await stage({ maxParticipants: 2 });
    const [ada, bob, cyd] = await signUpAll(app, "ada", "bob", "cyd");
    await addWith({ onFull: "waitlist" }, entry(ada), entry(bob), entry(cyd));
    await bob.as.mutation(api.users.mutations.deactivateUser, { userId: bob.id });
    await host.as.mutation(removeParticipant, { meetingId, userId: ada.id });
    expect((await rows()).map(({ userId }) => userId)).toEqual([host.id, cyd.id]);
    expect(await meeting()).toMatchObject({ participantCount: 2, waitlistCount: 0 });
  });
});

describe("a dry run", () => {
  test("gives the answer of the real one, and writes nothing", async () => {
    const { app, host, addWith, rows, meeting, events } = await stage({ maxParticipants: 2 });
    const [ada, bob] = await signUpAll(app, "ada", "bob");
    const people: ParticipantsEntry[] = [
      entry(ada),
      entry(bob),
      entry(host),
      { externalId: "x", role: "observer" },
    ];
    const before = { rows: await rows(), meeting: await meeting(), events: await events() };
    const rehearsed = await addWith({ dryRun: true, onFull: "waitlist" }, ...people);
    expect({ rows: await rows(), meeting: await meeting(), events: await events() }).toEqual(before);
    expect(await app.run((ctx) => ctx.db.query("guests").collect())).toEqual([]);
    const real = await addWith({ onFull: "waitlist" }, ...people);
    expect(rehearsed).toMatchObject({ skipped: real.skipped, success: true });
    expect([rehearsed.added.length, rehearsed.waitlisted?.length]).toEqual([1, 2]);
  });

  test("fails as the real one does, for strangers too", async () => {
    const { app, addWith, meetingId } = await stage();
    const ada = await signUp(app, "ada");
    const unknown = { userId: "nobody" as never, role: "host" as const };
    expect(await codeOf(addWith({ dryRun: true, onInvalid: "failAll" }, unknown))).toBe("USER_NOT_FOUND");
    const asAda = ada.as.mutation(addMultipleParticipants, {
      meetingId,
      participants: [entry(ada)],
      dryRun: true,
    });
    expect(await codeOf(asAda)).toBe("FORBIDDEN");
  });
});

describe("an idempotency key", () => {
  test("gives the same answer for the same request, which is done once", async () => {
    const { app, addWith, events } = await stage();
    const [ada, bob] = await signUpAll(app, "ada", "bob");
    const first = await addWith({ idempotencyKey: "k-1" }, entry(ada));
    const before = await events();
    expect(await addWith({ idempotencyKey: "k-1" }, entry(ada))).toEqual(first);
    expect(await events()).toEqual(before);
    expect(await codeOf(addWith({ idempotencyKey: "k-1" }, entry(bob)))).toBe("IDEMPOTENCY_CONFLICT");
    expect((await addWith({ idempotencyKey: "k-2" }, entry(ada))).skipped).toHaveLength(1);
  });

  test("is free again when its request has failed", async () => {
    const { app, host, addWith, meetingId } = await stage({ maxParticipants: 2 });
    const [ada, bob] = await signUpAll(app, "ada", "bob");
    await addWith({}, entry(ada));
    const options = { idempotencyKey: "k", onFull: "failAll" } as const;
    expect(await codeOf(addWith(options, entry(bob)))).toBe("MEETING_FULL");
    await host.as.mutation(removeParticipant, { meetingId, userId: ada.id });
    expect((await addWith(options, entry(bob))).added).toHaveLength(1);
  });

  test("gives no answer to who has been deactivated since", async () => {
    const { app, host, addWith } = await stage();
    const ada = await signUp(app, "ada");
    await addWith({ idempotencyKey: "k" }, entry(ada));
    await host.as.mutation(api.users.mutations.deactivateUser, { userId: host.id });
    expect(await codeOf(addWith({ idempotencyKey: "k" }, entry(ada)))).toBe("USER_DEACTIVATED");
  });

  test("of one function says nothing of another's", async () => {
    const { app, host, addWith, meetingId, rows } = await stage();
    const ada = await signUp(app, "ada");
    await addWith({ idempotencyKey: "k" }, entry(ada));
    await host.as.mutation(removeMultipleParticipants, {
      meetingId,
      userIds: [ada.id],
      idempotencyKey: "k",
    });
    expect(await rows()).toHaveLength(1);
  });

  test("of one caller says nothing of another's", async () => {
    const { app, host, addWith, meetingId } = await stage();
    const [ada, bob] = await signUpAll(app, "ada", "bob");
    await addWith({ idempotencyKey: "k" }, entry(ada, "host"));
    const byAda = await ada.as.mutation(addMultipleParticipants, {
      meetingId,
      participants: [entry(bob)],
      idempotencyKey: "k",
    });
    expect(byAda.added).toHaveLength(1);
    expect(host.id).not.toBe(ada.id);
  });
});

describe("guests", () => {
  test("are made once and found again by their external id, within the tenant alone", async () => {
    const { app, host, addWith, meetingId } = await stage();
    const guest: ParticipantsEntry = { externalId: "crm-7", role: "participant", displayName: "Grace" };
    const { added } = await addWith({}, guest);
    const again = await addWith({ onExisting: "return" }, { externalId: "crm-7", role: "host" });
    expect(again.existing).toEqual(added);
    const { page } = await host.as.query(api.meetings.queries.listMeetingParticipants, {
      meetingId,
      role: "participant",
      paginationOpts: { numItems: 5, cursor: null },
    });
    expect(page).toMatchObject([{ _id: added[0], guest: { externalId: "crm-7", displayName: "Grace" } }]);

    const other = await signUp(app, "other");
    const { meetingId: othersId } = await other.as.mutation(api.meetings.lifecycle.createMeeting, {
      title: "Other",
    });
    await other.as.mutation(addMultipleParticipants, { meetingId: othersId, participants: [guest] });
    expect(await app.run((ctx) => ctx.db.query("guests").collect())).toHaveLength(2);
    const foreign = await other.as.mutation(addMultipleParticipants, {
      meetingId: othersId,
      participants: [{ guestId: page[0]?.guestId as never, role: "host" }],
    });
    expect(foreign.skipped).toMatchObject([{ code: "guest_not_found" }]);
  });

  test("are one person however an entry names them", async () => {
    const { addWith } = await stage();
    const { added, skipped } = await addWith(
      {},
      { externalId: "crm-7", email: "Grace@Example.com", role: "participant" },
      { externalId: "crm-7", role: "observer" },
    );
    expect([added.length, skipped.map(({ code }) => code)]).toEqual([1, ["duplicate"]]);
    const byEmail = await addWith({}, { email: "grace@example.com", role: "participant" });
    expect(byEmail.skipped).toMatchObject([{ email: "grace@example.com", code: "already_participant" }]);
  });
});

test("an organization is its active members, and only for those whose token names it", async () => {
  const { app, host, meetingId } = await stage();
  const inOrg = { org_id: "org_1" };
  const boss = await signUp(app, "boss", inOrg);
  const [ada, gone] = [await signUp(app, "ada", inOrg), await signUp(app, "gone", inOrg)];
  await gone.as.mutation(api.users.mutations.deactivateUser, { userId: gone.id });
  await host.as.mutation(addMultipleParticipants, { meetingId, participants: [entry(boss, "host")] });
  const participants: ParticipantsEntry[] = [{ orgId: "org_1", role: "observer" }];
  const outcome = await boss.as.mutation(addMultipleParticipants, { meetingId, participants });
  expect(outcome.added).toHaveLength(1);
  expect(outcome.skipped).toMatchObject([{ userId: boss.id, code: "already_participant" }]);
  expect(ada.id).not.toBe(boss.id);
  const asHost = host.as.mutation(addMultipleParticipants, { meetingId, participants });
  expect(await codeOf(asHost)).toBe("FORBIDDEN");
});

test("an entry names exactly one person or organization", async () => {
  const { host, addWith } = await stage();
  for (const wrong of [
    { role: "host" },
    { userId: host.id, email: "a@example.com", role: "host" },
    { externalId: "x", orgId: "y", role: "host" },
  ] as ParticipantsEntry[]) {
    expect(await codeOf(addWith({}, wrong))).toBe("INVALID_ARGUMENT");
  }
});

test("every change leaves an event that says who did what, in one order without gaps", async () => {
  const { app, host, addWith, meetingId, events, meeting } = await stage();
  const ada = await signUp(app, "ada");
  const { added } = await addWith({}, entry(ada));
  await host.as.mutation(updateParticipantRole, { meetingId, userId: ada.id, newRole: "co-host" });
  await host.as.mutation(api.meetings.lifecycle.startMeeting, { meetingId });
  await ada.as.mutation(api.meetings.lifecycle.joinMeeting, { meetingId });
  await ada.as.mutation(api.meetings.lifecycle.joinMeeting, { meetingId });
  await ada.as.mutation(api.meetings.lifecycle.leaveMeeting, { meetingId });
  await host.as.mutation(removeParticipant, { meetingId, userId: ada.id });
  await host.as.mutation(api.meetings.lifecycle.endMeeting, { meetingId });
  const seen = await events();
  expect(seen.map(({ sequence }) => sequence)).toEqual(seen.map((_, index) => index + 1));
  expect(seen.map(({ type, actor }) => [type, actor.id === ada.id ? "ada" : "host"])).toEqual([
    ["meeting.created", "host"],
    ["participants.added", "host"],
    ["participants.added", "host"],
    ["participants.updated", "host"],
    ["meeting.started", "host"],
    ["participant.joined", "ada"],
    ["participant.left", "ada"],
    ["participants.removed", "host"],
    ["meeting.ended", "host"],
  ]);
  expect(seen[3]?.changes).toEqual([
    { subject: added[0], before: { role: "participant" }, after: { role: "co-host" } },
  ]);
  expect((await meeting()).joinedCount).toBe(0);
});
