import * as z from "zod";
import { endpoint } from "./endpoint";
import { id } from "./ids";
import { listedParticipant } from "./listedParticipant";
import { MAX_MEETINGS_SCANNED, meeting, meetingState } from "./meetings";
import { examplePage, examplePaginationOpts, pageOf, paginationOpts } from "./pagination";
import { participantRole, presence } from "./participants";

const tag = "Meetings";

const meetingForCaller = meeting.extend({
  userRole: participantRole.describe("The caller's role"),
  userPresence: presence.describe("The caller's presence"),
});

const meetingExample = {
  _id: "meeting_123example",
  _creationTime: 1_767_225_600_000,
  organizerId: "user_123example",
  title: "Weekly planning",
  meetingType: "small-group",
  state: "scheduled",
  duration: 1_800_000,
  maxParticipants: 25,
  participantCount: 3,
  updatedAt: 1_767_225_600_000,
  userRole: "host",
  userPresence: "invited",
};

export const getMeeting = endpoint({
  path: "meetings/queries/getMeeting",
  kind: "query",
  tag,
  access: "user",
  description: "A meeting, with the caller's role and presence in it. Only for its participants.",
  args: z.strictObject({ meetingId: id("meetings") }),
  returns: meetingForCaller,
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN"],
  example: { args: { meetingId: "meeting_123example" }, value: meetingExample },
});

export const listUserMeetings = endpoint({
  path: "meetings/queries/listUserMeetings",
  kind: "query",
  tag,
  access: "user",
  description: `The caller's meetings, those to which the caller was added last first. With \`state\` it looks through the latest ${MAX_MEETINGS_SCANNED} of them.`,
  args: z.strictObject({
    state: meetingState.exactOptional(),
    limit: z.int().min(1).max(200).exactOptional().describe("At most so many meetings; 50 if absent"),
  }),
  returns: z.array(meetingForCaller),
  errors: [],
  example: { args: { state: "scheduled", limit: 20 }, value: [meetingExample] },
});

export const listMeetingParticipants = endpoint({
  path: "meetings/queries/listMeetingParticipants",
  kind: "query",
  tag,
  access: "user",
  description:
    "A page of the people in a meeting, if wished only those of one role, one presence, or both. Only for its participants.",
  args: z.strictObject({
    meetingId: id("meetings"),
    role: participantRole.exactOptional(),
    presence: presence.exactOptional(),
    paginationOpts,
  }),
  returns: pageOf(listedParticipant),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN"],
  example: {
    args: {
      meetingId: "meeting_123example",
      role: "participant",
      paginationOpts: examplePaginationOpts,
    },
    value: examplePage({
      _id: "participant_456example",
      _creationTime: 1_767_225_600_000,
      meetingId: "meeting_123example",
      userId: "user_456example",
      role: "participant",
      presence: "invited",
      user: { _id: "user_456example", displayName: "Ada Lovelace" },
    }),
  },
});
