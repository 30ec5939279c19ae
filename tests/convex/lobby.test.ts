import { expect, test } from "vitest";
import { api } from "../../convex/_generated/api";
import { codeOf, newMeeting, type Person, signUpAll } from "./setup";

const { addMultipleParticipants, joinMeeting, leaveMeeting, startMeeting, updateMeeting, endMeeting } =
  api.meetings.lifecycle;
const { admitParticipants, refuseParticipants, listLobby } = api.meetings.lobby;

/** An active meeting with a lobby, where Ada and Bob wait and Cyd, a co-host, does not yet. */
async function stage() {
  const setting = await newMeeting();
  const { app, host, meetingId, add } = setting;
  const [ada, bob, cyd] = await signUpAll(app, "ada", "bob", "cyd");
  await add([ada, "participant"], [bob, "observer"], [cyd, "co-host"]);
  await host.as.mutation(updateMeeting, { meetingId, lobby: true });
  await host.as.mutation(startMeeting, { meetingId });
  const join = (person: Person) => person.as.mutation(joinMeeting, { meetingId });
  await Promise.all([ada, bob].map(join));
  const presenceOf = async ({ id }: Person) =>
    (await setting.rows()).find(({ userId }) => userId === id)?.presence;
  const waiting = async (by: Person) => {
    const paginationOpts = { numItems: 10, cursor: null };
    return (await by.as.query(listLobby, { meetingId, paginationOpts })).page.map(({ userId }) => userId);
  };
  return { ...setting, ada, bob, cyd, join, presenceOf, waiting };
}

test("hosts and co-hosts see who waits, and let in whom they name", async () => {
  const { host, ada, bob, cyd, meetingId, presenceOf, waiting, meeting } = await stage();
  expect(new Set(await waiting(cyd))).toEqual(new Set([ada.id, bob.id]));
  const people = [{ userId: ada.id }, { userId: cyd.id }, { email: "nobody@example.com" }];
  const { admitted, skipped } = await cyd.as.mutation(admitParticipants, { meetingId, people });
  expect(admitted).toHaveLength(1);
  expect(skipped.map(({ code }) => code)).toEqual(["not_waiting", "participant_not_found"]);
  expect([await presenceOf(ada), await presenceOf(bob)]).toEqual(["joined", "waiting"]);
  expect(await waiting(host)).toEqual([bob.id]);
  expect(await meeting()).toMatchObject({ joinedCount: 1 });
});

test("guests, who cannot knock, are let in by name", async () => {
  const { host, meetingId, rows, meeting } = await stage();
  const { added } = await host.as.mutation(addMultipleParticipants, {
    meetingId,
    participants: [
      { externalId: "crm-1", role: "participant" },
      { externalId: "crm-2", role: "participant" },
    ],
  });
  const people = [{ externalId: "crm-1" }];
  expect(await host.as.mutation(admitParticipants, { meetingId, people })).toMatchObject({
    admitted: [added[0]],
    skipped: [],
  });
  const again = await host.as.mutation(admitParticipants, { meetingId, people });
  expect(again.skipped).toMatchObject([{ code: "not_waiting" }]);
  const guests = (await rows()).filter(({ guestId }) => guestId !== undefined);
  expect(guests.map(({ presence }) => presence)).toEqual(["joined", "invited"]);
  expect(await meeting()).toMatchObject({ joinedCount: 1 });
});

test("all are let in at once", async () => {
  const { cyd, ada, bob, meetingId, presenceOf, meeting } = await stage();
  const outcome = await cyd.as.mutation(admitParticipants, { meetingId });
  expect([outcome.admitted.length, outcome.isDone]).toEqual([2, true]);
  expect([await presenceOf(ada), await presenceOf(bob)]).toEqual(["joined", "joined"]);
  expect(await meeting()).toMatchObject({ joinedCount: 2 });
});

test("who is sent away keeps their place and may knock again", async () => {
  const { host, ada, bob, meetingId, presenceOf, join, meeting } = await stage();
  await host.as.mutation(refuseParticipants, { meetingId, people: [{ userId: ada.id }] });
  expect([await presenceOf(ada), await presenceOf(bob)]).toEqual(["invited", "waiting"]);
  expect(await join(ada)).toMatchObject({ waiting: true });
  await host.as.mutation(refuseParticipants, { meetingId });
  expect([await presenceOf(ada), await presenceOf(bob)]).toEqual(["invited", "invited"]);
  expect(await meeting()).toMatchObject({ participantCount: 4 });
});

test("who leaves the lobby waits no longer", async () => {
  const { ada, bob, host, meetingId, waiting, meeting } = await stage();
  await ada.as.mutation(leaveMeeting, { meetingId });
  expect(await waiting(host)).toEqual([bob.id]);
  expect((await meeting()).joinedCount ?? 0).toBe(0);
});

test("without a lobby whoever waits is let in", async () => {
  const { host, ada, bob, cyd, meetingId, presenceOf, join } = await stage();
  await host.as.mutation(updateMeeting, { meetingId, lobby: false });
  expect([await presenceOf(ada), await presenceOf(bob)]).toEqual(["joined", "joined"]);
  expect(await join(cyd)).toEqual({ success: true });
});

test("a host who waits as something less is let in when they become one", async () => {
  const { host, ada, meetingId, join, presenceOf } = await stage();
  const { updateParticipantRole } = api.meetings.lifecycle;
  await host.as.mutation(updateParticipantRole, { meetingId, userId: ada.id, newRole: "host" });
  expect(await join(ada)).toEqual({ success: true });
  expect(await presenceOf(ada)).toBe("joined");
});

test("nobody is let into a meeting that is over", async () => {
  const { host, meetingId } = await stage();
  await host.as.mutation(endMeeting, { meetingId });
  expect(await codeOf(host.as.mutation(admitParticipants, { meetingId }))).toBe("MEETING_NOT_ACTIVE");
});

test("more people than one request can see to are let in by several", async () => {
  const { app, host, meetingId, meeting } = await stage();
  const lobby = async (count: number) =>
    app.run(async (ctx) => {
      const meetingRow = await ctx.db.get("meetings", meetingId);
      for (let index = 0; index < count; index++) {
        const guestId = await ctx.db.insert("guests", { tenantId: meetingRow?.tenantId as never });
        await ctx.db.insert("meetingParticipants", {
          meetingId,
          guestId,
          role: "participant",
          presence: "waiting",
        });
      }
      await ctx.db.patch("meetings", meetingId, {
        participantCount: (meetingRow?.participantCount ?? 0) + count,
      });
    });
  await lobby(1000);
  const first = await host.as.mutation(admitParticipants, { meetingId });
  expect([first.admitted.length, first.isDone]).toEqual([1000, false]);
  const second = await host.as.mutation(admitParticipants, { meetingId });
  expect([second.admitted.length, second.isDone]).toEqual([2, true]);
  await lobby(1001);
  await host.as.mutation(updateMeeting, { meetingId, lobby: false });
  await app.finishAllScheduledFunctions(() => undefined);
  expect(await meeting()).toMatchObject({ joinedCount: 2003 });
}, 60_000);
