import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { api, internal } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import { addParticipants } from "../../convex/model/addParticipants";
import { insertMeeting } from "../../convex/model/meetings";
import { ensureTenant } from "../../convex/model/tenants";
import type { ConfigChanges } from "../../convex/contract/tenants";
import { type App, codeOf, errorOf, newApp, newMeeting, signUp, signUpAll } from "./setup";

const { createMeeting, startMeeting, endMeeting, joinMeeting, addMultipleParticipants } =
  api.meetings.lifecycle;
const { updateTenantConfig } = api.tenants.mutations;
const { getTenant } = api.tenants.queries;
const inOrg = { org_id: "org_1", role: "member" };
const asAdmin = { org_id: "org_1", role: "admin" };

/** A meeting whose tenant has a configuration. */
async function meetingWith(config: ConfigChanges, args: Parameters<typeof newMeeting>[0] = {}) {
  const setting = await newMeeting(args);
  const tenant = await setting.host.as.query(getTenant, {});
  if (!tenant) throw new Error("The meeting has no tenant");
  await setting.app.mutation(internal.tenants.admin.setConfig, { tenantId: tenant._id, config });
  return setting;
}

describe("a tenant", () => {
  test("is there from its first meeting on, and is the organization's or the person's own", async () => {
    const app = newApp();
    const ada = await signUp(app, "ada", inOrg);
    const bob = await signUp(app, "bob", inOrg);
    const cyd = await signUp(app, "cyd");
    expect(await ada.as.query(getTenant, {})).toBeNull();
    await ada.as.mutation(createMeeting, { title: "A" });
    expect(await bob.as.query(getTenant, {})).toMatchObject({
      kind: "organization",
      name: "org_1",
      config: {},
    });
    expect(await cyd.as.query(getTenant, {})).toBeNull();
  });

  test("of an organization is configured by its admins, a person's own by that person", async () => {
    const app = newApp();
    const member = await signUp(app, "member", inOrg);
    const admin = await signUp(app, "admin", asAdmin);
    const alone = await signUp(app, "alone");
    const config = { earlyJoinMs: 60_000, forceRecording: true };
    expect(await codeOf(member.as.mutation(updateTenantConfig, { config }))).toBe("FORBIDDEN");
    expect(await admin.as.mutation(updateTenantConfig, { config })).toEqual(config);
    expect(await admin.as.mutation(updateTenantConfig, { config: { earlyJoinMs: null } })).toEqual({
      forceRecording: true,
    });
    expect(await member.as.query(getTenant, {})).toMatchObject({ config: { forceRecording: true } });
    expect(await alone.as.mutation(updateTenantConfig, { config })).toEqual(config);
  });

  test("cannot raise the limits that it has been given", async () => {
    const admin = await signUp(newApp(), "admin", asAdmin);
    for (const limit of ["maxParticipantsPerMeeting", "maxConcurrentMeetings", "mutationsPerSecond"]) {
      const call = admin.as.mutation(updateTenantConfig, { config: { [limit]: 7 } as object });
      await expect(call).rejects.toThrow(limit);
    }
  });
});

describe("the deployment's administrator", () => {
  const list = (app: App) =>
    app.query(internal.tenants.admin.list, { paginationOpts: { numItems: 10, cursor: null } });

  test("makes tenants of their own names, and gives any tenant its limits", async () => {
    const app = newApp();
    const tenantId = await app.mutation(internal.tenants.admin.create, {
      name: "acme",
      config: { maxConcurrentMeetings: 3 },
    });
    const config = { maxConcurrentMeetings: null, maxParticipantsPerMeeting: 5 };
    expect(await app.mutation(internal.tenants.admin.setConfig, { tenantId, config })).toEqual({
      maxParticipantsPerMeeting: 5,
    });
    expect((await list(app)).page).toMatchObject([
      { _id: tenantId, kind: "custom", name: "acme", config: { maxParticipantsPerMeeting: 5 } },
    ]);
    expect(await codeOf(app.mutation(internal.tenants.admin.create, { name: "acme" }))).toBe("TENANT_EXISTS");
  });

  test("is told of wrong names, values and ids", async () => {
    const app = newApp();
    const { create, setConfig } = internal.tenants.admin;
    expect(await codeOf(app.mutation(create, { name: "no spaces" }))).toBe("INVALID_ARGUMENT");
    const tooMany = app.mutation(create, { name: "acme", config: { maxConcurrentMeetings: 0 } });
    expect(await codeOf(tooMany)).toBe("INVALID_ARGUMENT");
    expect(await codeOf(app.mutation(setConfig, { tenantId: "none", config: {} }))).toBe("TENANT_NOT_FOUND");
    expect((await list(app)).page).toEqual([]);
  });
});

