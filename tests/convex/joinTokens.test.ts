import { TokenVerifier } from "livekit-server-sdk";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { api, internal } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import type { ParticipantsEntry } from "../../convex/contract/entries";
import type { Connection } from "../../convex/contract/tokens";
import { codeOf, newMeeting, type Person, signUp } from "./setup";

const { getMeetingConnectionInfo, refreshJoinToken } = api.meetings.lifecycle;
const { checkJoinToken, createControlToken, checkControlToken } = api.meetings.tokens;
const lifecycle = api.meetings.lifecycle;

const MINUTE_MS = 60_000;
const YEAR_MS = 365 * 24 * 60 * MINUTE_MS;
const KEY = "key_of_tests";
const SECRET = "a-secret-of-tests-that-is-long-enough";

beforeEach(() => {
  vi.stubEnv("LIVEKIT_URL", "ws://127.0.0.1:9");
  vi.stubEnv("LIVEKIT_API_KEY", KEY);
  vi.stubEnv("LIVEKIT_API_SECRET", SECRET);
  // Only the clock: what is scheduled for the media server is of no interest here and never begins.
  vi.useFakeTimers({ now: Date.now() });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

/** An active meeting with a host and Ada. */
async function stage(args: { lobby?: boolean; maxParticipants?: number } = {}) {
  const { app, host, meetingId, add, meeting, rows } = await newMeeting(args);
  const ada = await signUp(app, "ada");
  await add([ada, "participant"]);
  await host.as.mutation(lifecycle.startMeeting, { meetingId });
  const connect = (who: Person, participantId?: Id<"meetingParticipants">) =>
    who.as.action(getMeetingConnectionInfo, {
      meetingId,
      ...(participantId !== undefined && { participantId }),
    });
  const refresh = ({ connectionInfo: { refreshToken } }: Connection) =>
    app.action(refreshJoinToken, { refreshToken });
  const check = ({ connectionInfo: { streamToken: token } }: Connection) =>
    app.action(checkJoinToken, { token });
  const rowOf = async ({ id }: Person) => {
    const row = (await rows()).find(({ userId }) => userId === id);
    if (!row) throw new Error("This person has no row");
    return row;
  };
  const addEntry = async (entry: ParticipantsEntry) => {
    const { added } = await host.as.mutation(lifecycle.addMultipleParticipants, {
      meetingId,
      participants: [entry],
      onExisting: "update",
    });
    return added[0];
  };
  return { app, host, ada, meetingId, meeting, connect, refresh, check, rowOf, addEntry };
}

function claimsOf({ connectionInfo: { streamToken } }: Connection) {
  return new TokenVerifier(KEY, SECRET).verify(streamToken);
}

describe("a join token", () => {
  test("has the attributes of the person, none of which passes for one of the backend's", async () => {
    const { host, ada, meetingId, connect } = await stage();
    const attributes = { seat: "B12", role: "host", tokenVersion: "99" };
    await host.as.mutation(api.meetings.lifecycle.updateParticipant, {
      meetingId,
      userId: ada.id,
      attributes,
    });
    const claims = await claimsOf(await connect(ada));
    expect(claims.attributes).toEqual({ seat: "B12", role: "participant", tokenVersion: "0" });
  });

  test("is one that LiveKit accepts, for this person in this room", async () => {
    const { ada, meetingId, connect, rowOf } = await stage();
    const connection = await connect(ada);
    const { _id: participantId } = await rowOf(ada);
    const claims = await claimsOf(connection);
    expect(claims).toMatchObject({
      iss: KEY,
      sub: participantId,
      name: "ada",
      attributes: { role: "participant", tokenVersion: "0" },
    });
    expect(claims.video).toEqual({
      roomJoin: true,
      room: meetingId,
      roomAdmin: false,
      canUpdateOwnMetadata: false,
      canPublish: true,
      canPublishSources: ["microphone", "camera", "screen_share", "screen_share_audio"],
      canSubscribe: true,
      canPublishData: true,
    });
    expect(connection).toMatchObject({
      videoProvider: "livekit",
      connectionInfo: { roomId: meetingId, url: "ws://127.0.0.1:9", participantId },
      role: "participant",
    });
    expect(connection.connectionInfo.streamTokenExpiresAt).toBe((claims.exp ?? 0) * 1000);
  });

  test("says what role, capabilities and block leave of sending and receiving", async () => {
    const { host, ada, app, meetingId, connect, addEntry, rowOf } = await stage();
    expect((await claimsOf(await connect(host))).video).toMatchObject({ roomAdmin: true, canPublish: true });

    const capabilities = { audio: "SendReceive", video: "Receive", content: "None" } as const;
    await addEntry({ userId: ada.id, role: "participant", capabilities });
    const limited = await connect(ada);
    expect(limited.capabilities).toEqual(capabilities);
    expect((await claimsOf(limited)).video).toMatchObject({ canPublishSources: ["microphone"] });

    await host.as.mutation(lifecycle.updateParticipantRole, {
      meetingId,
      userId: ada.id,
      newRole: "observer",
    });
    const observer = await connect(ada);
    expect(observer.capabilities).toEqual({ audio: "Receive", video: "Receive", content: "None" });
    expect((await claimsOf(observer)).video).toMatchObject({
      canPublish: false,
      canPublishSources: [],
      canSubscribe: true,
      canPublishData: false,
    });

    await host.as.mutation(lifecycle.updateParticipantRole, { meetingId, userId: ada.id, newRole: "host" });
    const { _id } = await rowOf(ada);
    const blockedUntil = Date.now() + MINUTE_MS;
    await app.run((ctx) => ctx.db.patch("meetingParticipants", _id, { blockedUntil }));
    expect((await connect(ada)).capabilities.audio).toBe("Receive");
    vi.setSystemTime(blockedUntil);
    expect((await connect(ada)).capabilities.audio).toBe("SendReceive");
  });

  test("is only for people of an active meeting, and says nothing to others", async () => {
    const { app, host, ada, meetingId, connect } = await stage();
    const stranger = await signUp(app, "stranger");
    expect(await codeOf(connect(stranger))).toBe("FORBIDDEN");
    await host.as.mutation(lifecycle.endMeeting, { meetingId });
    expect(await codeOf(connect(ada))).toBe("MEETING_NOT_ACTIVE");
    const unknown = ada.as.action(getMeetingConnectionInfo, { meetingId: ada.id as never });
    expect(await codeOf(unknown)).toBe("MEETING_NOT_FOUND");
  });

  test("is for guests by a host, and for nobody else by anybody else", async () => {
    const { host, ada, connect, refresh, addEntry, rowOf } = await stage();
    const guestId = await addEntry({ externalId: "crm-7", role: "participant", displayName: "Grace" });
    const connection = await connect(host, guestId);
    expect(await claimsOf(connection)).toMatchObject({ sub: guestId, name: "Grace" });
    expect((await refresh(connection)).connectionInfo.participantId).toBe(guestId);
    expect(await codeOf(connect(ada, guestId))).toBe("FORBIDDEN");
    const { _id: adasId } = await rowOf(ada);
    expect(await codeOf(connect(host, adasId))).toBe("FORBIDDEN");
    expect((await connect(ada, adasId)).connectionInfo.participantId).toBe(adasId);
    const other = await host.as.mutation(lifecycle.createMeeting, { title: "Other" });
    const { added } = await host.as.mutation(lifecycle.addMultipleParticipants, {
      meetingId: other.meetingId,
      participants: [{ externalId: "crm-8", role: "participant" }],
    });
    expect(await codeOf(connect(host, added[0]))).toBe("PARTICIPANT_NOT_FOUND");
  });

  test("keeps a meeting from ending as empty where only guests are, as long as it is asked for", async () => {
    const { app, host, meeting, connect, refresh, addEntry } = await stage();
    const guestId = await addEntry({ externalId: "crm-7", role: "participant" });
    let connection = await connect(host, guestId);
    const pass = async (minutes: number) => {
      vi.advanceTimersByTime(minutes * MINUTE_MS);
      await app.finishInProgressScheduledFunctions();
      return (await meeting()).state;
    };
    for (let count = 0; count < 4; count += 1) {
      expect(await pass(20)).toBe("active");
      connection = await refresh(connection);
    }
    expect(await pass(29)).toBe("active");
    expect(await pass(2)).toBe("concluded");
  });

  test("is for hosts and those who are there alone while the meeting is locked", async () => {
    const { host, ada, meetingId, connect } = await stage();
    const lock = (locked: boolean) => host.as.mutation(lifecycle.updateMeeting, { meetingId, locked });
    await lock(true);
    expect(await codeOf(connect(ada))).toBe("MEETING_LOCKED");
    expect(await codeOf(ada.as.mutation(lifecycle.joinMeeting, { meetingId }))).toBe("MEETING_LOCKED");
    await connect(host);
    await lock(false);
    await ada.as.mutation(lifecycle.joinMeeting, { meetingId });
    await lock(true);
    await connect(ada);
  });

  test("waits for the lobby", async () => {
    const { app, host, ada, meetingId, connect, rowOf } = await stage({ lobby: true });
    await ada.as.mutation(lifecycle.joinMeeting, { meetingId });
    expect(await codeOf(connect(ada))).toBe("NOT_ADMITTED");
    await connect(host);
    const { _id } = await rowOf(ada);
    await app.run((ctx) => ctx.db.patch("meetingParticipants", _id, { presence: "joined" }));
    await connect(ada);
  });

  test("needs a media server", async () => {
    const { app, ada, connect } = await stage();
    vi.stubEnv("LIVEKIT_API_SECRET", "");
    expect(await codeOf(connect(ada))).toBe("NOT_CONFIGURED");
    expect(await app.run((ctx) => ctx.db.query("meetingTokens").collect())).toEqual([]);
  });
});

describe("a refresh token", () => {
  test("works once, and a second use ends all that came of it", async () => {
    const { ada, connect, refresh, check } = await stage();
    const first = await connect(ada);
    const second = await refresh(first);
    const third = await refresh(second);
    expect(await check(third)).toMatchObject({ active: true });
    expect(await codeOf(refresh(first))).toBe("TOKEN_REVOKED");
    expect(await codeOf(refresh(third))).toBe("TOKEN_INVALID");
  });

  test("of one device knows nothing of another's", async () => {
    const { ada, connect, refresh } = await stage();
    const [phone, laptop] = [await connect(ada), await connect(ada)];
    await refresh(phone);
    expect(await codeOf(refresh(phone))).toBe("TOKEN_REVOKED");
    await refresh(laptop);
  });

  test("expires, and is deleted then", async () => {
    const { app, ada, connect, refresh } = await stage();
    const connection = await connect(ada);
    vi.setSystemTime(connection.connectionInfo.refreshTokenExpiresAt);
    expect(await codeOf(refresh(connection))).toBe("TOKEN_INVALID");
    expect(await app.run((ctx) => ctx.db.query("meetingTokens").collect())).toEqual([]);
  });

  test("is kept as a hash only", async () => {
    const { app, ada, connect } = await stage();
    const { connectionInfo } = await connect(ada);
    const kept = JSON.stringify(await app.run((ctx) => ctx.db.query("meetingTokens").collect()));
    const [key = "", secret = ""] = connectionInfo.refreshToken.split(".");
    expect([kept.includes(key), kept.includes(secret)]).toEqual([true, false]);
  });

  test("that nobody has issued is none", async () => {
    const { app } = await stage();
    for (const refreshToken of ["x", "a.b", `${"a".repeat(22)}.${"b".repeat(43)}`]) {
      expect(await codeOf(app.action(refreshJoinToken, { refreshToken }))).toBe("TOKEN_INVALID");
    }
  });

  test("stays good while its bearer has to wait for a place", async () => {
    const { app, host, ada, meetingId, meeting, connect, refresh } = await stage();
    const connection = await connect(ada);
    await host.as.mutation(lifecycle.joinMeeting, { meetingId });
    await app.run((ctx) => ctx.db.patch("meetings", meetingId, { maxParticipants: 1 }));
    expect(await codeOf(refresh(connection))).toBe("MEETING_FULL");
    expect((await meeting()).joinedCount).toBe(1);
    await host.as.mutation(lifecycle.leaveMeeting, { meetingId });
    await refresh(connection);
  });

  test("is one of at most twenty of a person", async () => {
    const { app, ada, connect, refresh } = await stage();
    const first = await connect(ada);
    for (let i = 0; i < 20; i++) await connect(ada);
    expect(await app.run((ctx) => ctx.db.query("meetingTokens").collect())).toHaveLength(20);
    expect(await codeOf(refresh(first))).toBe("TOKEN_INVALID");
  });
});

describe("tokens die", () => {
  const deaths: [string, (staged: Awaited<ReturnType<typeof stage>>) => Promise<unknown>][] = [
    [
      "with removal",
      ({ host, ada, meetingId }) =>
        host.as.mutation(lifecycle.removeParticipant, { meetingId, userId: ada.id }),
    ],
    [
      "with another role",
      ({ host, ada, meetingId }) =>
        host.as.mutation(lifecycle.updateParticipantRole, { meetingId, userId: ada.id, newRole: "observer" }),
    ],
    [
      "with other capabilities",
      ({ ada, addEntry }) =>
        addEntry({
          userId: ada.id,
          role: "participant",
          capabilities: { audio: "None", video: "None", content: "None" },
        }),
    ],
    [
      "with a ban",
      ({ app, ada, meetingId }) =>
        app.run(async (ctx) => {
          await ctx.db.insert("bans", { meetingId, userId: ada.id });
          await ctx.db.patch("meetings", meetingId, { banCount: 1 });
        }),
    ],
    [
      "with the account",
      ({ ada }) => ada.as.mutation(api.users.mutations.deactivateUser, { userId: ada.id }),
    ],
    ["with the meeting", ({ host, meetingId }) => host.as.mutation(lifecycle.endMeeting, { meetingId })],
  ];

  test.each(deaths)("%s", async (_, kill) => {
    const staged = await stage();
    const connection = await staged.connect(staged.ada);
    const ofHost = await staged.connect(staged.host);
    expect(await staged.check(connection)).toMatchObject({ active: true, role: "participant" });
    await kill(staged);
    expect(await staged.check(connection)).toEqual({ active: false, reason: "revoked" });
    expect(await codeOf(staged.refresh(connection))).toBe("TOKEN_REVOKED");
    const meetingIsOver = (await staged.meeting()).state === "concluded";
    expect((await staged.check(ofHost)).active).toBe(!meetingIsOver);
  });

  test("with time, and are none if somebody else has made them", async () => {
    const { app, ada, connect, check } = await stage();
    const connection = await connect(ada);
    vi.setSystemTime(connection.connectionInfo.streamTokenExpiresAt);
    expect(await check(connection)).toEqual({ active: false, reason: "expired" });
    const { streamToken } = (await connect(ada)).connectionInfo;
    for (const token of [`${streamToken}x`, "x", connection.connectionInfo.refreshToken]) {
      expect(await app.action(checkJoinToken, { token })).toEqual({ active: false, reason: "invalid" });
    }
  });
});

describe("a control token", () => {
  const control = async ({ app, host, meetingId }: Awaited<ReturnType<typeof stage>>) => {
    const issued = await host.as.action(createControlToken, { meetingId });
    const check = () => app.action(checkControlToken, { controlToken: issued.controlToken });
    return { ...issued, check };
  };

  test("is for hosts of active meetings, and lasts for half an hour", async () => {
    const staged = await stage();
    const { host, ada, meetingId, rowOf } = staged;
    const now = Date.now();
    const { expiresAt, check } = await control(staged);
    expect(expiresAt).toBe(now + 30 * MINUTE_MS);
    const { _id: participantId } = await rowOf(host);
    expect(await check()).toEqual({ active: true, meetingId, participantId, expiresAt });
    expect(await codeOf(ada.as.action(createControlToken, { meetingId }))).toBe("FORBIDDEN");
    const { meetingId: scheduled } = await host.as.mutation(lifecycle.createMeeting, {
      title: "Not started",
    });
    expect(await codeOf(host.as.action(createControlToken, { meetingId: scheduled }))).toBe(
      "MEETING_NOT_ACTIVE",
    );
    vi.setSystemTime(expiresAt);
    expect(await check()).toEqual({ active: false, reason: "expired" });
  });

  test("dies with the host role", async () => {
    const staged = await stage();
    const { host, ada, meetingId } = staged;
    const { check } = await control(staged);
    const setRole = (userId: Id<"users">, newRole: "host" | "participant") =>
      ada.as.mutation(lifecycle.updateParticipantRole, { meetingId, userId, newRole });
    await host.as.mutation(lifecycle.updateParticipantRole, { meetingId, userId: ada.id, newRole: "host" });
    expect((await check()).active).toBe(true);
    await setRole(host.id, "participant");
    expect(await check()).toEqual({ active: false, reason: "revoked" });
    await setRole(host.id, "host");
    expect(await check()).toEqual({ active: false, reason: "revoked" });
  });

  test("dies with the meeting, and refreshes nothing", async () => {
    const staged = await stage();
    const { app, host, meetingId } = staged;
    const { controlToken, check } = await control(staged);
    expect(await codeOf(app.action(refreshJoinToken, { refreshToken: controlToken }))).toBe("TOKEN_INVALID");
    const { connectionInfo } = await staged.connect(host);
    const asControl = await app.action(checkControlToken, { controlToken: connectionInfo.refreshToken });
    expect(asControl).toEqual({ active: false, reason: "invalid" });
    await host.as.mutation(lifecycle.endMeeting, { meetingId });
    expect(await check()).toEqual({ active: false, reason: "revoked" });
  });
});

test("the media server is told when blocks end, though one of them lasts for longer than can be scheduled", async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json({})));
  const { app, host, ada, meetingId, rowOf } = await stage();
  const now = Date.now();
  const block = async (person: Person, blockedUntil: number) => {
    const { _id: participantId } = await rowOf(person);
    await app.run((ctx) => ctx.db.patch("meetingParticipants", participantId, { blockedUntil }));
    return { participantId, evict: false };
  };
  const people = [await block(host, now + 20 * YEAR_MS), await block(ada, now + MINUTE_MS)];
  await app.action(internal.livekit.syncPeople, { meetingId, people, attempt: 0 });
  const scheduled = await app.run((ctx) => ctx.db.system.query("_scheduled_functions").collect());
  const told = scheduled.filter(({ name }) => name.includes("syncPeople"));
  expect(told.map(({ args, scheduledTime }) => ({ ...(args[0] as object), scheduledTime }))).toEqual([
    { meetingId, people: people.slice(0, 1), attempt: 0, scheduledTime: now + YEAR_MS },
    { meetingId, people: people.slice(1), attempt: 0, scheduledTime: now + MINUTE_MS },
  ]);
});
