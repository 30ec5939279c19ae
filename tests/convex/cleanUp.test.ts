import { makeFunctionReference } from "convex/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { api, internal } from "../../convex/_generated/api";
import crons from "../../convex/crons";
import { type App, codeOf, newApp, signUp } from "./setup";

const now = 1_800_000_000_000;
const DAY_MS = 24 * 60 * 60_000;
const { createMeeting, startMeeting } = api.meetings.lifecycle;

let app: App;

beforeEach(() => {
  vi.useFakeTimers({ now });
  app = newApp();
});
afterEach(() => void vi.useRealTimers());

/** Runs the function as a cron does, with all the pages that it schedules. */
async function cleanUp(what: "meetings" | "rate limits"): Promise<void> {
  if (what === "meetings") await app.mutation(internal.cleanUp.cancelMissed, {});
  else await app.mutation(internal.cleanUp.deleteQuietRateLimits, { after: 0 });
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

describe("rate limits", () => {
  const keys = () =>
    app.run(async (ctx) => (await ctx.db.query("rateLimits").collect()).map((row) => row.key));

  test("are deleted when they are full again, and kept while they are not", async () => {
    const [ada, bob] = [await signUp(app, "ada"), await signUp(app, "bob")];
    vi.stubEnv("RATE_LIMIT_PER_SECOND", "2");
    for (let i = 0; i < 4; i++) await ada.as.mutation(api.users.mutations.updateLastSeen, {});
    await bob.as.mutation(api.users.mutations.updateLastSeen, {});
    vi.setSystemTime(now + 1999);
    await cleanUp("rate limits");
    expect(await keys()).toEqual(["ada"]);
    vi.setSystemTime(now + 2000);
    await cleanUp("rate limits");
    expect(await keys()).toEqual([]);
  });

  test("are deleted however many they are, and all of them when there is no limit", async () => {
    await app.run(async (ctx) => {
      for (let i = 0; i < 450; i++) {
        await ctx.db.insert("rateLimits", { name: "mutations", key: `${i}`, value: 0, ts: now });
      }
    });
    await cleanUp("rate limits");
    expect(await keys()).toEqual([]);
  });
});

test("each cron runs a function that is there, with the arguments that it takes", async () => {
  const text = (crons as unknown as { export(): string }).export();
  const declared = JSON.parse(text) as Record<string, { name: string; args: [Record<string, number>] }>;
  for (const { name, args } of Object.values(declared)) {
    expect(await app.mutation(makeFunctionReference<"mutation">(name), args[0])).toBeNull();
  }
  expect(Object.keys(declared)).toHaveLength(4);
});
