/** The product on the engine that counts what a transaction reads and writes, at the sizes that one request may have. */
import rateLimiter from "@convex-dev/rate-limiter/test";
import { afterEach, expect, test, vi } from "vitest";
import { api } from "../../convex/_generated/api";
import schema from "../../convex/schema";
import { convexTest } from "../../embedded/convexTest";

const modules = import.meta.glob("../../convex/**/*.ts");

const SIZE = 1000;

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

/** A meeting whose places are all taken by people who are there, and for which as many wait. */
async function crowd() {
  vi.useFakeTimers();
  vi.stubEnv("RATE_LIMIT_PER_SECOND", "0");
  const app = convexTest(schema, modules);
  rateLimiter.register(app);
  const host = app.withIdentity({ subject: "host" });
  const profile = { workosUserId: "host", email: "host@example.com" };
  const hostId = await host.mutation(api.users.mutations.upsertUser, profile);
  const { meetingId } = await host.mutation(api.meetings.lifecycle.createMeeting, {
    title: "Town hall",
    maxParticipants: SIZE + 1,
  });
  const insertUsers = (kind: string) =>
    app.run((ctx) =>
      Promise.all(
        Array.from({ length: SIZE }, (_, index) =>
          ctx.db.insert("users", {
            workosUserId: `${kind}${index}`,
            email: `${kind}${index}@example.com`,
            isActive: true,
          }),
        ),
      ),
    );
  const [present, waiting] = [await insertUsers("present"), await insertUsers("waiting")];
  await app.run(async (ctx) => {
    const joinedAt = Date.now();
    for (const userId of present) {
      const row = { meetingId, userId, role: "participant", presence: "joined", joinedAt } as const;
      const participantId = await ctx.db.insert("meetingParticipants", row);
      const stayId = await ctx.db.insert("stays", { participantId, joinedAt });
      const attendee = { meetingId, participantId, userId, firstJoinedAt: joinedAt, stayCount: 1 };
      await ctx.db.insert("attendees", { ...attendee, totalMs: 0, stayId, joinedAt });
    }
    for (const userId of waiting) {
      await ctx.db.insert("waitlist", { meetingId, userId, role: "participant", data: {} });
    }
    const counts = { participantCount: SIZE + 1, joinedCount: SIZE, waitlistCount: SIZE };
    await ctx.db.patch("meetings", meetingId, counts);
  });
  return { app, host, hostId, meetingId, present, waiting };
}

test("a thousand who go make room for a thousand who wait, without asking too much of one transaction", async () => {
  const { app, host, hostId, meetingId, present, waiting } = await crowd();
  const removal = { meetingId, userIds: present };
  const { removed } = await host.mutation(api.meetings.lifecycle.removeMultipleParticipants, removal);
  expect(removed).toHaveLength(SIZE);
  await app.finishAllScheduledFunctions(vi.runAllTimers);
  const [rows, meeting] = await app.run((ctx) =>
    Promise.all([ctx.db.query("meetingParticipants").collect(), ctx.db.get("meetings", meetingId)]),
  );
  expect(new Set<string | undefined>(rows.map(({ userId }) => userId))).toEqual(
    new Set([hostId, ...waiting]),
  );
  expect(meeting).toMatchObject({ participantCount: SIZE + 1, joinedCount: 0, waitlistCount: 0 });
});
