/** The product on the engine that counts what a transaction reads and writes, at the sizes that one request may have. */
import { isDeepStrictEqual } from "node:util";
import rateLimiter from "@convex-dev/rate-limiter/test";
import type { PaginationResult } from "convex/server";
import { afterEach, expect, test, vi } from "vitest";
import { api } from "../../convex/_generated/api";
import schema from "../../convex/schema";
import { convexTest } from "../../embedded/convexTest";
import { codeOf } from "../convex/setup";

const modules = import.meta.glob("../../convex/**/*.ts");

const { lifecycle, waitlist, queries, bans } = api.meetings;

const SIZE = 1000;

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

/** A meeting with so many places, of which its host has one. */
async function newMeeting(maxParticipants: number) {
  vi.useFakeTimers();
  vi.stubEnv("RATE_LIMIT_PER_SECOND", "0");
  const app = convexTest(schema, modules);
  rateLimiter.register(app);
  const host = app.withIdentity({ subject: "host" });
  const profile = { workosUserId: "host", email: "host@example.com" };
  const hostId = await host.mutation(api.users.mutations.upsertUser, profile);
  const { meetingId } = await host.mutation(lifecycle.createMeeting, { title: "Town hall", maxParticipants });
  return { app, host, hostId, meetingId };
}

/** A meeting whose places are all taken by people who are there, and for which as many wait. */
async function crowd() {
  const { app, host, hostId, meetingId } = await newMeeting(SIZE + 1);
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
  const { removed } = await host.mutation(lifecycle.removeMultipleParticipants, removal);
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

/** All that a list has, in pages as long as they may be. */
async function everybody<Item>(
  read: (paginationOpts: { numItems: number; cursor: string | null }) => Promise<PaginationResult<Item>>,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null = null;
  for (let isDone = false; !isDone;) {
    const result: PaginationResult<Item> = await read({ numItems: 500, cursor });
    items.push(...result.page);
    ({ continueCursor: cursor, isDone } = result);
  }
  return items;
}

/** As much as may be said of one person, in characters of three bytes. */
const attributes = Object.fromEntries(
  Array.from({ length: 8 }, (_, index) => [`about${index}`, "語".repeat(2000)]),
);

test("the longest waitlist can be listed, shortened and promoted, however much is said of those who wait", async () => {
  const { app, host, meetingId } = await newMeeting(1);
  for (let start = 0; start < 2 * SIZE; start += 50) {
    await host.mutation(lifecycle.addMultipleParticipants, {
      meetingId,
      participants: Array.from({ length: 50 }, (_, index) => ({
        externalId: `crm-${start + index}`,
        role: "participant" as const,
        attributes,
      })),
      onFull: "waitlist",
    });
  }
  const list = await everybody((paginationOpts) =>
    host.query(waitlist.listWaitlist, { meetingId, paginationOpts }),
  );
  expect(list).toHaveLength(2 * SIZE);

  const waitlistIds = list.slice(0, SIZE).map(({ _id }) => _id);
  const { removed } = await host.mutation(waitlist.removeFromWaitlist, { meetingId, waitlistIds });
  expect(removed).toEqual(waitlistIds);
  const people = [{ externalId: "crm-1000" }];
  await host.mutation(bans.banParticipants, { meetingId, people });
  await host.mutation(lifecycle.updateMeeting, { meetingId, maxParticipants: SIZE });
  await app.finishAllScheduledFunctions(vi.runAllTimers);

  const participants = await everybody((paginationOpts) =>
    host.query(queries.listMeetingParticipants, { meetingId, paginationOpts }),
  );
  const promoted = participants.filter(({ guestId }) => guestId !== undefined);
  expect(new Set(promoted.map(({ guestId }) => guestId))).toEqual(
    new Set(list.slice(SIZE + 1).map(({ guestId }) => guestId)),
  );
  expect(promoted.every((one) => isDeepStrictEqual(one.attributes, attributes))).toBe(true);
  const [meeting, left] = await app.run((ctx) =>
    Promise.all([ctx.db.get("meetings", meetingId), ctx.db.query("waitlistAttributes").take(1)]),
  );
  expect(meeting).toMatchObject({ participantCount: SIZE, waitlistCount: 0 });
  expect(left).toEqual([]);
});

test("more attributes than one request can see to are refused with a code, and of fewer people everything is done", async () => {
  const { app, host, hostId, meetingId } = await newMeeting(SIZE);
  const names = Array.from({ length: 400 }, (_, index) => ({ externalId: `crm-${index}` }));
  const role = "participant" as const;
  const add = (people: typeof names, said: { attributes?: typeof attributes } = {}) => {
    const participants = people.map((name) => ({ ...name, ...said, role }));
    return host.mutation(lifecycle.addMultipleParticipants, { meetingId, participants });
  };
  const update = (people: typeof names) => {
    const participants = people.map((name) => ({ ...name, level: 1 }));
    return host.mutation(lifecycle.updateMultipleParticipants, { meetingId, participants });
  };
  const remove = (people: typeof names) => {
    const externalIds = people.map(({ externalId }) => externalId);
    return host.mutation(lifecycle.removeMultipleParticipants, { meetingId, externalIds });
  };
  const ban = (people: typeof names) => host.mutation(bans.banParticipants, { meetingId, people });
  const meeting = () => app.run((ctx) => ctx.db.get("meetings", meetingId));

  for (let start = 0; start < names.length; start += 100) {
    await add(names.slice(start, start + 100), { attributes });
  }
  const before = await meeting();
  for (const request of [add, update, remove, ban]) {
    expect(await codeOf(request(names))).toBe("PAYLOAD_TOO_LARGE");
  }
  const replacement = host.mutation(lifecycle.replaceParticipants, {
    meetingId,
    expectedVersion: before?.version ?? 0,
    participants: [{ userId: hostId, role: "host" }],
  });
  expect(await codeOf(replacement)).toBe("MEETING_TOO_LARGE");
  expect(await meeting()).toEqual(before);

  const some = names.slice(0, 100);
  expect((await add(some)).skipped).toHaveLength(some.length);
  expect((await update(some)).updated).toHaveLength(some.length);
  expect((await ban(some)).removed).toHaveLength(some.length);
  expect((await remove(names.slice(100, 200))).removed).toHaveLength(100);
  expect(await meeting()).toMatchObject({ participantCount: 201 });
});
