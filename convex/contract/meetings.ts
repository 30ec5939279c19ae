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

export const emptyTimeoutMs = z
  .int()
  .min(60_000)
  .max(MAX_DURATION_MS)
  .describe("An active meeting that has been empty for so many milliseconds ends by itself");
export const lobby = z
  .boolean()
  .describe("Whoever is not a host waits in the lobby until a host admits them");

export const locked = z
  .boolean()
  .describe("Whoever is not a host and not there already can't join, until a host unlocks the meeting");

/** What the participants of a meeting may see of it. */
const visibleFields = {
  organizerId: id("users").exactOptional().describe("Absent if an application has made the meeting"),
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
  lobby: lobby.exactOptional(),
  locked: locked.exactOptional(),
  emptyTimeoutMs: emptyTimeoutMs.exactOptional().describe("Absent: what holds for the tenant"),
  version: z
    .int()
    .exactOptional()
    .describe("Counts the changes to who is in the meeting and as what; 0 if absent"),
  updatedAt: timeAt,
};

/** Fields of the table `meetings` which only the backend reads. Absent counters are 0. */
const internalFields = {
  /** Absent until something of the tenant is needed, in meetings that are older than tenants. */
  tenantId: id("tenants").exactOptional(),
  eventSequence: z.int().exactOptional(),
  /** People whose presence is `joined`. */
  joinedCount: z.int().exactOptional(),
  /** Since when an active meeting has had nobody in it. */
  emptySince: timeAt.exactOptional(),
  /** When `cleanUp` looks whether the meeting is still empty; absent if it need not. */
  emptyCheckAt: timeAt.exactOptional(),
  waitlistCount: z.int().exactOptional(),
  banCount: z.int().exactOptional(),
  /** Pending invitations. */
  invitationCount: z.int().exactOptional(),
  historyCount: z.int().exactOptional(),
};

/** Fields of the table `meetings`. */
export const meetingFields = { ...visibleFields, ...internalFields };

export const internalMeetingFields = Object.keys(internalFields) as (keyof typeof internalFields)[];

export const meeting = z.strictObject({
  _id: id("meetings"),
  _creationTime: z.number(),
  ...visibleFields,
});

/** How many of a person's meetings one `listUserMeetings` reads at most to find those of one state. */
export const MAX_MEETINGS_SCANNED = 1000;
