import { afterEach, expect, test, vi } from "vitest";
import { api, internal } from "../../convex/_generated/api";
import { codeOf, newMeeting, type Person, signUp, signUpAll } from "./setup";

const { banParticipants, unbanParticipants, listBans } = api.meetings.bans;
const { addMultipleParticipants, joinMeeting, startMeeting } = api.meetings.lifecycle;

const DAY_MS = 24 * 60 * 60_000;

afterEach(() => {
  vi.useRealTimers();
});

/** A started meeting, and how its host bans people. */
async function stage(args: Parameters<typeof newMeeting>[0] = {}) {
  const setting = await newMeeting(args);
  const { host, meetingId } = setting;
  await host.as.mutation(startMeeting, { meetingId });
  const ban = (people: Person[], terms: { expiresAt?: number; reason?: string } = {}) =>
    host.as.mutation(banParticipants, {
      meetingId,
      people: people.map(({ id: userId }) => ({ userId })),
      ...terms,
    });
  const unban = (...people: Person[]) =>
    host.as.mutation(unbanParticipants, {
      meetingId,
      people: people.map(({ id: userId }) => ({ userId })),
    });
  const list = async () => {
    const paginationOpts = { numItems: 10, cursor: null };
    return (await host.as.query(listBans, { meetingId, paginationOpts })).page;
  };
  return { ...setting, ban, unban, list };
}

test("whoever is banned is removed, waits no longer, and is not added", async () => {
  const { app, host, meetingId, add, ban, list, meeting } = await stage({ maxParticipants: 2 });
  const [ada, bob, cyd] = await signUpAll(app, "ada", "bob", "cyd");
  await host.as.mutation(addMultipleParticipants, {
    meetingId,
    participants: [ada, bob].map(({ id: userId }) => ({ userId, role: "participant" as const })),
    onFull: "waitlist",
  });
  const outcome = await ban([ada, bob, cyd], { reason: "Noise" });
  expect([outcome.banned.length, outcome.removed.length, outcome.skipped]).toEqual([3, 1, []]);
  expect(await meeting()).toMatchObject({ participantCount: 1, waitlistCount: 0, banCount: 3 });
  expect((await list()).map(({ userId, reason }) => [userId, reason])).toEqual(
    expect.arrayContaining([
      [ada.id, "Noise"],
      [cyd.id, "Noise"],
    ]),
  );
  expect((await add([ada, "participant"], [cyd, "host"])).skipped).toMatchObject([
    { code: "banned" },
    { code: "banned" },
  ]);
  expect(await codeOf(ada.as.mutation(joinMeeting, { meetingId }))).toBe("FORBIDDEN");
});

test("the last host is not banned", async () => {
  const { host, ban, meeting } = await stage();
  expect((await ban([host])).skipped).toMatchObject([{ userId: host.id, code: "last_host" }]);
  expect((await meeting()).banCount).toBeUndefined();
});

test("a ban again changes the terms and is one ban", async () => {
  const { app, ban, list, meeting } = await stage();
  const ada = await signUp(app, "ada");
  const expiresAt = Date.now() + DAY_MS;
  const first = await ban([ada], { expiresAt, reason: "Noise" });
  expect((await ban([ada])).banned).toEqual(first.banned);
  const [kept] = await list();
  expect(kept).not.toHaveProperty("expiresAt");
  expect(kept).not.toHaveProperty("reason");
  expect(await meeting()).toMatchObject({ banCount: 1 });
});

test("a ban that is lifted or over is none", async () => {
  const { app, add, ban, unban, list, meeting } = await stage();
  const [ada, bob] = await signUpAll(app, "ada", "bob");
  await ban([ada]);
  await ban([bob], { expiresAt: Date.now() + DAY_MS });
  expect((await unban(ada, ada)).skipped).toMatchObject([{ code: "duplicate" }]);
  vi.useFakeTimers({ now: Date.now() + DAY_MS + 1, toFake: ["Date"] });
  expect(await list()).toEqual([]);
  expect((await unban(ada, bob)).skipped).toMatchObject([{ code: "not_banned" }, { code: "not_banned" }]);
  expect((await add([ada, "participant"], [bob, "participant"])).added).toHaveLength(2);
  expect(await meeting()).toMatchObject({ banCount: 1 });
  await app.mutation(internal.cleanUp.deleteOldBans, {});
  expect(await meeting()).toMatchObject({ banCount: 0 });
  expect(await app.run((ctx) => ctx.db.query("bans").collect())).toEqual([]);
});

test("a meeting has at most 2,000 bans, of which those that are over give way", async () => {
  const { app, host, ban, meetingId, meeting } = await stage();
  const [ada, bob] = await signUpAll(app, "ada", "bob");
  await app.run(async (ctx) => {
    const tenantId = (await ctx.db.get("meetings", meetingId))?.tenantId as never;
    for (let index = 0; index < 2000; index++) {
      const guestId = await ctx.db.insert("guests", { tenantId, externalId: `g${index}` });
      await ctx.db.insert("bans", { meetingId, guestId, ...(index === 0 && { expiresAt: 1 }) });
    }
    await ctx.db.patch("meetings", meetingId, { banCount: 2000 });
  });
  expect(await codeOf(ban([ada, bob]))).toBe("TOO_MANY_BANS");
  expect((await ban([ada])).banned).toHaveLength(1);
  expect(await meeting()).toMatchObject({ banCount: 2000 });
  const guests = Array.from({ length: 3 }, (_, index) => ({ externalId: `g${index + 1}` }));
  const lifted = await host.as.mutation(unbanParticipants, { meetingId, people: guests });
  expect(lifted.unbanned).toHaveLength(3);
});
