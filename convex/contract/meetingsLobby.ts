import * as z from "zod";
import { endpoint } from "./endpoint";
import { id } from "./ids";
import { listedParticipant } from "./listedParticipant";
import { examplePage, examplePaginationOpts, pageOf, paginationOpts } from "./pagination";
import { MAX_BATCH } from "./participants";
import { personName, skippedPerson } from "./personNames";

const tag = "Meetings";
const meetingId = "meeting_123example";
const participantId = "participant_456example";

const args = z.strictObject({
  meetingId: id("meetings"),
  people: z.array(personName).max(MAX_BATCH).exactOptional().describe("All who wait if absent"),
});
const rest = {
  skipped: z.array(skippedPerson),
  isDone: z
    .boolean()
    .describe(`False if more than ${MAX_BATCH} people wait, of whom one request sees to so many: call again`),
  success: z.boolean(),
};

export const listLobby = endpoint({
  path: "meetings/lobby/listLobby",
  kind: "query",
  tag,
  access: "user",
  description: "A page of those who wait in the lobby. Only for hosts and co-hosts of the meeting.",
  args: z.strictObject({ meetingId: id("meetings"), paginationOpts }),
  returns: pageOf(listedParticipant),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN"],
  example: {
    args: { meetingId, paginationOpts: examplePaginationOpts },
    value: examplePage({
      _id: participantId,
      _creationTime: 1_767_225_600_000,
      meetingId,
      userId: "user_456example",
      role: "participant",
      presence: "waiting",
      user: { _id: "user_456example", displayName: "Ada Lovelace" },
    }),
  },
});

export const admitParticipants = endpoint({
  path: "meetings/lobby/admitParticipants",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Lets people in who wait in the lobby: those named, or all. A guest who is named is let in without having waited. Only for hosts and co-hosts of the meeting.",
  args,
  returns: z.strictObject({ admitted: z.array(id("meetingParticipants")), ...rest }),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "MEETING_NOT_ACTIVE"],
  example: {
    args: { meetingId, people: [{ participantId }] },
    value: { admitted: [participantId], skipped: [], isDone: true, success: true },
  },
});

export const refuseParticipants = endpoint({
  path: "meetings/lobby/refuseParticipants",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Sends people away who wait in the lobby: those named, or all. They keep their place and may knock again; a ban keeps them out. Only for hosts and co-hosts of the meeting.",
  args,
  returns: z.strictObject({ refused: z.array(id("meetingParticipants")), ...rest }),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "MEETING_NOT_ACTIVE"],
  example: {
    args: { meetingId, people: [{ participantId }] },
    value: { refused: [participantId], skipped: [], isDone: true, success: true },
  },
});
