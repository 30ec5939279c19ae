import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { api } from "../../convex/_generated/api";
import { type Person, codeOf, errorOf, newApp, newMeeting, signUp } from "./setup";

const { updateLastSeen } = api.users.mutations;
const now = 1_800_000_000_000;

beforeEach(() => void vi.useFakeTimers({ now, toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

async function callTimes({ as }: Person, times: number): Promise<void> {
  for (let call = 0; call < times; call += 1) await as.mutation(updateLastSeen, {});
}

test("a caller has a burst of four seconds' worth, and then the rate", async () => {
  const app = newApp();
  const [ada, bob] = [await signUp(app, "ada"), await signUp(app, "bob")];
  vi.stubEnv("RATE_LIMIT_PER_SECOND", "2");
  await callTimes(ada, 8);
  expect(await errorOf(ada.as.mutation(updateLastSeen, {}))).toMatchObject({
    code: "RATE_LIMITED",
    retryAfterMs: 500,
  });
  await callTimes(bob, 8);
  await ada.as.query(api.users.queries.getCurrentUser, {});
  vi.setSystemTime(now + 500);
  await callTimes(ada, 1);
  expect(await codeOf(ada.as.mutation(updateLastSeen, {}))).toBe("RATE_LIMITED");
});

test("it is 50 a second with a burst of 200 unless told otherwise", async () => {
  const ada = await signUp(newApp(), "ada");
  vi.stubEnv("RATE_LIMIT_PER_SECOND", undefined);
  await callTimes(ada, 200);
  expect(await errorOf(ada.as.mutation(updateLastSeen, {}))).toMatchObject({ retryAfterMs: 20 });
});

test("a rate below one lets one call through at a time", async () => {
  const ada = await signUp(newApp(), "ada");
  vi.stubEnv("RATE_LIMIT_PER_SECOND", "0.1");
  await callTimes(ada, 1);
  expect(await errorOf(ada.as.mutation(updateLastSeen, {}))).toMatchObject({ retryAfterMs: 10_000 });
});

test("a dry run takes one token as well, and may take the last", async () => {
  const ada = await signUp(newApp(), "ada");
  const { createMeeting, removeMultipleParticipants } = api.meetings.lifecycle;
  const { meetingId } = await ada.as.mutation(createMeeting, { title: "Planning" });
  vi.stubEnv("RATE_LIMIT_PER_SECOND", "0.5");
  const dryRun = () => ada.as.mutation(removeMultipleParticipants, { meetingId, dryRun: true });
  for (let call = 0; call < 2; call += 1) expect(await dryRun()).toMatchObject({ success: true });
  expect(await codeOf(dryRun())).toBe("RATE_LIMITED");
});

describe("whoever calls with a token of a meeting alone", () => {
  /** Ada and Bob in an active meeting of which Ada is a host, and how they use their tokens. */
  async function stage() {
    vi.stubEnv("LIVEKIT_URL", "ws://127.0.0.1:9");
    vi.stubEnv("LIVEKIT_API_KEY", "key_of_tests");
    vi.stubEnv("LIVEKIT_API_SECRET", "a-secret-of-tests-that-is-long-enough");
    const { app, host, meetingId, add } = await newMeeting();
    const bob = await signUp(app, "bob");
    await add([bob, "host"]);
    await host.as.mutation(api.meetings.lifecycle.startMeeting, { meetingId });
    const tokensOf = async ({ as }: Person) => {
      const { connectionInfo } = await as.action(api.meetings.lifecycle.getMeetingConnectionInfo, {
        meetingId,
      });
      const { controlToken } = await as.action(api.meetings.tokens.createControlToken, { meetingId });
      const { streamToken } = connectionInfo;
      let { refreshToken } = connectionInfo;
      return {
        refreshJoinToken: async () => {
          const next = await app.action(api.meetings.lifecycle.refreshJoinToken, { refreshToken });
          ({ refreshToken } = next.connectionInfo);
        },
        checkJoinToken: () => app.action(api.meetings.tokens.checkJoinToken, { token: streamToken }),
        checkControlToken: () => app.action(api.meetings.tokens.checkControlToken, { controlToken }),
      };
    };
    const [ofHost, ofBob] = [await tokensOf(host), await tokensOf(bob)];
    vi.stubEnv("RATE_LIMIT_PER_SECOND", "0.5");
    return { app, ofHost, ofBob };
  }

  test.each(["refreshJoinToken", "checkJoinToken", "checkControlToken"] as const)(
    "has the same rate for %s, each their own",
    async (name) => {
      const { ofHost, ofBob } = await stage();
      await ofHost[name]();
      await ofHost[name]();
      expect(await errorOf(ofHost[name]())).toMatchObject({ code: "RATE_LIMITED", retryAfterMs: 2000 });
      await ofBob[name]();
      vi.setSystemTime(now + 2000);
      await ofHost[name]();
    },
  );

  test("has one bucket for all of their tokens", async () => {
    const { ofHost } = await stage();
    await ofHost.checkControlToken();
    await ofHost.checkJoinToken();
    expect(await codeOf(ofHost.refreshJoinToken())).toBe("RATE_LIMITED");
  });

  test("has no bucket for tokens that nobody has issued, as each guess would make one more", async () => {
    const { app } = await stage();
    const controlToken = `${"a".repeat(22)}.${"b".repeat(43)}`;
    for (let guess = 0; guess < 5; guess += 1) {
      expect(await app.action(api.meetings.tokens.checkControlToken, { controlToken })).toEqual({
        active: false,
        reason: "invalid",
      });
    }
  });
});

test("0 turns it off", async () => {
  const ada = await signUp(newApp(), "ada");
  await callTimes(ada, 300);
  expect(await ada.as.mutation(updateLastSeen, {})).toBeNull();
});

test.each(["many", "-1", "Infinity"])("the setting %s is a mistake of the deployment's", async (setting) => {
  const ada = await signUp(newApp(), "ada");
  vi.stubEnv("RATE_LIMIT_PER_SECOND", setting);
  expect(await codeOf(ada.as.mutation(updateLastSeen, {}))).toBe("NOT_CONFIGURED");
});
