import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { api } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import type { Capabilities } from "../../convex/contract/capabilities";
import type { ParticipantRole, Presence } from "../../convex/contract/participants";
import { EVERYTHING } from "../../convex/model/capabilities";
import { type App, type Person, codeOf, newApp, newMeeting, signUp } from "./setup";
import { at, deliver, userEvent, WEBHOOK_SECRET } from "./workosEvents";

const { createGuest, updateGuest } = api.guests.mutations;
const { getGuest, listGuests } = api.guests.queries;
const { addMultipleParticipants, createMeeting, joinMeeting, startMeeting } = api.meetings.lifecycle;
const { deactivateUser, upsertUser } = api.users.mutations;

const DAY_MS = 24 * 60 * 60_000;

const firstPage = { paginationOpts: { numItems: 10, cursor: null } };

/** Signs a person in whose token vouches for the address. */
function signInWith(app: App, name: string, email: string, claims = {}): Promise<Person> {
  return signUp(app, name, { email, ...claims });
}

describe("managing guests", () => {
  test("is for the tenant's admins, and for hosts within the tenant of their meeting", async () => {
    const app = newApp();
    const admin = await signUp(app, "admin", { org_id: "org_1", role: "admin" });
    const host = await signUp(app, "host", { org_id: "org_1", role: "member" });
    const stranger = await signUp(app, "stranger", { org_id: "org_2", role: "admin" });
    const { meetingId } = await host.as.mutation(createMeeting, { title: "A" });

    const guestId = await admin.as.mutation(createGuest, { externalId: "crm-1", displayName: "Grace" });
    const second = await host.as.mutation(createGuest, { meetingId, externalId: "crm-2" });
    expect(await codeOf(host.as.mutation(createGuest, { externalId: "crm-3" }))).toBe("FORBIDDEN");
    expect(await codeOf(stranger.as.mutation(createGuest, { meetingId, externalId: "x" }))).toBe("FORBIDDEN");
    expect(await codeOf(host.as.mutation(updateGuest, { guestId }))).toBe("FORBIDDEN");
    expect(await codeOf(stranger.as.mutation(updateGuest, { guestId }))).toBe("GUEST_NOT_FOUND");

    const { page } = await host.as.query(listGuests, { meetingId, ...firstPage });
    expect(page.map(({ _id }) => _id)).toEqual([guestId, second]);
    expect((await admin.as.query(listGuests, firstPage)).page).toEqual(page);
    expect((await stranger.as.query(listGuests, firstPage)).page).toEqual([]);
    expect(await codeOf(host.as.query(listGuests, firstPage))).toBe("FORBIDDEN");
    expect(await admin.as.query(getGuest, { externalId: "crm-1" })).toMatchObject({ displayName: "Grace" });
    expect(await host.as.query(getGuest, { meetingId, guestId })).toMatchObject({ externalId: "crm-1" });
    expect(await stranger.as.query(getGuest, { guestId })).toBeNull();
    expect(await admin.as.query(getGuest, { guestId: "nobody" as Id<"guests"> })).toBeNull();
  });

  test("keeps external ids apart, and removes a field by null", async () => {
    const app = newApp();
    const ada = await signUp(app, "ada");
    const guestId = await ada.as.mutation(createGuest, {
      externalId: "crm-1",
      email: "Grace@Example.com",
      sip: "grace@pbx.example.com",
    });
    expect(await codeOf(ada.as.mutation(createGuest, { externalId: "crm-1" }))).toBe("GUEST_EXISTS");
    const other = await ada.as.mutation(createGuest, { externalId: "crm-2" });
    const taken = ada.as.mutation(updateGuest, { guestId: other, externalId: "crm-1" });
    expect(await codeOf(taken)).toBe("GUEST_EXISTS");
    await ada.as.mutation(updateGuest, {
      guestId,
      externalId: "crm-1",
      sip: null,
      phone: "+44 20 7946 0018",
    });
    expect(await ada.as.query(getGuest, { guestId })).toEqual({
      _id: guestId,
      _creationTime: expect.any(Number),
      tenantId: expect.any(String),
      externalId: "crm-1",
      email: "grace@example.com",
      phone: "+44 20 7946 0018",
    });
    expect(await codeOf(ada.as.mutation(createGuest, {}))).toBe("INVALID_ARGUMENT");
  });
});

