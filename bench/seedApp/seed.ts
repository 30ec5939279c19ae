/** Fills a data folder of the app by many rows a mutation. Bundled with the app's own schema and run by the embedded runtime. */
import { v } from "convex/values";
import { internalMutation } from "../../convex/_generated/server";

export const addUsers = internalMutation({
  args: { subjects: v.array(v.string()), isActive: v.boolean() },
  handler: ({ db }, { subjects, isActive }) =>
    Promise.all(
      subjects.map((workosUserId) =>
        db.insert("users", { workosUserId, email: `${workosUserId}@example.com`, isActive }),
      ),
    ),
});

export const addMeetings = internalMutation({
  args: { host: v.id("users"), places: v.number(), count: v.number() },
  handler: ({ db }, { host, places, count }) =>
    Promise.all(
      Array.from({ length: count }, async () => {
        const meetingId = await db.insert("meetings", {
          organizerId: host,
          title: "Meeting",
          state: "scheduled",
          duration: 1_800_000,
          maxParticipants: places,
          participantCount: 1,
          updatedAt: Date.now(),
        });
        const row = { meetingId, userId: host, role: "host", presence: "invited" } as const;
        await db.insert("meetingParticipants", row);
        return meetingId;
      }),
    ),
});

export const addParticipants = internalMutation({
  args: { meetingId: v.id("meetings"), users: v.array(v.id("users")) },
  handler: async ({ db }, { meetingId, users }) => {
    const meeting = await db.get("meetings", meetingId);
    if (!meeting) throw new Error("There is no such meeting");
    await db.patch("meetings", meetingId, { participantCount: meeting.participantCount + users.length });
    for (const userId of users) {
      await db.insert("meetingParticipants", { meetingId, userId, role: "participant", presence: "invited" });
    }
    return null;
  },
});