describe("maxParticipantsPerMeeting", () => {
  test("is less than what a meeting says, never more", async () => {
    const { app, add } = await meetingWith({ maxParticipantsPerMeeting: 2 });
    const [ada, bob] = await signUpAll(app, "ada", "bob");
    const { added, skipped } = await add([ada, "participant"], [bob, "participant"]);
    expect([added.length, skipped.map(({ code }) => code)]).toEqual([1, ["meeting_full"]]);
  });

  test("gives a small meeting no more places than it has", async () => {
    const { app, add } = await meetingWith({ maxParticipantsPerMeeting: 9 }, { maxParticipants: 1 });
    const ada = await signUp(app, "ada");
    expect((await add([ada, "participant"])).skipped).toMatchObject([{ code: "meeting_full" }]);
  });

  test("that rises gives places to those who wait for one, in however many meetings of the tenant", async () => {
    vi.useFakeTimers();
    const { app, host, meeting } = await meetingWith({ maxParticipantsPerMeeting: 1 });
    const [ada, bob] = await signUpAll(app, "ada", "bob");
    const { _id: _, _creationTime: __, ...like } = await meeting();
    await app.run(async (ctx) => {
      for (let count = 0; count < 200; count += 1) await ctx.db.insert("meetings", like);
    });
    const { meetingId } = await host.as.mutation(createMeeting, { title: "The last" });
    await host.as.mutation(addMultipleParticipants, {
      meetingId,
      participants: [ada, bob].map(({ id: userId }) => ({ userId, role: "participant" as const })),
      onFull: "waitlist",
    });
    const rise = async (maxParticipantsPerMeeting: number | null) => {
      const tenantId = like.tenantId as Id<"tenants">;
      const config = { maxParticipantsPerMeeting };
      await app.mutation(internal.tenants.admin.setConfig, { tenantId, config });
      await app.finishAllScheduledFunctions(vi.runAllTimers);
      const rows = await app.run((ctx) =>
        ctx.db
          .query("meetingParticipants")
          .withIndex("by_meeting_and_user", (q) => q.eq("meetingId", meetingId))
          .collect(),
      );
      return new Set(rows.map(({ userId }) => userId));
    };
    expect(await rise(2)).toEqual(new Set([host.id, ada.id]));
    expect(await rise(null)).toEqual(new Set([host.id, ada.id, bob.id]));
    vi.useRealTimers();
  });
});

test("emptyTimeoutMs that gets shorter ends meetings sooner that are empty already", async () => {
  vi.useFakeTimers();
  const { app, host, meetingId, meeting } = await meetingWith({ emptyTimeoutMs: 3_600_000 });
  await host.as.mutation(startMeeting, { meetingId });
  await host.as.mutation(updateTenantConfig, { config: { emptyTimeoutMs: 60_000 } });
  for (const ms of [1, 1, 59_000, 1000]) {
    expect(await meeting()).toMatchObject({ state: "active" });
    vi.advanceTimersByTime(ms);
    await app.finishInProgressScheduledFunctions();
  }
  expect(await meeting()).toMatchObject({ state: "concluded" });
  vi.useRealTimers();
});

test("maxConcurrentMeetings bounds the meetings that are active at a time", async () => {
  const { host, meetingId } = await meetingWith({ maxConcurrentMeetings: 1 });
  const second = await host.as.mutation(createMeeting, { title: "Second" });
  await host.as.mutation(startMeeting, { meetingId });
  expect(await codeOf(host.as.mutation(startMeeting, { meetingId: second.meetingId }))).toBe(
    "TOO_MANY_ACTIVE_MEETINGS",
  );
  await host.as.mutation(endMeeting, { meetingId });
  expect(await host.as.mutation(startMeeting, { meetingId: second.meetingId })).toEqual({ success: true });
});

