import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { api, internal } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import type { InvitationEntry } from "../../convex/contract/invitations";
import { type App, codeOf, errorOf, newMeeting, type Person, signUp } from "./setup";

const {
  inviteParticipants,
  resendInvitation,
  revokeInvitation,
  listInvitations,
  listOwnInvitations,
  acceptInvitation,
  declineInvitation,
} = api.meetings.invitations;
const { cancelMeeting, createMeeting, endMeeting, startMeeting, removeParticipant } = api.meetings.lifecycle;

const now = 1_800_000_000_000;
const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
const grace = "grace@example.com";

beforeEach(() => void vi.useFakeTimers({ now }));
afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

type Options = Partial<Omit<(typeof inviteParticipants)["_args"], "meetingId" | "invitations">>;

/** A meeting, and how its host invites people to it. */
async function stage(args: Parameters<typeof newMeeting>[0] = {}) {
  const setting = await newMeeting(args);
  const { app, host, meetingId } = setting;
  const inviteWith = async (options: Options, ...invitations: InvitationEntry[]) => {
    const { results } = await host.as.mutation(inviteParticipants, { meetingId, invitations, ...options });
    return results;
  };
  const inviteOne = async (entry: InvitationEntry, options: Options = {}) => {
    const [result] = await inviteWith(options, entry);
    return result?.invitationId as Id<"invitations">;
  };
  const invitation = (id: Id<"invitations">) => app.run((ctx) => ctx.db.get("invitations", id));
  const answer = (person: Person, token: string) => person.as.mutation(acceptInvitation, { token });
  return { ...setting, inviteWith, inviteOne, invitation, answer };
}

/** Delivers the outbox, and gives its messages. */
async function delivered(app: App) {
  await app.finishAllScheduledFunctions(() => vi.advanceTimersByTime(1));
  return app.run((ctx) => ctx.db.query("outbox").collect());
}

/** The secret in the newest message. */
async function secret(app: App): Promise<string> {
  const message = (await delivered(app)).at(-1);
  return /code of your invitation: (\S+)/.exec(message?.text ?? "")?.[1] ?? "none";
}

