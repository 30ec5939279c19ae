import * as z from "zod";
import { id } from "./ids";

/** What a person may do in a meeting. Has nothing to do with the person's role in an organization. */
export const participantRole = z.enum(["host", "co-host", "participant", "observer"]);
export type ParticipantRole = z.infer<typeof participantRole>;

export const presence = z.enum(["invited", "joined", "left"]);
export type Presence = z.infer<typeof presence>;

/** Fields of the table `meetingParticipants`. */
export const participantFields = {
  meetingId: id("meetings"),
  userId: id("users"),
  role: participantRole,
  presence,
  joinedAt: z.number().exactOptional().describe("Last joined, milliseconds since the epoch"),
  leftAt: z.number().exactOptional().describe("Left, milliseconds since the epoch"),
};

export const participant = z.strictObject({
  _id: id("meetingParticipants"),
  _creationTime: z.number(),
  ...participantFields,
});

/** A person to be added, and as what. */
export const participantEntry = z.strictObject({ userId: id("users"), role: participantRole });
export type ParticipantEntry = z.infer<typeof participantEntry>;

/** The most people one request may name. */
export const MAX_BATCH = 1000;

/** Why a person was not added: the stable code and the words for people. */
export const skipReasons = {
  user_not_found: "User not found",
  user_inactive: "User is deactivated",
  duplicate: "Listed more than once in this request",
  already_participant: "Already a participant",
  last_host: "The last host of the meeting stays its host",
  meeting_full: "Meeting is full",
  one_on_one_full: "A one-on-one meeting has two places",
} as const;

export type SkipCode = keyof typeof skipReasons;

export const skippedEntry = z.strictObject({
  userId: id("users"),
  reason: z.string(),
  code: z.enum(Object.keys(skipReasons) as [SkipCode, ...SkipCode[]]),
});
export type SkippedEntry = z.infer<typeof skippedEntry>;