test("duplicatePolicy is what happens to people who are there where a request does not say it", async () => {
  const { app, host, meetingId, add } = await meetingWith({ duplicatePolicy: "return" });
  const ada = await signUp(app, "ada");
  const { added } = await add([ada, "participant"]);
  expect(await add([ada, "participant"])).toMatchObject({ skipped: [] });
  const said = await host.as.mutation(addMultipleParticipants, {
    meetingId,
    participants: [{ userId: ada.id, role: "participant" }],
    onExisting: "skip",
  });
  expect(said.skipped).toMatchObject([{ code: "already_participant" }]);
  expect(added).toHaveLength(1);
});

test("forceRecording tells hosts to record, and nobody else", async () => {
  const { app, host, meetingId, add } = await meetingWith({ forceRecording: true });
  const ada = await signUp(app, "ada");
  await add([ada, "co-host"]);
  await host.as.mutation(startMeeting, { meetingId });
  expect(await host.as.mutation(joinMeeting, { meetingId })).toEqual({
    success: true,
    shouldStartRecording: true,
  });
  expect(await ada.as.mutation(joinMeeting, { meetingId })).toEqual({ success: true });
});

describe("with the clock in hand", () => {
  const now = 1_800_000_000_000;
  beforeEach(() => void vi.useFakeTimers({ now, toFake: ["Date"] }));
  afterEach(() => void vi.useRealTimers());

  test("earlyJoinMs lets the first who comes start a meeting so long before its time, and no earlier", async () => {
    const { app, host } = await meetingWith({ earlyJoinMs: 60_000 });
    const ada = await signUp(app, "ada");
    const { meetingId } = await host.as.mutation(createMeeting, { title: "A", scheduledAt: now + 100_000 });
    await host.as.mutation(addMultipleParticipants, {
      meetingId,
      participants: [{ userId: ada.id, role: "participant" }],
    });
    vi.setSystemTime(now + 39_999);
    expect(await codeOf(ada.as.mutation(joinMeeting, { meetingId }))).toBe("MEETING_NOT_ACTIVE");
    vi.setSystemTime(now + 40_000);
    await ada.as.mutation(joinMeeting, { meetingId });
    expect(await app.run((ctx) => ctx.db.get("meetings", meetingId))).toMatchObject({
      state: "active",
      joinedCount: 1,
    });
  });

  test("mutationsPerSecond bounds what all callers of a tenant change together, and nobody else", async () => {
    const { app, host, meetingId, add } = await meetingWith({ mutationsPerSecond: 2 });
    const [ada, other] = await signUpAll(app, "ada", "other");
    await add([ada, "participant"]);
    await host.as.mutation(startMeeting, { meetingId });
    for (let call = 0; call < 3; call += 1) {
      await ada.as.mutation(joinMeeting, { meetingId });
      await host.as.mutation(joinMeeting, { meetingId });
    }
    expect(await errorOf(ada.as.mutation(joinMeeting, { meetingId }))).toMatchObject({
      code: "RATE_LIMITED",
      retryAfterMs: 500,
    });
    expect(await codeOf(host.as.mutation(createMeeting, { title: "More" }))).toBe("RATE_LIMITED");
    await other.as.mutation(createMeeting, { title: "Elsewhere" });
    vi.setSystemTime(now + 500);
    await ada.as.mutation(joinMeeting, { meetingId });
  });
});

describe("firstParticipantIsHost", () => {
  const addTo = (config: ConfigChanges, role?: "observer") =>
    newApp().run(async (ctx) => {
      const tenant = await ensureTenant(ctx, { kind: "custom", of: "acme" });
      const given = { title: "Room" };
      const edit = await insertMeeting(
        ctx,
        { ...tenant, config: config as object },
        { kind: "system" },
        given,
      );
      const entries = ["first", "second"].map((externalId) => ({ externalId, ...(role && { role }) }));
      await addParticipants(edit, entries, { onExisting: "skip", onInvalid: "failAll", onFull: "failAll" });
      await edit.save();
      return (await ctx.db.query("meetingParticipants").collect()).map((row) => row.role);
    });

  test("makes a host of the first who comes without a role into a meeting without a host", async () => {
    expect(await addTo({ firstParticipantIsHost: true })).toEqual(["host", "participant"]);
  });

  test("leaves a role alone that is said, and does nothing unless it is wished", async () => {
    expect(await addTo({ firstParticipantIsHost: true }, "observer")).toEqual(["observer", "observer"]);
    expect(await addTo({})).toEqual(["participant", "participant"]);
  });
});