describe("inviting", () => {
  test("takes addresses of every channel, with a terminal, a role and data, and says what came of each", async () => {
    const { app, host, meetingId, inviteWith, meeting } = await stage();
    const results = await inviteWith(
      {},
      { email: "Grace@Example.com", displayName: "Grace", attributes: { team: "navy" } },
      { phone: "+44 20 7946 0018", terminalType: "mobile" },
      { sip: "board7@pbx.example.com", terminalType: "ideahub", role: "observer" },
      { sms: "+44 20 7946 0018", role: "host" },
      { email: grace },
    );
    expect(results.map(({ status, code }) => code ?? status)).toEqual([
      "invited",
      "invited",
      "invited",
      "invited",
      "duplicate",
    ]);
    const again = await inviteWith({}, { email: grace }, { sms: "+44 20 7946 0018" });
    expect(again.map(({ code }) => code)).toEqual(["already_invited", "already_invited"]);
    const { page } = await host.as.query(listInvitations, {
      meetingId,
      state: "pending",
      paginationOpts: { numItems: 10, cursor: null },
    });
    expect(
      page.map(({ channel, address, terminalType, role }) => [channel, address, terminalType, role]),
    ).toEqual(
      expect.arrayContaining([
        ["email", grace, "normal", "participant"],
        ["phone", "+44 20 7946 0018", "mobile", "participant"],
        ["sip", "board7@pbx.example.com", "ideahub", "observer"],
        ["sms", "+44 20 7946 0018", "normal", "host"],
      ]),
    );
    expect(page[0]).toMatchObject({ expiresAt: now + 7 * DAY_MS, invitedBy: host.id });
    expect(page.some((row) => "tokenHash" in row || "messageId" in row)).toBe(false);
    expect(await meeting()).toMatchObject({ participantCount: 1, invitationCount: 4 });
    expect(await delivered(app)).toHaveLength(4);
  });

  test("passes over who is in the meeting, banned or deactivated", async () => {
    const { app, host, meetingId, add, inviteWith } = await stage();
    const [ada, bob, cyd] = [
      await signUp(app, "ada", { email: "ada@example.com" }),
      await signUp(app, "bob", { email: "bob@example.com" }),
      await signUp(app, "cyd", { email: "cyd@example.com" }),
    ];
    await add([ada, "participant"]);
    await app.run(async (ctx) => {
      await ctx.db.insert("bans", { meetingId, userId: bob.id });
      await ctx.db.patch("meetings", meetingId, { banCount: 1 });
    });
    await cyd.as.mutation(api.users.mutations.deactivateUser, { userId: cyd.id });
    const emails = ["ada", "bob", "cyd"].map((name) => ({ email: `${name}@example.com` }));
    const codes = ["already_participant", "banned", "user_inactive"];
    for (const onKnown of ["invite", "add"] as const) {
      expect((await inviteWith({ onKnown }, ...emails)).map(({ code }) => code)).toEqual(codes);
    }
    expect(host.id).not.toBe(ada.id);
    expect(await delivered(app)).toEqual([]);
  });

  test("invites users like others, or adds them at once where the caller wants that", async () => {
    const { app, inviteWith, rows, meeting } = await stage({ maxParticipants: 2 });
    const ada = await signUp(app, "ada", { email: "ada@example.com" });
    await signUp(app, "bob", { email: "bob@example.com" });
    const results = await inviteWith(
      { onKnown: "add", onFull: "waitlist" },
      { email: "ada@example.com", role: "observer" },
      { email: "bob@example.com" },
      { email: grace },
    );
    expect(results.map(({ status }) => status)).toEqual(["added", "waitlisted", "invited"]);
    expect((await rows())[1]).toMatchObject({
      _id: results[0]?.participantId,
      userId: ada.id,
      role: "observer",
    });
    expect(await meeting()).toMatchObject({ participantCount: 2, waitlistCount: 1, invitationCount: 1 });
  });

  test("writes and sends nothing in a dry run, and is done once with a key", async () => {
    const { app, inviteWith } = await stage();
    const dry = await inviteWith({ dryRun: true }, { email: grace });
    expect(dry).toMatchObject([{ status: "invited" }]);
    expect(await delivered(app)).toEqual([]);
    const first = await inviteWith({ idempotencyKey: "k" }, { email: grace });
    expect(await inviteWith({ idempotencyKey: "k" }, { email: grace })).toEqual(first);
    expect(await delivered(app)).toHaveLength(1);
  });

  test("is limited to so many messages a day for a tenant", async () => {
    vi.stubEnv("MESSAGES_PER_DAY", "3");
    const { inviteWith, inviteOne } = await stage();
    await inviteWith({}, { email: "a@example.com" }, { email: "b@example.com" });
    const call = inviteWith({}, { email: "c@example.com" }, { email: "d@example.com" });
    const midnight = Date.UTC(2027, 0, 16);
    expect(await errorOf(call)).toMatchObject({ code: "RATE_LIMITED", retryAfterMs: midnight - now });
    expect(await inviteOne({ email: "c@example.com" })).toBeDefined();
    vi.setSystemTime(midnight);
    const more = ["d", "e", "f", "g"].map((name) => ({ email: `${name}@example.com` }));
    expect(await errorOf(inviteWith({}, ...more))).toMatchObject({
      code: "RATE_LIMITED",
      retryAfterMs: DAY_MS,
    });
  });

  test("is limited for the whole of each day, whenever old rate limits are deleted", async () => {
    vi.stubEnv("MESSAGES_PER_DAY", "3");
    const { app, inviteWith } = await stage();
    const invite = (day: number, ...names: string[]) =>
      inviteWith({}, ...names.map((name) => ({ email: `${name}${day}@example.com` })));
    for (const day of [0, 1, 2]) {
      vi.setSystemTime(now + day * DAY_MS);
      await invite(day, "a");
      await app.mutation(internal.cleanUp.deleteOldRateLimits, {});
      vi.setSystemTime(now + day * DAY_MS + HOUR_MS);
      await invite(day, "b", "c");
      await app.mutation(internal.cleanUp.deleteOldRateLimits, {});
      expect(await codeOf(invite(day, "d"))).toBe("RATE_LIMITED");
      vi.setSystemTime(now + day * DAY_MS + 15 * HOUR_MS);
      expect(await codeOf(invite(day, "d"))).toBe("RATE_LIMITED");
    }
  });

  test("takes exactly one address for each", async () => {
    const { inviteWith } = await stage();
    for (const wrong of [
      {},
      { email: grace, phone: "+44 20 7946 0018" },
      { sip: "no address" },
      { email: "x" },
    ]) {
      expect(await codeOf(inviteWith({}, wrong))).toBe("INVALID_ARGUMENT");
    }
  });
});