describe("a guest who signs in", () => {
  test("with the guest's verified address is the user from then on, in every meeting", async () => {
    const { app, host, meetingId, rows, meeting } = await newMeeting();
    const participants = [{ externalId: "crm-1", email: "grace@example.com", role: "co-host" as const }];
    const { added } = await host.as.mutation(addMultipleParticipants, { meetingId, participants });
    const forger = await signUp(app, "forger");
    await forger.as.mutation(upsertUser, { workosUserId: "forger", email: "grace@example.com" });
    expect((await rows())[1]).toHaveProperty("guestId");

    const grace = await signInWith(app, "grace", "Grace@Example.com");
    expect((await rows())[1]).toMatchObject({
      _id: added[0],
      userId: grace.id,
      role: "co-host",
      tokenVersion: 1,
    });
    expect((await rows())[1]).not.toHaveProperty("guestId");
    expect(await meeting()).toMatchObject({ participantCount: 2 });
    expect(await grace.as.query(api.meetings.queries.getMeeting, { meetingId })).toMatchObject({
      userRole: "co-host",
    });
    const again = await host.as.mutation(addMultipleParticipants, { meetingId, participants });
    expect(again.skipped).toMatchObject([{ code: "already_participant" }]);
    const events = await app.run((ctx) => ctx.db.query("meetingEvents").collect());
    expect(events.at(-1)).toMatchObject({
      type: "guest.bound",
      actor: { kind: "system" },
      changes: [{ subject: added[0], after: { userId: grace.id } }],
    });
  });

  test("keeps the better of two places in one meeting, and frees the other", async () => {
    const { app, host, meetingId, rows, meeting } = await newMeeting({ maxParticipants: 3 });
    const grace = await signUp(app, "grace");
    const late = await signUp(app, "late");
    await host.as.mutation(addMultipleParticipants, {
      meetingId,
      onFull: "waitlist",
      participants: [
        { userId: grace.id, role: "observer", nickname: "G" },
        { externalId: "crm-1", email: "grace@example.com", role: "host", nickname: "No", level: 3 },
        { userId: late.id, role: "participant" },
      ],
    });
    await signInWith(app, "grace", "grace@example.com");
    expect((await rows()).map(({ userId, role }) => [userId, role])).toEqual([
      [host.id, "host"],
      [grace.id, "host"],
      [late.id, "participant"],
    ]);
    expect((await rows())[1]).toMatchObject({ nickname: "G", level: 3 });
    expect(await meeting()).toMatchObject({ participantCount: 3, waitlistCount: 0 });
  });

  test("has not left where either of the two is there", async () => {
    const { app, host, meetingId, rows } = await newMeeting();
    const grace = await signUp(app, "grace");
    const { added } = await host.as.mutation(addMultipleParticipants, {
      meetingId,
      participants: [
        { userId: grace.id, role: "participant" },
        { externalId: "crm-1", email: "grace@example.com", role: "participant" },
      ],
    });
    await host.as.mutation(startMeeting, { meetingId });
    await grace.as.mutation(joinMeeting, { meetingId });
    const guest = added[1] as Id<"meetingParticipants">;
    await app.run((ctx) => ctx.db.patch("meetingParticipants", guest, { presence: "left", leftAt: 1 }));
    await signInWith(app, "grace", "grace@example.com");
    expect((await rows())[1]).toMatchObject({ userId: grace.id, presence: "joined" });
    expect((await rows())[1]).not.toHaveProperty("leftAt");
  });

  test.each([
    [{ video: "Receive" }, {}, { video: "Receive" }],
    [
      { audio: "None" },
      { video: "Send", content: "None" },
      { audio: "None", video: "Send", content: "None" },
    ],
    [{ audio: "Send" }, { audio: "Receive" }, { audio: "None" }],
    [{ audio: "Send" }, undefined, { audio: "Send" }],
    [undefined, { audio: "Send" }, { audio: "Send" }],
    [undefined, undefined, undefined],
  ] as const)("may do what both may: with %j and %j it is %j", async (ofGuest, ofUser, expected) => {
    const { app, host, meetingId, rows } = await newMeeting();
    const grace = await signUp(app, "grace");
    const given = (capabilities: Partial<Capabilities> | undefined) =>
      capabilities && { capabilities: { ...EVERYTHING, ...capabilities } };
    await host.as.mutation(addMultipleParticipants, {
      meetingId,
      participants: [
        { userId: grace.id, role: "participant", ...given(ofUser) },
        { externalId: "crm-1", email: "grace@example.com", role: "participant", ...given(ofGuest) },
      ],
    });
    await signInWith(app, "grace", "grace@example.com");
    expect((await rows())[1]?.capabilities).toEqual(given(expected)?.capabilities);
  });

  test("brings the guest's turn on the waitlist along", async () => {
    const { app, host, meetingId, rows, meeting } = await newMeeting({ maxParticipants: 2 });
    const ada = await signUp(app, "ada");
    await host.as.mutation(addMultipleParticipants, {
      meetingId,
      onFull: "waitlist",
      participants: [
        { userId: ada.id, role: "participant" },
        { externalId: "crm-1", email: "grace@example.com", role: "observer" },
      ],
    });
    const grace = await signInWith(app, "grace", "grace@example.com");
    expect(await meeting()).toMatchObject({ waitlistCount: 1 });
    await host.as.mutation(api.meetings.lifecycle.removeParticipant, { meetingId, userId: ada.id });
    expect((await rows())[1]).toMatchObject({ userId: grace.id, role: "observer" });
  });

  test("stays banned where the guest was", async () => {
    const { app, host, meetingId, rows, meeting } = await newMeeting();
    const grace = await signUp(app, "grace");
    await host.as.mutation(addMultipleParticipants, {
      meetingId,
      participants: [{ userId: grace.id, role: "participant" }],
    });
    const guestId = await host.as.mutation(createGuest, { externalId: "crm-1", email: "grace@example.com" });
    await app.run(async (ctx) => {
      await ctx.db.insert("bans", { meetingId, guestId });
      await ctx.db.patch("meetings", meetingId, { banCount: 1 });
    });
    await signInWith(app, "grace", "grace@example.com");
    expect((await rows()).map(({ userId }) => userId)).toEqual([host.id]);
    expect(await meeting()).toMatchObject({ participantCount: 1, banCount: 1 });
    const back = await host.as.mutation(addMultipleParticipants, {
      meetingId,
      participants: [{ userId: grace.id, role: "participant" }],
    });
    expect(back.skipped).toMatchObject([{ code: "banned" }]);
  });

  test.each([
    ["the guest's", {}, { expiresAt: Date.now() + DAY_MS }],
    ["the user's", { expiresAt: Date.now() + DAY_MS }, {}],
  ])("has one ban where both were banned, %s, as the events tell", async (_, ofGuest, ofUser) => {
    const { app, host, meetingId, meeting } = await newMeeting();
    const grace = await signUp(app, "grace");
    const guestId = await host.as.mutation(createGuest, { email: "grace@example.com" });
    const ban = (
      person: { guestId: Id<"guests"> } | { userId: Id<"users"> },
      terms: { expiresAt?: number },
    ) => host.as.mutation(api.meetings.bans.banParticipants, { meetingId, people: [person], ...terms });
    await ban({ guestId }, ofGuest);
    await ban({ userId: grace.id }, ofUser);
    await signInWith(app, "grace", "grace@example.com");

    const told = new Map<string, unknown>();
    for (const { type, changes } of await app.run((ctx) => ctx.db.query("meetingEvents").collect())) {
      for (const { subject, after } of changes) {
        if (type === "participants.banned") told.set(subject, after);
        if (type === "participants.unbanned") told.delete(subject);
        if (type === "guest.bound") told.set(subject, after);
      }
    }
    const bans = await app.run((ctx) => ctx.db.query("bans").collect());
    expect(bans).toMatchObject([{ userId: grace.id }]);
    expect(bans[0]).not.toHaveProperty("expiresAt");
    expect([...told]).toEqual([[bans[0]?._id, { userId: grace.id }]]);
    expect(await meeting()).toMatchObject({ banCount: 1 });
  });

  test("is known by the external id that WorkOS has of the user, within the organization alone", async () => {
    vi.stubEnv("WORKOS_WEBHOOK_SECRET", WEBHOOK_SECRET);
    const app = newApp();
    const inside = await signUp(app, "inside", { org_id: "org_1", role: "admin" });
    const outside = await signUp(app, "outside", { org_id: "org_2", role: "admin" });
    const guestId = await inside.as.mutation(createGuest, { externalId: "crm-1" });
    const foreign = await outside.as.mutation(createGuest, { externalId: "crm-1" });
    const grace = await signUp(app, "user_ada", { org_id: "org_1" });
    await deliver(app, userEvent("event_1", "user.updated", 1, { external_id: "crm-1", updated_at: at(1) }));
    expect(await inside.as.query(getGuest, { guestId })).toMatchObject({ userId: grace.id });
    expect(await outside.as.query(getGuest, { guestId: foreign })).not.toHaveProperty("userId");
  });

  test("is bound at once to the user who has the address already", async () => {
    const { app, host, meetingId, rows } = await newMeeting();
    const grace = await signInWith(app, "grace", "grace@example.com");
    const known = await host.as.mutation(createGuest, { email: "Grace@example.com" });
    expect(await host.as.query(getGuest, { guestId: known })).toMatchObject({ userId: grace.id });
    const guestId = await host.as.mutation(createGuest, { externalId: "crm-1" });
    await host.as.mutation(addMultipleParticipants, {
      meetingId,
      participants: [{ guestId, role: "participant" }],
    });
    await host.as.mutation(updateGuest, { guestId, email: "grace@example.com" });
    expect((await rows())[1]).toMatchObject({ userId: grace.id });
  });

  test.each([
    ["before", ["user.deleted", "user.created"]],
    ["after", ["user.created", "user.deleted"]],
  ])("is the new account's when WorkOS reports the first one's deletion %s it", async (_, order) => {
    vi.stubEnv("WORKOS_WEBHOOK_SECRET", WEBHOOK_SECRET);
    const { app, host, meetingId, rows } = await newMeeting();
    const guestId = await host.as.mutation(createGuest, { externalId: "crm-1", email: "ada@workos.example" });
    await deliver(app, userEvent("event_1", "user.created", 1, { email_verified: true }));
    const first = await host.as.query(getGuest, { guestId });
    for (const event of order) {
      const data = event === "user.created" ? { id: "user_ada2", email_verified: true } : {};
      await deliver(app, userEvent(`event_${event}`, event, 2, data));
    }
    const participants = [{ externalId: "crm-1", role: "participant" as const }];
    expect((await host.as.mutation(addMultipleParticipants, { meetingId, participants })).skipped).toEqual(
      [],
    );
    const bound = await host.as.query(getGuest, { guestId });
    expect(bound?.userId).not.toBe(first?.userId);
    expect((await rows())[1]).toMatchObject({ userId: bound?.userId });
  });

  test("stays the user who is active, whoever has the address now", async () => {
    const { app, host } = await newMeeting();
    const first = await signInWith(app, "first", "grace@example.com");
    const guestId = await host.as.mutation(createGuest, { email: "grace@example.com" });
    const second = await signInWith(app, "second", "grace@example.com");
    const userId = async () => (await host.as.query(getGuest, { guestId }))?.userId;
    await host.as.mutation(updateGuest, { guestId, email: "grace@example.com" });
    expect(await userId()).toBe(first.id);
    await first.as.mutation(deactivateUser, { userId: first.id });
    await host.as.mutation(updateGuest, { guestId, email: "grace@example.com" });
    expect(await userId()).toBe(second.id);
  });

  test("is one person with the user when added under a new external id, however the request names them", async () => {
    const { app, host, meetingId, rows } = await newMeeting();
    const [grace, ada] = [
      await signInWith(app, "grace", "grace@example.com"),
      await signInWith(app, "ada", "ada@example.com"),
    ];
    const role = "participant" as const;
    const { added, skipped } = await host.as.mutation(addMultipleParticipants, {
      meetingId,
      participants: [
        { externalId: "crm-1", role },
        { externalId: "crm-1", email: "Grace@example.com", role },
        { externalId: "crm-1", email: "ada@example.com", role },
        { externalId: "crm-2", email: "grace@example.com", role },
        { userId: grace.id, role },
      ],
    });
    expect(skipped.map(({ code }) => code)).toEqual(Array(4).fill("duplicate"));
    const again = await host.as.mutation(addMultipleParticipants, {
      meetingId,
      participants: [
        { externalId: "crm-1", role },
        { userId: ada.id, role },
      ],
      onExisting: "return",
    });
    expect(again.existing).toEqual(added);
    expect((await rows()).map(({ userId }) => userId)).toEqual([host.id, grace.id, ada.id]);
    const ofMeeting = { meetingId, ...firstPage };
    expect((await host.as.query(listGuests, ofMeeting)).page).toMatchObject([
      { externalId: "crm-1", email: "grace@example.com", userId: grace.id },
    ]);
  });

  test("is noted under a new external id also if the user is in the meeting already", async () => {
    const { app, host, meetingId, rows } = await newMeeting();
    const grace = await signInWith(app, "grace", "grace@example.com");
    const add = (entry: { userId: typeof grace.id } | { externalId: string; email?: string }) =>
      host.as.mutation(addMultipleParticipants, {
        meetingId,
        participants: [{ ...entry, role: "observer" }],
        onExisting: "update",
      });
    const { added } = await add({ userId: grace.id });
    for (const entry of [{ externalId: "crm-1", email: "grace@example.com" }, { externalId: "crm-1" }]) {
      expect(await add(entry)).toMatchObject({ added: [], updated: added });
    }
    expect(await rows()).toHaveLength(2);
  });
});

