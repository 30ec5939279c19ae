import { expect, test, vi } from "vitest";
import { api } from "../../convex/_generated/api";
import { codeOf, errorOf, newApp, signUp, signUpAll } from "./setup";

const create = api.meetings.lifecycle.createMeeting;

test("a new meeting is scheduled, takes 30 minutes and has its organizer as host", async () => {
  const app = newApp();
  const host = await signUp(app, "host");
  const { meetingId, maxParticipants } = await host.as.mutation(create, { title: "  Planning " });
  expect(maxParticipants).toBe(100);
  expect(await host.as.query(api.meetings.queries.getMeeting, { meetingId })).toMatchObject({
    title: "Planning",
    state: "scheduled",
    duration: 1_800_000,
    maxParticipants: 100,
    participantCount: 1,
    organizerId: host.id,
    userRole: "host",
    userPresence: "invited",
  });
});

test.each([
  ["one-on-one", 2],
  ["small-group", 25],
  ["large-meeting", 1_000],
  ["webinar", 10_000],
] as const)("a %s meeting has %i places unless told otherwise", async (meetingType, places) => {
  const host = await signUp(newApp(), "host");
  const byType = await host.as.mutation(create, { title: "Planning", meetingType });
  const byNumber = await host.as.mutation(create, { title: "Planning", meetingType, maxParticipants: 1 });
  expect([byType.maxParticipants, byNumber.maxParticipants]).toEqual([places, 1]);
});

test.each([
  ["title", { title: "" }],
  ["title", { title: "   " }],
  ["title", { title: "x".repeat(201) }],
  ["title", { title: "half a pair: \ud800" }],
  ["description", { title: "Planning", description: "x".repeat(5001) }],
  ["duration", { title: "Planning", duration: 59_999 }],
  ["duration", { title: "Planning", duration: 86_400_001 }],
  ["duration", { title: "Planning", duration: NaN }],
  ["scheduledAt", { title: "Planning", scheduledAt: -1 }],
  ["maxParticipants", { title: "Planning", maxParticipants: 0 }],
  ["maxParticipants", { title: "Planning", maxParticipants: 1.5 }],
  ["maxParticipants", { title: "Planning", maxParticipants: 100_001 }],
  ["maxParticipants", { title: "Planning", maxParticipants: 3, meetingType: "one-on-one" as const }],
])("a wrong %s is refused by name", async (field, args) => {
  const host = await signUp(newApp(), "host");
  const error = await errorOf(host.as.mutation(create, args));
  expect(error).toMatchObject({ code: "INVALID_ARGUMENT", issues: [{ path: field }] });
  expect(error.message).toMatch(new RegExp(`^${field}: `));
});

test("a meeting cannot be scheduled in the past", async () => {
  const host = await signUp(newApp(), "host");
  const now = Date.now();
  vi.useFakeTimers({ now, toFake: ["Date"] });
  try {
    expect(await codeOf(host.as.mutation(create, { title: "Planning", scheduledAt: now - 1 }))).toBe(
      "SCHEDULED_IN_PAST",
    );
    await host.as.mutation(create, { title: "Planning", scheduledAt: now });
  } finally {
    vi.useRealTimers();
  }
});

test("nobody creates a meeting in another's name", async () => {
  const [ada, bob] = await signUpAll(newApp(), "ada", "bob");
  await ada.as.mutation(create, { title: "Planning", organizerId: ada.id });
  expect(await codeOf(ada.as.mutation(create, { title: "Planning", organizerId: bob.id }))).toBe("FORBIDDEN");
});