describe("accepting", () => {
  test("makes whoever has the secret of the link a participant, once", async () => {
    const { app, inviteOne, invitation, answer, rows, meeting, meetingId } = await stage();
    const id = await inviteOne({ sms: "+44 20 7946 0018", role: "co-host", nickname: "G" });
    const token = await secret(app);
    const ada = await signUp(app, "ada");
    const accepted = await answer(ada, token);
    expect((await rows())[1]).toMatchObject({
      _id: accepted.participantId,
      userId: ada.id,
      role: "co-host",
      nickname: "G",
      presence: "invited",
    });
    expect(accepted.meetingId).toBe(meetingId);
    expect(await invitation(id)).toMatchObject({ state: "accepted", acceptedBy: ada.id });
    expect(await meeting()).toMatchObject({ participantCount: 2, invitationCount: 0 });
    const bob = await signUp(app, "bob");
    expect(await codeOf(answer(bob, token))).toBe("INVITATION_CLOSED");
    expect(await codeOf(answer(bob, "guessed"))).toBe("INVITATION_NOT_FOUND");
  });

  test("by its id is for the verified address alone", async () => {
    const { app, inviteOne, rows } = await stage();
    const user = await signUp(app, "grace", { email: grace });
    const other = await signUp(app, "other");
    const invitationId = await inviteOne({ email: grace });
    expect(await user.as.query(listOwnInvitations, {})).toMatchObject([
      { _id: invitationId, title: "Planning", role: "participant" },
    ]);
    expect(await other.as.query(listOwnInvitations, {})).toEqual([]);
    const stolen = other.as.mutation(acceptInvitation, { invitationId });
    expect(await codeOf(stolen)).toBe("INVITATION_NOT_FOUND");
    await user.as.mutation(acceptInvitation, { invitationId });
    expect((await rows())[1]).toMatchObject({ userId: user.id });
  });

  test("fails when the meeting is full, or waits, as the invitation provides", async () => {
    const { app, inviteOne, invitation, answer, meeting, host, add, meetingId, rows } = await stage({
      maxParticipants: 2,
    });
    const [ada, bob] = [await signUp(app, "ada"), await signUp(app, "bob")];
    await add([ada, "participant"]);
    const strict = await inviteOne({ sms: "+1 555 0100" });
    expect(await codeOf(answer(bob, await secret(app)))).toBe("MEETING_FULL");
    expect(await invitation(strict)).toMatchObject({ state: "pending" });
    await inviteOne({ sms: "+1 555 0101" }, { onFull: "waitlist" });
    expect(await answer(bob, await secret(app))).toEqual({ meetingId, waiting: true });
    expect(await meeting()).toMatchObject({ waitlistCount: 1, invitationCount: 1 });
    await host.as.mutation(removeParticipant, { meetingId, userId: ada.id });
    expect((await rows())[1]).toMatchObject({ userId: bob.id });
  });

  test("is no way around a ban or the end of the meeting", async () => {
    const { app, host, meetingId, inviteOne, answer } = await stage();
    const ada = await signUp(app, "ada");
    await inviteOne({ sms: "+1 555 0100" });
    const token = await secret(app);
    await app.run(async (ctx) => {
      await ctx.db.insert("bans", { meetingId, userId: ada.id });
      await ctx.db.patch("meetings", meetingId, { banCount: 1 });
    });
    expect(await codeOf(answer(ada, token))).toBe("BANNED");
    await host.as.mutation(startMeeting, { meetingId });
    await host.as.mutation(endMeeting, { meetingId });
    expect(await codeOf(answer(await signUp(app, "bob"), token))).toBe("MEETING_CLOSED");
  });

  test("leaves alone who is in the meeting already", async () => {
    const { app, host, inviteOne, answer, rows } = await stage();
    await inviteOne({ sms: "+1 555 0100", role: "observer" });
    await answer(host, await secret(app));
    expect(await rows()).toMatchObject([{ userId: host.id, role: "host" }]);
  });
});

