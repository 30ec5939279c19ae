import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { api, internal } from "../../convex/_generated/api";
import type { AttemptOutcome } from "../../convex/contract/outbox";
import { type InvitationAction, nextInvitationState, stateAt } from "../../convex/model/invitationStates";
import { afterAttempt, MAX_ATTEMPTS } from "../../convex/model/messageStates";
import { type InvitationState, invitationState } from "../../convex/contract/invitations";
import { newMeeting } from "./setup";

const { inviteParticipants, revokeInvitation } = api.meetings.invitations;
const { cancelMeeting, endMeeting, startMeeting } = api.meetings.lifecycle;
const now = 1_800_000_000_000;

beforeEach(() => void vi.useFakeTimers({ now }));
afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

/** A meeting with an invitation, and the outbox in the hands of the test. */
async function stage() {
  const setting = await newMeeting();
  const { app, host, meetingId } = setting;
  const invite = async (entry: { email: string } | { sms: string }) => {
    const { results } = await host.as.mutation(inviteParticipants, { meetingId, invitations: [entry] });
    return results[0]?.invitationId;
  };
  const take = (...secrets: string[]) => app.mutation(internal.outbox.take, { secrets });
  const report = (...outcomes: AttemptOutcome[]) => app.mutation(internal.outbox.report, { outcomes });
  const messages = () => app.run((ctx) => ctx.db.query("outbox").collect());
  return { ...setting, invite, take, report, messages };
}

/** As if there were a mail server. */
function setUpMail(): void {
  vi.stubEnv("SMTP_URL", "smtp://127.0.0.1:9");
  vi.stubEnv("MAIL_FROM", "meetings@example.com");
}

describe("a message", () => {
  test("for which nothing is set up is held with its text, to be read", async () => {
    const { app, invite, take, messages } = await stage();
    vi.stubEnv("INVITATION_URL", "https://app.example.com/invitation#");
    await invite({ email: "grace@example.com" });
    setUpMail();
    await invite({ sms: "+1 555 0100" });
    vi.stubEnv("SMTP_URL", "");
    expect(await take("s1", "s2", "s3")).toEqual({ taken: 2, messages: [] });
    expect(await messages()).toMatchObject([
      { channel: "email", to: "grace@example.com", subject: "Invitation: Planning", state: "held" },
      { channel: "sms", to: "+1 555 0100", state: "held", attempts: 0 },
    ]);
    const { page } = await app.query(internal.outbox.list, {
      state: "held",
      paginationOpts: { numItems: 1, cursor: null },
    });
    expect(page[0]?.text).toContain("https://app.example.com/invitation#s");
  });

  test("is taken once, and again when its attempt has come to nothing", async () => {
    const { invite, take, messages } = await stage();
    setUpMail();
    await invite({ email: "grace@example.com" });
    const first = await take("secret");
    expect(first.messages).toMatchObject([{ attempt: 1, to: "grace@example.com" }]);
    expect(await take("other")).toEqual({ taken: 0, messages: [] });
    vi.setSystemTime(now + 10 * 60_000);
    const second = await take("other");
    expect(second.messages).toEqual([{ ...first.messages[0], attempt: 2 }]);
    expect(await messages()).toMatchObject([{ state: "sending", attempts: 2 }]);
  });

  test("that is sent loses its text and leaves an event; a late report of an attempt given up says nothing", async () => {
    const { app, invite, take, report, messages } = await stage();
    setUpMail();
    const subject = await invite({ email: "grace@example.com" });
    const [first] = (await take("secret")).messages;
    vi.setSystemTime(now + 10 * 60_000);
    const [second] = (await take("secret")).messages;
    if (!first || !second) throw new Error("Nothing was taken");
    await report({ messageId: first.messageId, attempt: 1, error: "ETIMEDOUT" });
    expect(await messages()).toMatchObject([{ state: "sending" }]);
    await report({ messageId: second.messageId, attempt: 2 });
    const [sent] = await messages();
    expect(sent).toMatchObject({ state: "sent" });
    expect(sent).not.toHaveProperty("text");
    const events = await app.run((ctx) => ctx.db.query("meetingEvents").collect());
    expect(events.at(-1)).toMatchObject({ type: "invitation.sent", changes: [{ subject }] });
  });

  test("that fails is tried again after growing pauses, and at last no more", async () => {
    const { invite, take, report, messages } = await stage();
    setUpMail();
    await invite({ email: "grace@example.com" });
    const pauses: number[] = [];
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const [message] = (await take("secret")).messages;
      if (!message) throw new Error(`Attempt ${attempt} was not made`);
      await report({ messageId: message.messageId, attempt, error: "SMTP 451" });
      const [row] = await messages();
      pauses.push((row?.nextAttemptAt ?? 0) - Date.now());
      vi.setSystemTime(row?.nextAttemptAt ?? 0);
    }
    expect(pauses).toEqual([30_000, 120_000, 480_000, 1_920_000, 7_680_000, 30_720_000, 0]);
    expect(await messages()).toMatchObject([
      { state: "failed", lastError: "SMTP 451", attempts: MAX_ATTEMPTS },
    ]);
    expect(await take("secret")).toEqual({ taken: 0, messages: [] });
  });

  test("is not sent when its invitation is revoked before", async () => {
    const { host, meetingId, invite, take, messages } = await stage();
    setUpMail();
    const invitationId = await invite({ email: "grace@example.com" });
    if (!invitationId) throw new Error("Nobody was invited");
    await host.as.mutation(revokeInvitation, { meetingId, invitationId });
    expect(await take("secret")).toEqual({ taken: 1, messages: [] });
    expect(await messages()).toMatchObject([{ state: "failed", lastError: "invitation_closed" }]);
  });

  test.each(["cancelled", "concluded"])("is not sent when the meeting is %s before", async (state) => {
    const { host, meetingId, invite, take, messages } = await stage();
    setUpMail();
    await invite({ email: "grace@example.com" });
    if (state === "concluded") await host.as.mutation(startMeeting, { meetingId });
    await host.as.mutation(state === "concluded" ? endMeeting : cancelMeeting, { meetingId });
    expect(await take("secret")).toEqual({ taken: 1, messages: [] });
    expect(await messages()).toMatchObject([{ state: "failed", lastError: "meeting_closed" }]);
  });

  test("is not sent again when its invitation is revoked between two attempts", async () => {
    const { host, meetingId, invite, take, report, messages } = await stage();
    setUpMail();
    const invitationId = await invite({ email: "grace@example.com" });
    const [message] = (await take("secret")).messages;
    if (!invitationId || !message) throw new Error("Nobody was invited");
    await report({ messageId: message.messageId, attempt: 1, error: "ETIMEDOUT" });
    await host.as.mutation(revokeInvitation, { meetingId, invitationId });
    vi.setSystemTime(now + 60_000);
    expect(await take("secret")).toEqual({ taken: 1, messages: [] });
    const [dropped] = await messages();
    expect(dropped).toMatchObject({ state: "failed", lastError: "invitation_closed" });
    expect(dropped).not.toHaveProperty("text");
  });

  test("is deleted after a month", async () => {
    const { app, invite, messages } = await stage();
    await invite({ sms: "+1 555 0100" });
    vi.setSystemTime(now + 30 * 24 * 60 * 60_000 + 1000);
    await app.mutation(internal.cleanUp.deleteOldMessages, {});
    expect(await messages()).toEqual([]);
  });
});

