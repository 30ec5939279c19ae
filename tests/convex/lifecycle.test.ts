import { describe, expect, test } from "vitest";
import { api } from "../../convex/_generated/api";
import type { ErrorCode } from "../../convex/contract/errors";
import { type MeetingAction, nextState } from "../../convex/model/meetingStates";
import { codeOf, newMeeting, signUp } from "./setup";

const { startMeeting, endMeeting, cancelMeeting, joinMeeting, leaveMeeting } = api.meetings.lifecycle;

describe("the states of a meeting", () => {
  const outcomes: [state: "scheduled" | "active" | "concluded", MeetingAction, string][] = [
    ["scheduled", "start", "active"],
    ["scheduled", "cancel", "cancelled"],
    ["scheduled", "end", "MEETING_NOT_ACTIVE"],
    ["scheduled", "join", "MEETING_NOT_ACTIVE"],
    ["scheduled", "leave", "scheduled"],
    ["scheduled", "change", "scheduled"],
    ["active", "start", "MEETING_ALREADY_ACTIVE"],
    ["active", "cancel", "MEETING_ACTIVE"],
    ["active", "end", "concluded"],
    ["active", "join", "active"],
    ["active", "leave", "active"],
    ["active", "change", "active"],
    ["concluded", "start", "MEETING_CLOSED"],
    ["concluded", "cancel", "MEETING_CLOSED"],
    ["concluded", "end", "MEETING_NOT_ACTIVE"],
    ["concluded", "join", "MEETING_NOT_ACTIVE"],
    ["concluded", "leave", "MEETING_CLOSED"],
    ["concluded", "change", "MEETING_CLOSED"],
  ];

  test.each(outcomes)("%s, %s: %s", async (state, action, outcome) => {
    const attempt = async () => nextState(state, action);
    expect(await attempt().catch(() => codeOf(attempt()))).toBe(outcome);
  });

  test("cancelled is as closed as concluded", async () => {
    for (const action of ["start", "end", "cancel", "join", "leave", "change"] as const) {
      const attempt = async (state: "cancelled" | "concluded") => nextState(state, action);
      expect(await codeOf(attempt("cancelled"))).toBe(await codeOf(attempt("concluded")));
    }
  });
});

test("a meeting is started, joined, left, joined again and ended", async () => {
  const { app, host, add, meeting, meetingId, rows } = await newMeeting();
  const guest = await signUp(app, "guest");
  await add([guest, "participant"]);
  const guestRow = async () => (await rows()).find(({ userId }) => userId === guest.id);

  expect(await host.as.mutation(startMeeting, { meetingId })).toEqual({ success: true });
  expect(await guest.as.mutation(joinMeeting, { meetingId })).toEqual({ success: true });
  const joined = await guestRow();
  expect(joined).toMatchObject({ presence: "joined", joinedAt: expect.any(Number) });
  await guest.as.mutation(joinMeeting, { meetingId });
  expect(await guestRow()).toEqual(joined);

  expect(await guest.as.mutation(leaveMeeting, { meetingId })).toEqual({ success: true });
  const left = await guestRow();
  expect(left).toMatchObject({ presence: "left", leftAt: expect.any(Number) });
  await guest.as.mutation(leaveMeeting, { meetingId });
  expect(await guestRow()).toEqual(left);

  await guest.as.mutation(joinMeeting, { meetingId });
  expect(await guestRow()).not.toHaveProperty("leftAt");
  const { duration } = await host.as.mutation(endMeeting, { meetingId });
  const { state, startedAt = 0, endedAt = 0, participantCount } = await meeting();
  expect({ state, participantCount }).toEqual({ state: "concluded", participantCount: 2 });
  expect(duration).toBe(endedAt - startedAt);
});

test("an invitation is declined by leaving", async () => {
  const { app, add, meetingId, meeting, rows } = await newMeeting();
  const guest = await signUp(app, "guest");
  await add([guest, "participant"]);
  await guest.as.mutation(leaveMeeting, { meetingId });
  expect((await rows()).map(({ presence }) => presence)).toEqual(["invited", "left"]);
  expect((await meeting()).participantCount).toBe(2);
});

test("only a host starts, ends and cancels; only who is in the meeting joins and leaves", async () => {
  const { app, host, add, meetingId } = await newMeeting();
  const [cohost, stranger] = [await signUp(app, "cohost"), await signUp(app, "stranger")];
  await add([cohost, "co-host"]);
  for (const change of [startMeeting, endMeeting, cancelMeeting]) {
    expect(await codeOf(cohost.as.mutation(change, { meetingId }))).toBe("FORBIDDEN");
  }
  for (const change of [startMeeting, endMeeting, cancelMeeting, joinMeeting, leaveMeeting]) {
    expect(await codeOf(stranger.as.mutation(change, { meetingId }))).toBe("FORBIDDEN");
    const unknown = host.as.mutation(change, { meetingId: host.id as string as typeof meetingId });
    expect(await codeOf(unknown)).toBe("MEETING_NOT_FOUND");
  }
});

test("each function refuses what the meeting's state does not allow", async () => {
  const { host, meetingId } = await newMeeting();
  const refusals = async () => {
    const codes: ErrorCode[] = [];
    for (const change of [startMeeting, cancelMeeting, endMeeting, joinMeeting]) {
      codes.push(await codeOf(host.as.mutation(change, { meetingId })));
    }
    return codes;
  };
  expect(await codeOf(host.as.mutation(joinMeeting, { meetingId }))).toBe("MEETING_NOT_ACTIVE");
  expect(await codeOf(host.as.mutation(endMeeting, { meetingId }))).toBe("MEETING_NOT_ACTIVE");
  await host.as.mutation(startMeeting, { meetingId });
  expect(await codeOf(host.as.mutation(startMeeting, { meetingId }))).toBe("MEETING_ALREADY_ACTIVE");
  expect(await codeOf(host.as.mutation(cancelMeeting, { meetingId }))).toBe("MEETING_ACTIVE");
  await host.as.mutation(endMeeting, { meetingId });
  expect(await refusals()).toEqual([
    "MEETING_CLOSED",
    "MEETING_CLOSED",
    "MEETING_NOT_ACTIVE",
    "MEETING_NOT_ACTIVE",
  ]);
  expect(await codeOf(host.as.mutation(leaveMeeting, { meetingId }))).toBe("MEETING_CLOSED");
});
