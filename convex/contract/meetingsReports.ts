import * as z from "zod";
import { attendance, MAX_ATTENDEES_PAGE } from "./attendance";
import { endpoint } from "./endpoint";
import { eventType, meetingEvent } from "./events";
import { id } from "./ids";
import { examplePage, examplePaginationOpts, pageOf, paginationOpts } from "./pagination";

const tag = "Meetings";

const meetingId = "meeting_123example";
const participantId = "participant_456example";

export const listMeetingEvents = endpoint({
  path: "meetings/queries/listMeetingEvents",
  kind: "query",
  tag,
  access: "user",
  description:
    "A page of what has happened to a meeting: who has changed what, before and after, in one sequence without gaps. Only for its hosts.",
  args: z.strictObject({
    meetingId: id("meetings"),
    type: eventType.exactOptional().describe("Only events of this type"),
    order: z.enum(["asc", "desc"]).exactOptional().describe("`asc`, as if absent: oldest first"),
    fromSequence: z
      .int()
      .min(1)
      .exactOptional()
      .describe("Begins with this event: the oldest with `asc`, the newest with `desc`"),
    paginationOpts,
  }),
  returns: pageOf(meetingEvent),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN"],
  example: {
    args: { meetingId, fromSequence: 4, paginationOpts: examplePaginationOpts },
    value: examplePage({
      _id: "event_123example",
      _creationTime: 1_767_225_600_000,
      meetingId,
      sequence: 4,
      type: "participant.joined",
      actor: { kind: "user", id: "user_456example" },
      changes: [{ subject: participantId, before: { presence: "invited" }, after: { presence: "joined" } }],
    }),
  },
});

export const getAttendanceReport = endpoint({
  path: "meetings/queries/getAttendanceReport",
  kind: "query",
  tag,
  access: "user",
  description:
    "A page of the people who have been in a meeting, those who came first first, with the times of their stays. Only for its hosts.",
  args: z.strictObject({
    meetingId: id("meetings"),
    paginationOpts: paginationOpts.extend({
      numItems: z.int().min(1).max(MAX_ATTENDEES_PAGE).describe("Size of the page wished for"),
    }),
  }),
  returns: pageOf(attendance),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN"],
  example: {
    args: { meetingId, paginationOpts: examplePaginationOpts },
    value: examplePage({
      participantId,
      userId: "user_456example",
      name: "Ada Lovelace",
      firstJoinedAt: 1_767_225_600_000,
      lastLeftAt: 1_767_226_200_000,
      totalMs: 600_000,
      stayCount: 1,
      stays: [{ joinedAt: 1_767_225_600_000, leftAt: 1_767_226_200_000 }],
    }),
  },
});