/** The state that follows, or the one before where the action is refused. */
function stateAfter(state: InvitationState, action: InvitationAction): InvitationState {
  try {
    return nextInvitationState(state, action);
  } catch {
    return state;
  }
}

test("whatever befalls an invitation, only one that is pending is accepted, and what is closed stays as it is", () => {
  const actions = fc.array(
    fc.constantFrom<InvitationAction>("accept", "decline", "revoke", "expire", "resend"),
  );
  fc.assert(
    fc.property(actions, (history) => {
      let state: InvitationState = "pending";
      for (const action of history) {
        const before = state;
        state = stateAfter(before, action);
        const isClosed = before !== "pending" && before !== "expired";
        expect(state === before || !isClosed).toBe(true);
        expect(state === "accepted").toBe(
          before === "accepted" || (action === "accept" && before === "pending"),
        );
        expect(state === "pending").toBe(!isClosed && action === "resend");
      }
    }),
  );
});

test("a pending invitation has expired from its time on, and no other changes with time", () => {
  fc.assert(
    fc.property(fc.constantFrom(...invitationState.options), fc.nat(), fc.nat(), (state, expiresAt, at) => {
      const expected = state === "pending" && expiresAt <= at ? "expired" : state;
      expect(stateAt({ state, expiresAt }, at)).toBe(expected);
    }),
  );
});

test("every message comes to an end, after pauses that grow", () => {
  const failures = fc.array(fc.boolean(), { minLength: MAX_ATTEMPTS, maxLength: MAX_ATTEMPTS });
  fc.assert(
    fc.property(failures, (permanents) => {
      const steps = permanents.map((permanent, index) => afterAttempt(index + 1, { error: "x", permanent }));
      const end = steps.findIndex(({ state }) => state === "failed");
      expect(end).toBe(permanents.includes(true) ? permanents.indexOf(true) : MAX_ATTEMPTS - 1);
      const pauses = steps.slice(0, end).map(({ pauseMs }) => pauseMs);
      expect(pauses).toEqual(pauses.toSorted((one, other) => one - other));
      expect(new Set(pauses).size).toBe(pauses.length);
    }),
  );
});
