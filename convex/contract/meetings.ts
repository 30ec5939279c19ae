import * as z from "zod";
import { id } from "./ids";
import { text } from "./text";

export const meetingState = z.enum(["scheduled", "active", "concluded", "cancelled"]);
export type MeetingState = z.infer<typeof meetingState>;

export const meetingType = z.enum(["one-on-one", "small-group", "large-meeting", "webinar"]);
export type MeetingType = z.infer<typeof meetingType>;

const timeAt = z.number().describe("Milliseconds since the epoch");

export const title = text().trim().min(1).max(200);
export const description = text().max(5000);
export const scheduledAt = z
  .int()
  .min(0)
  .max(8.64e15)
  .describe(
    "Milliseconds since the epoch; not in the past. A meeting that nobody starts within 24 hours of it is cancelled",
  );
export const MAX_DURATION_MS = 86_400_000;
export const duration = z.int().min(60_000).max(MAX_DURATION_MS).describe("Planned duration in milliseconds");
export const maxParticipants = z
  .int()
  .min(1)
  .max(100_000)
  .describe("Places in the meeting, the host's included");

/** Fields of the table `meetings`, all of which its participants may see. */
export const meetingFields = {
  organizerId: id("users"),
  title: text(),
  description: text().exactOptional(),
  meetingType: meetingType.exactOptional(),
  state: meetingState,
  scheduledAt: timeAt.exactOptional(),
  duration: z.number().describe("Planned duration in milliseconds"),
  maxParticipants,
  participantCount: z.number().describe("People in the meeting, hosts and those who left included"),
  startedAt: timeAt.exactOptional(),
  endedAt: timeAt.exactOptional(),
  updatedAt: timeAt,
};

export const meeting = z.strictObject({
  _id: id("meetings"),
  _creationTime: z.number(),
  ...meetingFields,
});

/** How many of a person's meetings one `listUserMeetings` reads at most to find those of one state. */
export const MAX_MEETINGS_SCANNED = 1000;
