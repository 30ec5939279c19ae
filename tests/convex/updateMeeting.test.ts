import { expect, test } from "vitest";
import { api } from "../../convex/_generated/api";
import { codeOf, newMeeting } from "./setup";

const { updateMeeting, startMeeting, endMeeting } = api.meetings.lifecycle;

type Changes = Omit<(typeof updateMeeting)["_args"], "meetingId">;

async function stage(args: Parameters<typeof newMeeting>[0] = {}) {
  const setting = await newMeeting(args);
  const { host, meetingId, app } = setting;
  const update = (changes: Changes) => host.as.mutation(updateMeeting, { meetingId, ...changes });
  const lastEvent = async () => (await app.run((ctx) => ctx.db.query("meetingEvents").collect())).at(-1);
  return { ...setting, update, lastEvent };
}

test("the fields given are changed, and an event says from what to what", async () => {
  const { update, meeting, lastEvent, meetingId } = await stage();
  const scheduledAt = Date.now() + 60_000;
  await update({ title: "Other", description: "All of it", scheduledAt, emptyTimeoutMs: 60_000 });
  expect(await meeting()).toMatchObject({ title: "Other", description: "All of it", scheduledAt });
  expect(await lastEvent()).toMatchObject({
    type: "meeting.updated",
    changes: [{ subject: meetingId, before: { title: "Planning" }, after: { title: "Other" } }],
  });
});

test("null removes a field", async () => {
  const { update, meeting } = await stage();
  await update({ description: "x", scheduledAt: Date.now() + 60_000, emptyTimeoutMs: 60_000 });
  await update({ description: null, scheduledAt: null, emptyTimeoutMs: null });
  const row = await meeting();
  expect(["description", "scheduledAt", "emptyTimeoutMs"].filter((field) => field in row)).toEqual([]);
});

test("what is as it was already leaves no event", async () => {
  const { update, lastEvent } = await stage();
  await update({ title: "Planning" });
  expect(await lastEvent()).not.toMatchObject({ type: "meeting.updated" });
});

test("a meeting cannot be planned for the past, nor anew when it has begun, nor changed when it is over", async () => {
  const { update, host, meetingId } = await stage();
  expect(await codeOf(update({ scheduledAt: 1 }))).toBe("SCHEDULED_IN_PAST");
  await host.as.mutation(startMeeting, { meetingId });
  expect(await codeOf(update({ scheduledAt: Date.now() + 60_000 }))).toBe("MEETING_ALREADY_ACTIVE");
  expect(await update({ title: "Still going on" })).toBeNull();
  await host.as.mutation(endMeeting, { meetingId });
  expect(await codeOf(update({ title: "Too late" }))).toBe("MEETING_CLOSED");
});

test("a one-on-one meeting stays one", async () => {
  const { update } = await stage({ meetingType: "one-on-one" });
  expect(await codeOf(update({ maxParticipants: 3 }))).toBe("ONE_ON_ONE_FULL");
});
