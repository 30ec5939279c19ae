import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { api } from "../../convex/_generated/api";
import { type App, newApp, newMeeting, type Person, signUp } from "./setup";
import { deliver, userEvent, WEBHOOK_SECRET } from "./workosEvents";

const { addParticipant, createMeeting, joinMeeting, startMeeting } = api.meetings.lifecycle;
const { deactivateUser } = api.users.mutations;

const now = 1_800_000_000_000;

beforeEach(() => {
  vi.useFakeTimers({ now });
  vi.stubEnv("WORKOS_WEBHOOK_SECRET", WEBHOOK_SECRET);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

const ways: [string, (app: App, person: Person) => Promise<unknown>][] = [
  ["themselves", (_, { id, as }) => as.mutation(deactivateUser, { userId: id })],
  ["WorkOS", (app) => deliver(app, userEvent("event_1", "user.deleted", 1))],
];

test.each(ways)(
  "whoever is deactivated by %s has left the meeting, and keeps the place",
  async (_, deactivate) => {
    const { app, host, meetingId, add, meeting, rows } = await newMeeting();
    const ada = await signUp(app, "user_ada");
    await add([ada, "participant"]);
    await host.as.mutation(startMeeting, { meetingId });
    await ada.as.mutation(joinMeeting, { meetingId });
    vi.setSystemTime(now + 5000);
    await deactivate(app, ada);
    const [, row] = await rows();
    expect(row).toMatchObject({ userId: ada.id, presence: "left", leftAt: now + 5000 });
    expect(await meeting()).toMatchObject({ participantCount: 2, joinedCount: 0, emptySince: now + 5000 });
    expect(await app.run((ctx) => ctx.db.query("stays").collect())).toMatchObject([{ leftAt: now + 5000 }]);
  },
);

test("nothing changes in meetings that are not active", async () => {
  const { app, add, rows } = await newMeeting();
  const ada = await signUp(app, "user_ada");
  await add([ada, "participant"]);
  const before = await rows();
  await ada.as.mutation(deactivateUser, { userId: ada.id });
  expect(await rows()).toEqual(before);
});

test("whoever is in more meetings than one transaction takes has left them all in the end", async () => {
  const app = newApp();
  const host = await signUp(app, "host");
  const ada = await signUp(app, "user_ada");
  for (let index = 0; index < 60; index++) {
    const { meetingId } = await host.as.mutation(createMeeting, { title: `Meeting ${index}` });
    await host.as.mutation(addParticipant, { meetingId, userId: ada.id, role: "participant" });
    await host.as.mutation(startMeeting, { meetingId });
    await ada.as.mutation(joinMeeting, { meetingId });
  }
  await ada.as.mutation(deactivateUser, { userId: ada.id });
  await app.finishAllScheduledFunctions(() => vi.advanceTimersByTime(0));
  const rows = await app.run((ctx) => ctx.db.query("meetingParticipants").collect());
  expect(rows.filter(({ userId }) => userId === ada.id).map(({ presence }) => presence)).toEqual(
    Array.from({ length: 60 }, () => "left"),
  );
});