describe("who signs up with an invited address", () => {
  test("is a participant in the same moment, where there is a place", async () => {
    const { app, inviteOne, invitation, rows, meeting } = await stage();
    const id = await inviteOne({ email: grace, role: "observer" });
    await inviteOne({ sip: grace });
    await signUp(app, "forger");
    expect(await rows()).toHaveLength(1);
    const user = await signUp(app, "grace", { email: "Grace@Example.com" });
    expect((await rows())[1]).toMatchObject({ userId: user.id, role: "observer", presence: "invited" });
    expect(await invitation(id)).toMatchObject({ state: "accepted", acceptedBy: user.id });
    expect(await meeting()).toMatchObject({ participantCount: 2, invitationCount: 1 });
  });

  test("is asked like others if they were a user before", async () => {
    const { app, inviteOne, rows } = await stage();
    await signUp(app, "grace", { email: grace });
    await inviteOne({ email: grace });
    await signUp(app, "grace", { email: grace });
    expect(await rows()).toHaveLength(1);
  });

  test("signs up in any case, and may accept later what cannot be now", async () => {
    const { app, inviteOne, invitation, rows } = await stage({ maxParticipants: 1 });
    const id = await inviteOne({ email: grace });
    const user = await signUp(app, "grace", { email: grace });
    expect(await rows()).toHaveLength(1);
    expect(await invitation(id)).toMatchObject({ state: "pending" });
    expect(await user.as.query(listOwnInvitations, {})).toHaveLength(1);
  });

  test("is added to however many meetings", async () => {
    const { app, host } = await stage();
    for (let index = 0; index < 45; index += 1) {
      const { meetingId } = await host.as.mutation(api.meetings.lifecycle.createMeeting, {
        title: `${index}`,
      });
      await host.as.mutation(inviteParticipants, { meetingId, invitations: [{ email: grace }] });
    }
    const user = await signUp(app, "grace", { email: grace });
    await delivered(app);
    const meetings = await user.as.query(api.meetings.queries.listUserMeetings, { limit: 200 });
    expect(meetings).toHaveLength(45);
  });
});

