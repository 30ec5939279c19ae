import * as z from "zod";
import { endpoint } from "./endpoint";
import { id } from "./ids";
import { examplePage, examplePaginationOpts, pageOf, paginationOpts } from "./pagination";
import { MAX_BATCH } from "./participants";
import { changeOutcome } from "./personNames";
import { waitlistEntry } from "./waitlist";

const tag = "Meetings";
const meetingId = "meeting_123example";
const ofMeeting = z.strictObject({ meetingId: id("meetings") });

export const listWaitlist = endpoint({
  path: "meetings/waitlist/listWaitlist",
  kind: "query",
  tag,
  access: "user",
  description:
    "A page of those who wait for a place in a full meeting, in the order in which they get one. Only for its hosts.",
  args: z.strictObject({ meetingId: id("meetings"), paginationOpts }),
  returns: pageOf(waitlistEntry),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN"],
  example: {
    args: { meetingId, paginationOpts: examplePaginationOpts },
    value: examplePage({
      _id: "waitlist_456example",
      _creationTime: 1_767_225_600_000,
      userId: "user_456example",
      role: "participant",
    }),
  },
});

export const getOwnPosition = endpoint({
  path: "meetings/waitlist/getOwnPosition",
  kind: "query",
  tag,
  access: "user",
  description:
    "Where on the waitlist the caller is, 1 for who gets the next place; null for who is in the meeting. Only for these two.",
  args: ofMeeting,
  returns: z.strictObject({ position: z.int().min(1).nullable() }),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN"],
  example: { args: { meetingId }, value: { position: 3 } },
});

export const leaveWaitlist = endpoint({
  path: "meetings/waitlist/leaveWaitlist",
  kind: "mutation",
  tag,
  access: "user",
  description: "Takes the caller off the waitlist. Only for who is on it.",
  args: ofMeeting,
  returns: z.null(),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN"],
  example: { args: { meetingId }, value: null },
});

export const removeFromWaitlist = endpoint({
  path: "meetings/waitlist/removeFromWaitlist",
  kind: "mutation",
  tag,
  access: "user",
  description: "Only a host can take others off the waitlist.",
  args: z.strictObject({
    meetingId: id("meetings"),
    waitlistIds: z.array(id("waitlist")).max(MAX_BATCH),
  }),
  returns: z.strictObject({
    removed: z.array(id("waitlist")),
    ...changeOutcome,
  }),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "MEETING_CLOSED"],
  example: {
    args: { meetingId, waitlistIds: ["waitlist_456example"] },
    value: { removed: ["waitlist_456example"], skipped: [], success: true },
  },
});
