import * as z from "zod";
import { endpoint } from "./endpoint";
import { historyMarker, historyMarkerFields } from "./history";
import { id } from "./ids";
import { examplePage, examplePaginationOpts, pageOf, paginationOpts } from "./pagination";
import { readIndex } from "./participantData";
import { runOptions } from "./runOptions";

const tag = "Meetings";
const meetingId = "meeting_123example";

export const addMarker = endpoint({
  path: "meetings/history/addMarker",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Sets a marker in the history of a meeting that is not over. Only for its hosts and co-hosts. People who are added later with `hideHistory` do not see it.",
  args: z.strictObject({ meetingId: id("meetings"), text: historyMarkerFields.text, ...runOptions }),
  returns: z.strictObject({ markerId: id("historyMarkers"), number: historyMarkerFields.number }),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "MEETING_CLOSED", "IDEMPOTENCY_CONFLICT"],
  example: {
    args: { meetingId, text: "The budget is agreed" },
    value: { markerId: "marker_456example", number: 3 },
  },
});

export const listMarkers = endpoint({
  path: "meetings/history/listMarkers",
  kind: "query",
  tag,
  access: "user",
  description:
    "A page of the markers in the history of a meeting, in their order, from the first that the caller may see. Only for its participants.",
  args: z.strictObject({ meetingId: id("meetings"), paginationOpts }),
  returns: pageOf(historyMarker),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN"],
  example: {
    args: { meetingId, paginationOpts: examplePaginationOpts },
    value: examplePage({
      _id: "marker_456example",
      _creationTime: 1_767_225_600_000,
      meetingId,
      number: 3,
      text: "The budget is agreed",
      author: { kind: "user", id: "user_123example" },
    }),
  },
});

export const setReadIndex = endpoint({
  path: "meetings/history/setReadIndex",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Notes how far the caller has read: the number of the last marker, or of whatever the application counts, so that it may be beyond the last marker. It goes forward only; the same number again changes nothing. Only for participants.",
  args: z.strictObject({ meetingId: id("meetings"), readIndex }),
  returns: z.null(),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "READ_INDEX_BACKWARD"],
  example: { args: { meetingId, readIndex: 3 }, value: null },
});
