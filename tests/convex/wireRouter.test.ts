import fc from "fast-check";
import { expect, test } from "vitest";
import { operations, type OperationName } from "../../convex/dialects/chime/operations";
import { matchOperation } from "../../convex/http/wireRouter";

function match(line: string) {
  const [method = "", target = ""] = line.split(" ");
  const [path = "", query = ""] = target.split("?");
  return matchOperation<OperationName>(operations, { method, path, query: new URLSearchParams(query) });
}

test.each([
  ["POST meetings", "CreateMeeting", {}],
  ["POST meetings?operation=create-attendees", "CreateMeetingWithAttendees", {}],
  ["GET meetings/m", "GetMeeting", { MeetingId: "m" }],
  ["POST meetings/m/attendees", "CreateAttendee", { MeetingId: "m" }],
  ["POST meetings/m/attendees?operation=batch-create", "BatchCreateAttendee", { MeetingId: "m" }],
  ["GET meetings/m/attendees?max-results=5", "ListAttendees", { MeetingId: "m" }],
  ["DELETE meetings/m/attendees/a%2Fb", "DeleteAttendee", { MeetingId: "m", AttendeeId: "a/b" }],
  [
    "PUT meetings/m/attendees/a/capabilities",
    "UpdateAttendeeCapabilities",
    { MeetingId: "m", AttendeeId: "a" },
  ],
  [
    "PUT meetings/m/attendees/capabilities?operation=batch-update-except",
    "BatchUpdateAttendeeCapabilitiesExcept",
    { MeetingId: "m" },
  ],
  ["POST meetings/m/transcription?operation=start", "StartMeetingTranscription", { MeetingId: "m" }],
  ["POST meetings/m/transcription?operation=stop", "StopMeetingTranscription", { MeetingId: "m" }],
  ["GET tags?arn=arn", "ListTagsForResource", {}],
  ["POST tags?operation=tag-resource", "TagResource", {}],
  ["POST tags?operation=untag-resource", "UntagResource", {}],
  ["GET /meetings//m/", "GetMeeting", { MeetingId: "m" }],
  ["GET meetings/meetings", "GetMeeting", { MeetingId: "meetings" }],
  ["GET meetings/meetings/attendees", "ListAttendees", { MeetingId: "meetings" }],
])("%s is %s", (line, name, pathParameters) => {
  expect(match(line)).toEqual({ name, pathParameters });
});

test.each([
  "GET ",
  "GET meetings",
  "PATCH meetings/m",
  "POST meetings?operation=destroy",
  "POST meetings/m/attendees?operation=",
  "GET meetings/%zz",
  "GET meetings/m/attendees/a/b",
  "GET acme/meetings/m",
  "GET meetings/meetings/m",
])("%s is nothing", (line) => {
  expect(match(line)).toBe(null);
});

test("no path and no query makes the router fail", () => {
  const segment = fc.oneof(
    fc.constantFrom("meetings", "attendees", "tags", "..", ".", "", "%", "%ff", "__proto__", "{MeetingId}"),
    fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
  );
  fc.assert(
    fc.property(
      fc.constantFrom("GET", "POST", "PUT", "DELETE", "__proto__"),
      fc.array(segment).map((segments) => segments.join("/")),
      fc.oneof(
        fc.constantFrom("operation=batch-create", "operation", "operation=x&operation=batch-create"),
        fc.string(),
      ),
      (method, path, query) => {
        const found = matchOperation<OperationName>(operations, {
          method,
          path,
          query: new URLSearchParams(query),
        });
        expect(found && operations[found.name].method).toBe(found && method);
      },
    ),
    { numRuns: 1000 },
  );
});
