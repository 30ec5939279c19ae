/** All operations: what the router matches, what is parsed, and what the OpenAPI document says. */
import { type WireInput, wireOperation } from "../../contract/wire";
import { wireErrors } from "./errors";
import * as wire from "./wire";

const ofMeeting = { MeetingId: wire.meetingId };
const ofAttendee = { ...ofMeeting, AttendeeId: wire.attendeeId };

export const operations = {
  CreateMeeting: wireOperation({
    method: "POST",
    path: "/meetings",
    description:
      "Makes a meeting, which is active at once. The same ClientRequestToken within a day gives the same meeting.",
    pathParameters: {},
    queryParameters: {},
    body: wire.createMeeting,
    answer: { status: 200, body: wire.meetingAnswer },
    errors: wireErrors("ConflictException", "LimitExceededException"),
  }),
  CreateMeetingWithAttendees: wireOperation({
    method: "POST",
    path: "/meetings",
    select: { operation: "create-attendees" },
    description: "Makes a meeting with up to 20 attendees.",
    pathParameters: {},
    queryParameters: {},
    body: wire.createMeetingWithAttendees,
    answer: { status: 200, body: wire.meetingWithAttendeesAnswer },
    errors: wireErrors("ConflictException", "LimitExceededException"),
  }),
  GetMeeting: wireOperation({
    method: "GET",
    path: "/meetings/{MeetingId}",
    description: "A meeting that is not over, whatever wire it was made by.",
    pathParameters: ofMeeting,
    queryParameters: {},
    answer: { status: 200, body: wire.meetingAnswer },
    errors: wireErrors("NotFoundException"),
  }),
  DeleteMeeting: wireOperation({
    method: "DELETE",
    path: "/meetings/{MeetingId}",
    description: "Ends a meeting, or cancels one that has not begun.",
    pathParameters: ofMeeting,
    queryParameters: {},
    answer: { status: 204 },
    errors: wireErrors("NotFoundException"),
  }),
  CreateAttendee: wireOperation({
    method: "POST",
    path: "/meetings/{MeetingId}/attendees",
    description:
      "Adds a person. One who is in the meeting already, by the same ExternalUserId, is given back unchanged.",
    pathParameters: ofMeeting,
    queryParameters: {},
    body: wire.createAttendee,
    answer: { status: 200, body: wire.attendeeAnswer },
    errors: wireErrors(
      "ForbiddenException",
      "LimitExceededException",
      "NotFoundException",
      "UnprocessableEntityException",
    ),
  }),
  BatchCreateAttendee: wireOperation({
    method: "POST",
    path: "/meetings/{MeetingId}/attendees",
    select: { operation: "batch-create" },
    description:
      "Adds up to 100 people in one transaction. Who cannot be added is in Errors; who is in the meeting already is given back unchanged.",
    pathParameters: ofMeeting,
    queryParameters: {},
    body: wire.batchCreateAttendee,
    answer: { status: 200, body: wire.batchAnswer },
    errors: wireErrors("NotFoundException"),
  }),
  ListAttendees: wireOperation({
    method: "GET",
    path: "/meetings/{MeetingId}/attendees",
    description: "Everybody in the meeting, a page at a time.",
    pathParameters: ofMeeting,
    queryParameters: wire.page,
    answer: { status: 200, body: wire.attendeesAnswer },
    errors: wireErrors("NotFoundException"),
  }),
  GetAttendee: wireOperation({
    method: "GET",
    path: "/meetings/{MeetingId}/attendees/{AttendeeId}",
    description: "A person in the meeting, with a fresh join token.",
    pathParameters: ofAttendee,
    queryParameters: {},
    answer: { status: 200, body: wire.attendeeAnswer },
    errors: wireErrors("NotFoundException"),
  }),
  DeleteAttendee: wireOperation({
    method: "DELETE",
    path: "/meetings/{MeetingId}/attendees/{AttendeeId}",
    description: "Removes a person, whose place becomes free and whose tokens die.",
    pathParameters: ofAttendee,
    queryParameters: {},
    answer: { status: 204 },
    errors: wireErrors("ForbiddenException", "NotFoundException"),
  }),
  UpdateAttendeeCapabilities: wireOperation({
    method: "PUT",
    path: "/meetings/{MeetingId}/attendees/{AttendeeId}/capabilities",
    description: "Says what a person may send and receive. Whoever is in the room is told at once.",
    pathParameters: ofAttendee,
    queryParameters: {},
    body: wire.updateCapabilities,
    answer: { status: 200, body: wire.attendeeAnswer },
    errors: wireErrors("NotFoundException"),
  }),
  BatchUpdateAttendeeCapabilitiesExcept: wireOperation({
    method: "PUT",
    path: "/meetings/{MeetingId}/attendees/capabilities",
    select: { operation: "batch-update-except" },
    description: "Says what everybody may send and receive but those who are named.",
    pathParameters: ofMeeting,
    queryParameters: {},
    body: wire.updateCapabilitiesExcept,
    answer: { status: 200 },
    errors: wireErrors("NotFoundException"),
  }),
  StartMeetingTranscription: wireOperation({
    method: "POST",
    path: "/meetings/{MeetingId}/transcription",
    select: { operation: "start" },
    description:
      "Notes that the meeting is to be transcribed, and how, for whoever transcribes it: nothing here does.",
    pathParameters: ofMeeting,
    queryParameters: {},
    body: wire.startTranscription,
    answer: { status: 200 },
    errors: wireErrors("NotFoundException", "UnprocessableEntityException"),
  }),
  StopMeetingTranscription: wireOperation({
    method: "POST",
    path: "/meetings/{MeetingId}/transcription",
    select: { operation: "stop" },
    description: "Notes that the meeting is not to be transcribed any more.",
    pathParameters: ofMeeting,
    queryParameters: {},
    answer: { status: 200 },
    errors: wireErrors("NotFoundException", "UnprocessableEntityException"),
  }),
  ListTagsForResource: wireOperation({
    method: "GET",
    path: "/tags",
    description: "The tags of a meeting, by its ARN.",
    pathParameters: {},
    queryParameters: { arn: wire.resourceArn },
    answer: { status: 200, body: wire.tagsAnswer },
    errors: wireErrors("ResourceNotFoundException"),
  }),
  TagResource: wireOperation({
    method: "POST",
    path: "/tags",
    select: { operation: "tag-resource" },
    description: "Adds tags to a meeting, which take the place of those with the same keys.",
    pathParameters: {},
    queryParameters: {},
    body: wire.tagResource,
    answer: { status: 204 },
    errors: wireErrors("ResourceNotFoundException", "TooManyTagsException"),
  }),
  UntagResource: wireOperation({
    method: "POST",
    path: "/tags",
    select: { operation: "untag-resource" },
    description: "Takes tags from a meeting. Keys that it does not have do not matter.",
    pathParameters: {},
    queryParameters: {},
    body: wire.untagResource,
    answer: { status: 204 },
    errors: wireErrors("ResourceNotFoundException"),
  }),
} as const;

export type OperationName = keyof typeof operations;

/** What an operation is given. */
export type InputOf<Name extends OperationName> = WireInput<(typeof operations)[Name]>;
