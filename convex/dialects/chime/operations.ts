/** The sixteen operations: what the router matches, what is parsed, and what the OpenAPI document says. */
import type * as z from "zod";
import { wireOperation } from "../../contract/wire";
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
      "LimitExceededException",
      "NotFoundException",
      "ConflictException",
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
    errors: wireErrors("LimitExceededException", "NotFoundException", "UnprocessableEntityException"),
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
    errors: wireErrors("NotFoundException"),
  }),
} as const;

export type OperationName = keyof typeof operations;

type Parsed<Shape> = { [Name in keyof Shape]: z.output<Shape[Name]> };

type BodyOf<Operation> = Operation extends { readonly body?: z.ZodType<infer Body> } ? Body : object;

/** What an operation is given: its parameters and the fields of its body. */
export type InputOf<Name extends OperationName> = Parsed<(typeof operations)[Name]["pathParameters"]> &
  Partial<Parsed<(typeof operations)[Name]["queryParameters"]>> &
  BodyOf<(typeof operations)[Name]>;
