import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { api } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import { newMeeting, type Person, signUp, signUpAll } from "./setup";

const { addMultipleParticipants, startMeeting, endMeeting, joinMeeting, leaveMeeting, removeParticipant } =
  api.meetings.lifecycle;
const { getAttendanceReport, listMeetingEvents } = api.meetings.queries;

const MINUTE_MS = 60_000;
const begin = 1_800_000_000_000;

beforeEach(() => void vi.useFakeTimers({ now: begin }));
afterEach(() => void vi.useRealTimers());

/** A started meeting with a host, Ada and Bob. */
async function stage(args: { emptyTimeoutMs?: number } = {}) {
  const { app, host, meetingId, add, meeting } = await newMeeting(args);
  const [ada, bob] = await signUpAll(app, "ada", "bob");
  await add([ada, "participant"], [bob, "participant"]);
  await host.as.mutation(startMeeting, { meetingId });
  const join = (who: Person) => who.as.mutation(joinMeeting, { meetingId });
  const leave = (who: Person) => who.as.mutation(leaveMeeting, { meetingId });
  const remove = (who: Person) => host.as.mutation(removeParticipant, { meetingId, userId: who.id });
  const end = () => host.as.mutation(endMeeting, { meetingId });
  const report = async (numItems = 10, cursor: string | null = null) =>
    host.as.query(getAttendanceReport, { meetingId, paginationOpts: { numItems, cursor } });
  return { app, host, ada, bob, meetingId, meeting, join, leave, remove, end, report };
}

const after = (minutes: number) => vi.setSystemTime(begin + minutes * MINUTE_MS);
const at = (minutes: number) => begin + minutes * MINUTE_MS;

describe("the attendance report", () => {
  test("tells of each person when they came and went, and for how long they were there", async () => {
    const { ada, bob, join, leave, report } = await stage();
    await join(ada);
    after(5);
    await join(bob);
    await leave(ada);
    after(8);
    await join(ada);
    await join(ada);
    after(10);
    await leave(ada);
    await leave(ada);
    expect((await report()).page).toEqual([
      {
        participantId: expect.any(String),
        userId: ada.id,
        name: "ada",
        firstJoinedAt: at(0),
        lastLeftAt: at(10),
        totalMs: 7 * MINUTE_MS,
        stayCount: 2,
        stays: [
          { joinedAt: at(8), leftAt: at(10) },
          { joinedAt: at(0), leftAt: at(5) },
        ],
      },
      {
        participantId: expect.any(String),
        userId: bob.id,
        name: "bob",
        firstJoinedAt: at(5),
        joinedAt: at(5),
        totalMs: 0,
        stayCount: 1,
        stays: [{ joinedAt: at(5) }],
      },
    ]);
  });

  test("keeps whoever is removed, whose stay ends then; other stays end with the meeting", async () => {
    const { ada, bob, join, remove, end, report } = await stage();
    await join(ada);
    await join(bob);
    after(3);
    await remove(ada);
    after(9);
    await end();
    after(60);
    expect((await report()).page).toMatchObject([
      { userId: ada.id, lastLeftAt: at(3), totalMs: 3 * MINUTE_MS, stays: [{ leftAt: at(3) }] },
      { userId: bob.id, lastLeftAt: at(9), totalMs: 9 * MINUTE_MS, stays: [{ leftAt: at(9) }] },
    ]);
    expect((await report()).page[1]).not.toHaveProperty("joinedAt");
  });

  test("stays as it is once the meeting is over, also if a guest who was there turns out to be a user", async () => {
    const { app, host, meetingId, meeting, end, report } = await stage();
    const grace = await signUp(app, "grace");
    const { added } = await host.as.mutation(addMultipleParticipants, {
      meetingId,
      participants: [
        { userId: grace.id, role: "participant" },
        { externalId: "crm-1", email: "grace@example.com", role: "participant" },
      ],
    });
    await app.run((ctx) =>
      ctx.db.patch("meetingParticipants", added[1] as Id<"meetingParticipants">, { presence: "waiting" }),
    );
    await host.as.mutation(api.meetings.lobby.admitParticipants, { meetingId });
    after(10);
    await end();
    const { page } = await report();
    expect(page).toMatchObject([{ lastLeftAt: at(10), totalMs: 10 * MINUTE_MS, stayCount: 1 }]);
    after(60);
    await signUp(app, "grace", { email: "grace@example.com" });
    expect((await report()).page).toEqual(page);
    expect(await meeting()).toMatchObject({ participantCount: 4, joinedCount: 1 });
  });

  test("comes in pages, and knows nothing of who never came", async () => {
    const { host, ada, join, report } = await stage();
    await join(ada);
    await join(host);
    const first = await report(1);
    expect(first.page).toMatchObject([{ userId: ada.id }]);
    const second = await report(1, first.continueCursor);
    expect(second.page).toMatchObject([{ userId: host.id }]);
    expect((await report()).page).toHaveLength(2);
  });
});

