import * as z from "zod";
import { id } from "./ids";
import { personFields } from "./participants";

const timeAt = z.number();

/** Fields of the table `stays`: one time that somebody was in a meeting. Without `leftAt` until the person leaves. */
export const stayFields = {
  participantId: id("meetingParticipants"),
  joinedAt: timeAt,
  leftAt: timeAt.exactOptional(),
};

/** Fields of the table `attendees`: whoever has been in a meeting, and the sum of their stays. */
export const attendeeFields = {
  meetingId: id("meetings"),
  participantId: id("meetingParticipants"),
  ...personFields,
  firstJoinedAt: timeAt,
  lastLeftAt: timeAt.exactOptional(),
  stayCount: z.int(),
  /** Of all stays that are over. */
  totalMs: z.number(),
  /** The stay that is not over, and its begin. */
  stayId: id("stays").exactOptional(),
  joinedAt: timeAt.exactOptional(),
};

/** The most stays of one person that the report shows. */
export const MAX_STAYS_SHOWN = 50;
/** The most people on one page of the report, since each brings their stays. */
export const MAX_ATTENDEES_PAGE = 100;

const shownTime = timeAt.describe("Milliseconds since the epoch");

/** One person of the report. What is not over when the meeting ends, ends with it. */
export const attendance = z.strictObject({
  participantId: id("meetingParticipants").describe("Also of people who have been removed since"),
  ...personFields,
  name: z.string().exactOptional(),
  firstJoinedAt: shownTime,
  lastLeftAt: shownTime.exactOptional().describe("Absent while the first stay is not over"),
  joinedAt: shownTime.exactOptional().describe("There since; absent for whoever is not there"),
  totalMs: z.number().describe("Milliseconds of all stays that are over"),
  stayCount: z.int(),
  stays: z
    .array(z.strictObject({ joinedAt: shownTime, leftAt: shownTime.exactOptional() }))
    .describe(`The last ${MAX_STAYS_SHOWN}, the latest first`),
});
