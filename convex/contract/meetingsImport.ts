/** Endpoint of `meetings/lifecycle` that adds the people of a list made elsewhere. */
import * as z from "zod";
import { endpoint } from "./endpoint";
import { addErrors, addOutcome, addPolicy } from "./entries";
import { id } from "./ids";
import { ignoredColumns, importFormat, MAX_IMPORT_LENGTH, skippedLine } from "./imports";
import { MAX_BATCH, participantRole } from "./participants";
import { runOptions } from "./runOptions";
import { text } from "./text";

const meetingId = "meeting_123example";

export const importParticipants = endpoint({
  path: "meetings/lifecycle/importParticipants",
  kind: "mutation",
  tag: "Meetings",
  access: "user",
  description: `Only a host can import people: up to ${MAX_BATCH} from CSV or from the attendees of an iCalendar file; \`meetings/jobs/startImport\` takes more. Says of each line that was skipped why.

CSV has a header row with the columns \`email\`, \`userId\`, \`externalId\`, \`guestId\`, \`name\` (or \`displayName\`), \`nickname\`, \`role\`, \`department\` and \`level\`, in any order and case, separated by commas, semicolons or tabs. A person is named by the first of userId, guestId, externalId and email that the line has; other columns are ignored and reported.

Of iCalendar the attendees of all events are taken: \`CN\` is the name, who has \`ROLE=CHAIR\` becomes a host; rooms, resources and groups are skipped, as are the attendees of cancelled events.

Whoever has an address that nobody here has becomes a guest with that address, and is found by it again; when a person with that verified address signs in, the guest's places become theirs.`,
  args: z.strictObject({
    meetingId: id("meetings"),
    format: importFormat,
    text: text().max(MAX_IMPORT_LENGTH).describe("The list itself"),
    defaultRole: participantRole
      .exactOptional()
      .describe(
        "For lines without a role; if absent, those who are there keep theirs, and others become participants",
      ),
    ...addPolicy,
    ...runOptions,
  }),
  returns: z.strictObject({
    ...addOutcome,
    skipped: z.array(skippedLine).describe("In the order of the lines"),
    ignoredColumns,
    success: z.boolean(),
  }),
  errors: [
    "MEETING_NOT_FOUND",
    "FORBIDDEN",
    "MEETING_CLOSED",
    ...addErrors,
    "IMPORT_UNREADABLE",
    "IMPORT_TOO_LARGE",
    "IDEMPOTENCY_CONFLICT",
  ],
  example: {
    args: {
      meetingId,
      format: "csv",
      text: "email,name,role\nada@example.com,Ada Lovelace,co-host\ngrace@example.com,,chairman\n",
    },
    value: {
      added: ["participant_456example"],
      skipped: [
        {
          line: 3,
          code: "invalid_line",
          reason: 'role: Invalid option: expected one of "host"|"co-host"|"participant"|"observer"',
          email: "grace@example.com",
        },
      ],
      success: true,
    },
  },
});
