import { describe, expect, test } from "vitest";
import { api } from "../../convex/_generated/api";
import { codeOf, newMeeting, signUp, signUpAll } from "./setup";

const { getMeeting, listUserMeetings, listMeetingParticipants } = api.meetings.queries;

test("getMeeting tells the caller's own role and presence", async () => {
  const { app, add, meetingId } = await newMeeting();
  const ada = await signUp(app, "ada");
  await add([ada, "observer"]);
  expect(await ada.as.query(getMeeting, { meetingId })).toMatchObject({
    _id: meetingId,
    participantCount: 2,
    userRole: "observer",
    userPresence: "invited",
  });
});

describe("listUserMeetings", () => {
  test("gives the caller's meetings, last added first, and no others", async () => {
    const { app, host, add, meetingId } = await newMeeting();
    const ada = await signUp(app, "ada");
    const own = await ada.as.mutation(api.meetings.lifecycle.createMeeting, { title: "Own" });
    await add([ada, "participant"]);
    const ids = async (as: typeof host.as, args = {}) =>
      (await as.query(listUserMeetings, args)).map(({ _id }) => _id);
    expect(await ids(ada.as)).toEqual([meetingId, own.meetingId]);
    expect(await ids(ada.as, { limit: 1 })).toEqual([meetingId]);
    expect(await ids(host.as)).toEqual([meetingId]);
  });

  test("looks for a state also beyond the limit", async () => {
    const { host, meetingId } = await newMeeting();
    await host.as.mutation(api.meetings.lifecycle.startMeeting, { meetingId });
    await host.as.mutation(api.meetings.lifecycle.createMeeting, { title: "Newer" });
    const active = await host.as.query(listUserMeetings, { state: "active", limit: 1 });
    expect(active.map(({ _id }) => _id)).toEqual([meetingId]);
    expect(await host.as.query(listUserMeetings, { state: "cancelled" })).toEqual([]);
  });

  test.each([0, 201, 1.5])("refuses a limit of %d", async (limit) => {
    const { host } = await newMeeting();
    expect(await codeOf(host.as.query(listUserMeetings, { limit }))).toBe("INVALID_ARGUMENT");
  });
});

describe("listMeetingParticipants", () => {
  async function crowd() {
    const { app, host, add, meetingId } = await newMeeting();
    const [ada, bob, cyd, dee] = await signUpAll(app, "ada", "bob", "cyd", "dee");
    await add([ada, "participant"], [bob, "participant"], [cyd, "observer"], [dee, "co-host"]);
    await host.as.mutation(api.meetings.lifecycle.startMeeting, { meetingId });
    await bob.as.mutation(api.meetings.lifecycle.joinMeeting, { meetingId });
    await cyd.as.mutation(api.meetings.lifecycle.joinMeeting, { meetingId });
    await dee.as.mutation(api.meetings.lifecycle.leaveMeeting, { meetingId });
    return { app, host, meetingId };
  }

  test.each([
    [{}, ["ada", "bob", "cyd", "dee", "host"]],
    [{ role: "participant" }, ["ada", "bob"]],
    [{ presence: "joined" }, ["bob", "cyd"]],
    [{ role: "participant", presence: "joined" }, ["bob"]],
    [{ role: "co-host", presence: "left" }, ["dee"]],
    [{ role: "host", presence: "left" }, []],
  ] as const)("with %o gives %o", async (filter, names) => {
    const { host, meetingId } = await crowd();
    const { page, isDone } = await host.as.query(listMeetingParticipants, {
      meetingId,
      ...filter,
      paginationOpts: { numItems: 500, cursor: null },
    });
    expect(isDone).toBe(true);
    expect(new Set(page.map(({ user }) => user?.displayName))).toEqual(new Set(names));
    expect(page).toHaveLength(names.length);
  });

  test("shows name and picture of a person, and not the address", async () => {
    const { host, meetingId } = await crowd();
    await host.as.mutation(api.users.mutations.updateUserProfile, {
      userId: host.id,
      avatarUrl: "https://example.com/host.png",
    });
    const { page } = await host.as.query(listMeetingParticipants, {
      meetingId,
      role: "host",
      paginationOpts: { numItems: 1, cursor: null },
    });
    expect(page.map(({ user }) => user)).toEqual([
      { _id: host.id, displayName: "host", avatarUrl: "https://example.com/host.png" },
    ]);
  });

  test("goes from page to page without a gap or a repetition, with all that usePaginatedQuery sends", async () => {
    const { host, meetingId } = await crowd();
    const seen: string[] = [];
    let cursor: string | null = null;
    for (let pages = 0, isDone = false; !isDone && pages < 10; pages += 1) {
      const result: { page: { userId?: string }[]; isDone: boolean; continueCursor: string } =
        await host.as.query(listMeetingParticipants, {
          meetingId,
          paginationOpts: { numItems: 2, cursor, id: 7, maximumRowsRead: 100, maximumBytesRead: 10_000 },
        });
      seen.push(...result.page.map(({ userId }) => String(userId)));
      ({ isDone, continueCursor: cursor } = result);
    }
    expect(seen).toHaveLength(5);
    expect(new Set(seen).size).toBe(5);
  });

  test.each([0, 501])("refuses pages of %d", async (numItems) => {
    const { host, meetingId } = await crowd();
    const call = host.as.query(listMeetingParticipants, {
      meetingId,
      paginationOpts: { numItems, cursor: null },
    });
    expect(await codeOf(call)).toBe("INVALID_ARGUMENT");
  });
});
