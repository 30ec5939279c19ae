import { makeFunctionReference } from "convex/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { api, internal } from "../../convex/_generated/api";
import crons from "../../convex/crons";
import { type App, codeOf, newApp, signUp } from "./setup";

const now = 1_800_000_000_000;
const DAY_MS = 24 * 60 * 60_000;
const { createMeeting, startMeeting, joinMeeting } = api.meetings.lifecycle;

let app: App;

beforeEach(() => {
  vi.useFakeTimers({ now });
  app = newApp();
});
afterEach(() => void vi.useRealTimers());

/** Runs the function as a cron does, with all the pages that it schedules. */
async function cleanUp(what: "meetings" | "rate limits"): Promise<void> {
  if (what === "meetings") await app.mutation(internal.cleanUp.cancelMissed, {});
  else await app.mutation(internal.cleanUp.deleteOldRateLimits, {});
  await app.finishAllScheduledFunctions(() => vi.runAllTimers());
}

describe("meetings that nobody started", () => {
  const states = () =>
    app.run(async (ctx) => (await ctx.db.query("meetings").collect()).map((row) => row.state));

  test("are cancelled a day after their planned time, and not before", async () => {
    const host = await signUp(app, "host");
    const { meetingId } = await host.as.mutation(createMeeting, { title: "A", scheduledAt: now + 60_000 });
    vi.setSystemTime(now + 60_000 + DAY_MS);
    await cleanUp("meetings");
    expect(await states()).toEqual(["scheduled"]);
    vi.setSystemTime(now + 60_001 + DAY_MS);
    await cleanUp("meetings");
    expect(await states()).toEqual(["cancelled"]);
    expect(await app.run((ctx) => ctx.db.get("meetings", meetingId))).toMatchObject({
      updatedAt: now + 60_001 + DAY_MS,
    });
    expect(await codeOf(host.as.mutation(startMeeting, { meetingId }))).toBe("MEETING_CLOSED");
  });

  test("are left alone when they have no planned time, and so are those that were started", async () => {
    const host = await signUp(app, "host");
    await host.as.mutation(createMeeting, { title: "Any time" });
    const { meetingId } = await host.as.mutation(createMeeting, { title: "Started", scheduledAt: now });
    await host.as.mutation(startMeeting, { meetingId });
    await host.as.mutation(joinMeeting, { meetingId });
    vi.setSystemTime(now + 30 * DAY_MS);
    await cleanUp("meetings");
    expect(await states()).toEqual(["scheduled", "active"]);
  });

  test("are cancelled however many they are", async () => {
    const { id: organizerId } = await signUp(app, "host");
    await app.run(async (ctx) => {
      const meeting = { organizerId, title: "A", duration: 60_000, maxParticipants: 1, participantCount: 0 };
      for (let i = 0; i < 450; i++) {
        await ctx.db.insert("meetings", {
          ...meeting,
          state: "scheduled",
          scheduledAt: now + i,
          updatedAt: now,
        });
      }
    });
    vi.setSystemTime(now + 2 * DAY_MS);
    await cleanUp("meetings");
    expect(new Set(await states())).toEqual(new Set(["cancelled"]));
  });
});

test("rate limits are forgotten a day after they were first reached for, and not before", async () => {
  const ada = await signUp(app, "ada");
  const bob = await signUp(app, "bob");
  const call = ({ as }: typeof ada) => as.mutation(api.users.mutations.updateLastSeen, {});
  vi.stubEnv("RATE_LIMIT_PER_SECOND", "0.000001");
  await call(ada);
  vi.setSystemTime(now + DAY_MS - 1);
  await call(bob);
  await cleanUp("rate limits");
  expect(await codeOf(call(ada))).toBe("RATE_LIMITED");
  vi.setSystemTime(now + DAY_MS + 1);
  await cleanUp("rate limits");
  await call(ada);
  expect(await codeOf(call(bob))).toBe("RATE_LIMITED");
});

test("each cron runs a function that is there, with the arguments that it takes", async () => {
  const text = (crons as unknown as { export(): string }).export();
  const declared = JSON.parse(text) as Record<string, { name: string; args: [Record<string, number>] }>;
  for (const { name, args } of Object.values(declared)) {
    expect(await app.mutation(makeFunctionReference<"mutation">(name), args[0])).toBeNull();
  }
  expect(Object.keys(declared)).not.toHaveLength(0);
});