describe("a guest in very many meetings, or under very many names", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("is bound in all of them, page by page", async () => {
    const app = newApp();
    const host = await signUp(app, "host");
    const participants = [{ externalId: "crm-1", email: "grace@example.com", role: "participant" as const }];
    for (let index = 0; index < 60; index += 1) {
      const { meetingId } = await host.as.mutation(createMeeting, { title: `${index}` });
      await host.as.mutation(addMultipleParticipants, { meetingId, participants });
    }
    const grace = await signInWith(app, "grace", "grace@example.com");
    await app.finishAllScheduledFunctions(() => vi.runAllTimers());
    const meetings = await grace.as.query(api.meetings.queries.listUserMeetings, { limit: 200 });
    expect(meetings).toHaveLength(60);
  });

  test("is bound under all external ids, page by page, whoever had the address before", async () => {
    const { app, meetingId } = await newMeeting();
    const email = "grace@example.com";
    await app.run(async (ctx) => {
      const tenantId = (await ctx.db.get("meetings", meetingId))?.tenantId as Id<"tenants">;
      for (let index = 0; index < 60; index += 1) {
        const name = `former${index}`;
        const user = { workosUserId: name, email, isActive: index % 3 > 0 };
        const userId = await ctx.db.insert("users", user);
        for (const of of [0, 1]) {
          await ctx.db.insert("guests", { tenantId, email, externalId: `${name}.${of}`, userId });
        }
      }
    });
    const grace = await signInWith(app, "grace", email);
    await app.finishAllScheduledFunctions(() => vi.runAllTimers());
    const guests = await app.run((ctx) => ctx.db.query("guests").collect());
    const bound = guests.flatMap(({ userId, externalId }) => (userId === grace.id ? [externalId] : []));
    expect(bound).toHaveLength(40);
    expect(bound.every((name) => Number(/\d+/.exec(name ?? "")?.[0]) % 3 === 0)).toBe(true);
  });
});

