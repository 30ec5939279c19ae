import { expect, test } from "vitest";
import { api } from "../../convex/_generated/api";
import { newApp } from "./setup";

test("a host adds people, and who cannot be added is skipped with a reason", async () => {
  const app = newApp();
  const [host, guest] = ["host", "guest"].map((subject) => app.withIdentity({ subject }));
  if (!host || !guest) throw new Error("unreachable");
  await host.mutation(api.users.mutations.upsertUser, { workosUserId: "host", email: "host@example.com" });
  const userId = await guest.mutation(api.users.mutations.upsertUser, {
    workosUserId: "guest",
    email: "guest@example.com",
  });
  const { meetingId } = await host.mutation(api.meetings.lifecycle.createMeeting, { title: "Planning" });
  const outcome = await host.mutation(api.meetings.lifecycle.addMultipleParticipants, {
    meetingId,
    participants: [
      { userId, role: "participant" },
      { userId: "nobody" as typeof userId, role: "observer" },
    ],
  });
  expect(outcome).toEqual({
    added: [expect.any(String)],
    skipped: [{ userId: "nobody", reason: "User not found", code: "user_not_found" }],
    success: true,
  });
});