describe("a meeting that nobody is in", () => {
  const passed = async ({ app }: Awaited<ReturnType<typeof stage>>, minutes: number) => {
    vi.advanceTimersByTime(minutes * MINUTE_MS);
    await app.finishInProgressScheduledFunctions();
  };

  test("ends by itself half an hour after the last has left, and not before", async () => {
    const staged = await stage();
    const { ada, join, leave, meeting } = staged;
    await passed(staged, 20);
    await join(ada);
    await passed(staged, 20);
    await leave(ada);
    const emptySince = Date.now();
    await passed(staged, 29);
    expect((await meeting()).state).toBe("active");
    await passed(staged, 1);
    expect(await meeting()).toMatchObject({ state: "concluded", endedAt: emptySince + 30 * MINUTE_MS });
  });

  test("ends after its own timeout, also if nobody ever came", async () => {
    const staged = await stage({ emptyTimeoutMs: 2 * MINUTE_MS });
    await passed(staged, 2);
    expect((await staged.meeting()).state).toBe("concluded");
    const { page } = await staged.host.as.query(listMeetingEvents, {
      meetingId: staged.meetingId,
      type: "meeting.ended",
      paginationOpts: { numItems: 5, cursor: null },
    });
    expect(page).toMatchObject([{ actor: { kind: "system" }, changes: [{ after: { state: "concluded" } }] }]);
  });

  test("is looked at once, however often people come and go", async () => {
    const { app, ada, join, leave } = await stage();
    for (let i = 0; i < 10; i++) {
      await join(ada);
      await leave(ada);
    }
    const scheduled = await app.run((ctx) => ctx.db.system.query("_scheduled_functions").collect());
    expect(scheduled).toHaveLength(1);
  });
});

describe("listMeetingEvents", () => {
  test("gives events from either end, from any event on, and of one type", async () => {
    const { host, ada, meetingId, join, leave } = await stage();
    await join(ada);
    await leave(ada);
    await join(ada);
    const sequences = async (args: { order?: "asc" | "desc"; fromSequence?: number }, numItems = 20) => {
      const paginationOpts = { numItems, cursor: null };
      const { page } = await host.as.query(listMeetingEvents, { meetingId, ...args, paginationOpts });
      return page.map(({ sequence }) => sequence);
    };
    expect(await sequences({})).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(await sequences({ order: "desc" }, 2)).toEqual([7, 6]);
    expect(await sequences({ fromSequence: 6 })).toEqual([6, 7]);
    expect(await sequences({ order: "desc", fromSequence: 2 })).toEqual([2, 1]);
    const joins = await host.as.query(listMeetingEvents, {
      meetingId,
      type: "participant.joined",
      order: "desc",
      paginationOpts: { numItems: 5, cursor: null },
    });
    expect(joins.page).toMatchObject([
      { sequence: 7, actor: { kind: "user", id: ada.id } },
      { sequence: 5, changes: [{ before: { presence: "invited" }, after: { presence: "joined" } }] },
    ]);
  });
});