test("whatever a guest and a user are in a meeting, one row is left with a host, and the counts are right", async () => {
  const role = fc.constantFrom<ParticipantRole>("host", "co-host", "participant", "observer");
  const presence = fc.constantFrom<Presence>("invited", "waiting", "joined", "left");
  const place = fc.record({ role, presence });
  const ban = fc.option(fc.record({ isOver: fc.boolean() }), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(place, fc.option(place), ban, ban, async (ofGuest, ofUser, guestBan, userBan) => {
      const { app, host, meetingId, rows, meeting } = await newMeeting();
      const grace = await signUp(app, "grace");
      const guestId = await host.as.mutation(createGuest, { email: "grace@example.com" });
      await app.run(async (ctx) => {
        const people = [{ guestId, ...ofGuest }, ...(ofUser ? [{ userId: grace.id, ...ofUser }] : [])];
        for (const person of people) await ctx.db.insert("meetingParticipants", { meetingId, ...person });
        const bans = [
          ...(guestBan ? [{ guestId, ...guestBan }] : []),
          ...(userBan ? [{ userId: grace.id, ...userBan }] : []),
        ];
        for (const { isOver, ...person } of bans) {
          await ctx.db.insert("bans", { meetingId, ...person, ...(isOver && { expiresAt: 1 }) });
        }
        await ctx.db.patch("meetings", meetingId, {
          participantCount: 1 + people.length,
          joinedCount: people.filter((person) => person.presence === "joined").length,
          banCount: bans.length,
        });
      });
      await signInWith(app, "grace", "grace@example.com");
      const after = await rows();
      const bans = await app.run((ctx) => ctx.db.query("bans").collect());
      const isBanned = [guestBan, userBan].some((one) => one && !one.isOver);
      expect(after.map(({ userId }) => userId)).toEqual(isBanned ? [host.id] : [host.id, grace.id]);
      expect(await meeting()).toMatchObject({
        participantCount: after.length,
        joinedCount: after.filter((row) => row.presence === "joined").length,
        banCount: bans.length,
      });
      expect(bans.every(({ userId }) => userId === grace.id)).toBe(true);
      const roles = [ofGuest.role, ofUser?.role];
      expect(after[1]?.role === "host").toBe(!isBanned && roles.includes("host"));
    }),
    { numRuns: 40 },
  );
}, 60_000);