describe("an invitation", () => {
  test("expires at its time, and the cron writes it down", async () => {
    const { app, inviteOne, invitation, answer, meeting } = await stage();
    const id = await inviteOne({ sms: "+1 555 0100" }, { expiresInMs: 60_000 });
    const token = await secret(app);
    const ada = await signUp(app, "ada");
    vi.setSystemTime((await invitation(id))?.expiresAt ?? 0);
    expect(await codeOf(answer(ada, token))).toBe("INVITATION_EXPIRED");
    await app.mutation(internal.cleanUp.expireInvitations, {});
    expect(await invitation(id)).toMatchObject({ state: "expired" });
    expect(await meeting()).toMatchObject({ invitationCount: 0 });
    expect(await codeOf(answer(ada, token))).toBe("INVITATION_EXPIRED");
  });

  test("is sent again once a minute, with a new link, more time and no use for the old link", async () => {
    const { app, host, meetingId, inviteOne, invitation, answer, meeting } = await stage();
    const invitationId = await inviteOne({ sms: "+1 555 0100" });
    const old = await secret(app);
    const resend = () => host.as.mutation(resendInvitation, { meetingId, invitationId });
    expect(await codeOf(resend())).toBe("RATE_LIMITED");
    vi.setSystemTime(now + 8 * DAY_MS);
    await app.mutation(internal.cleanUp.expireInvitations, {});
    await resend();
    const token = await secret(app);
    const ada = await signUp(app, "ada");
    expect(await codeOf(answer(ada, old))).toBe("INVITATION_NOT_FOUND");
    expect(await invitation(invitationId)).toMatchObject({
      state: "pending",
      expiresAt: now + 15 * DAY_MS,
    });
    expect(await meeting()).toMatchObject({ invitationCount: 1 });
    await answer(ada, token);
    vi.advanceTimersByTime(60_000);
    expect(await codeOf(resend())).toBe("INVITATION_CLOSED");
  });

  test("is not sent again beside another one to the same address", async () => {
    const { host, meetingId, inviteOne } = await stage();
    const invitationId = await inviteOne({ email: grace }, { expiresInMs: 60_000 });
    vi.setSystemTime(now + 60_000);
    await inviteOne({ email: grace });
    const call = host.as.mutation(resendInvitation, { meetingId, invitationId });
    expect(await codeOf(call)).toBe("ALREADY_INVITED");
  });

  test("that has expired is not sent again where as many are pending as can be", async () => {
    const { app, host, meetingId, inviteOne, meeting } = await stage();
    const expired = await inviteOne({ email: grace }, { expiresInMs: 60_000 });
    vi.setSystemTime(now + 60_000);
    await app.mutation(internal.cleanUp.expireInvitations, {});
    const pending = await inviteOne({ sms: "+1 555 0100" });
    await app.run((ctx) => ctx.db.patch("meetings", meetingId, { invitationCount: 2000 }));
    vi.setSystemTime(now + 120_000);
    const resend = (invitationId: Id<"invitations">) =>
      host.as.mutation(resendInvitation, { meetingId, invitationId });
    expect(await codeOf(resend(expired))).toBe("TOO_MANY_INVITATIONS");
    await resend(pending);
    expect(await meeting()).toMatchObject({ invitationCount: 2000 });
  });

  test("to a meeting that is over does not hide later ones from who is invited", async () => {
    const { app, host, meetingId, inviteOne, invitation } = await stage();
    const user = await signUp(app, "grace", { email: grace });
    const first = await invitation(await inviteOne({ email: grace }));
    if (!first) throw new Error("Nobody was invited");
    const { _id, _creationTime, ...fields } = first;
    await app.run(async (ctx) => {
      for (let index = 0; index < 150; index += 1) await ctx.db.insert("invitations", fields);
    });
    const own = () => user.as.query(listOwnInvitations, {});
    expect(await own()).toHaveLength(100);
    await host.as.mutation(cancelMeeting, { meetingId });
    const later = await host.as.mutation(createMeeting, { title: "Later" });
    await host.as.mutation(inviteParticipants, {
      meetingId: later.meetingId,
      invitations: [{ email: grace }],
    });
    expect(await own()).toMatchObject([{ meetingId: later.meetingId, title: "Later" }]);
  });

  test("that is revoked or declined is no good any more, and can be made anew", async () => {
    const { app, host, meetingId, inviteOne, answer, meeting } = await stage();
    const invitationId = await inviteOne({ sms: "+1 555 0100" });
    const token = await secret(app);
    await host.as.mutation(revokeInvitation, { meetingId, invitationId });
    const ada = await signUp(app, "ada");
    expect(await codeOf(answer(ada, token))).toBe("INVITATION_CLOSED");
    const again = host.as.mutation(revokeInvitation, { meetingId, invitationId });
    expect(await codeOf(again)).toBe("INVITATION_CLOSED");
    await inviteOne({ sms: "+1 555 0100" });
    await ada.as.mutation(declineInvitation, { token: await secret(app) });
    expect(await meeting()).toMatchObject({ invitationCount: 0 });
    expect(await inviteOne({ sms: "+1 555 0100" })).toBeDefined();
  });

  test("of another meeting is unknown", async () => {
    const { app, inviteOne } = await stage();
    const invitationId = await inviteOne({ email: grace });
    const other = await signUp(app, "other");
    const { meetingId } = await other.as.mutation(api.meetings.lifecycle.createMeeting, { title: "B" });
    for (const endpoint of [resendInvitation, revokeInvitation]) {
      const call = other.as.mutation(endpoint, { meetingId, invitationId });
      expect(await codeOf(call)).toBe("INVITATION_NOT_FOUND");
    }
  });

  test("leaves an event for all that happens to it, which holds no address and no secret", async () => {
    const { app, host, meetingId, inviteOne, answer } = await stage();
    await inviteOne({ sms: "+1 555 0100", displayName: "Grace" });
    const token = await secret(app);
    await answer(await signUp(app, "ada"), token);
    await host.as.mutation(revokeInvitation, { meetingId, invitationId: await inviteOne({ email: grace }) });
    const events = await app.run((ctx) => ctx.db.query("meetingEvents").collect());
    expect(events.map(({ type }) => type).filter((type) => type.startsWith("invitation"))).toEqual([
      "invitation.created",
      "invitation.accepted",
      "invitation.created",
      "invitation.revoked",
    ]);
    expect(JSON.stringify(events)).not.toMatch(/555|grace@|secret/);
    expect(JSON.stringify(events)).not.toContain(token);
  });
});
