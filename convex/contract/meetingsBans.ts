import * as z from "zod";
import { ban, banErrors, banTerms } from "./bans";
import { endpoint } from "./endpoint";
import { id } from "./ids";
import { examplePage, examplePaginationOpts, pageOf, paginationOpts } from "./pagination";
import { MAX_BATCH } from "./participants";
import { changeOutcome, personName } from "./personNames";
import { runOptions } from "./runOptions";

const tag = "Meetings";
const meetingId = "meeting_123example";
const userId = "user_456example";
const people = z.array(personName).max(MAX_BATCH);

export const banParticipants = endpoint({
  path: "meetings/bans/banParticipants",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Only a host can ban people: they are removed from the meeting and its waitlist, and can neither be added nor join until the ban is over or lifted. Who is banned already gets the new terms. The last host cannot be banned. A meeting has at most 2,000 bans.",
  args: z.strictObject({ meetingId: id("meetings"), people, ...banTerms, ...runOptions }),
  returns: z.strictObject({
    banned: z.array(id("bans")),
    removed: z.array(id("meetingParticipants")).describe("Those of them who were in the meeting"),
    ...changeOutcome,
  }),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "MEETING_CLOSED", ...banErrors, "IDEMPOTENCY_CONFLICT"],
  example: {
    args: { meetingId, people: [{ userId }], reason: "Advertising" },
    value: {
      banned: ["ban_456example"],
      removed: ["participant_456example"],
      skipped: [],
      success: true,
    },
  },
});

export const unbanParticipants = endpoint({
  path: "meetings/bans/unbanParticipants",
  kind: "mutation",
  tag,
  access: "user",
  description: "Only a host can lift bans. Whoever was banned can be added again, and is not by this.",
  args: z.strictObject({ meetingId: id("meetings"), people, ...runOptions }),
  returns: z.strictObject({
    unbanned: z.array(id("bans")),
    ...changeOutcome,
  }),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "MEETING_CLOSED", "IDEMPOTENCY_CONFLICT"],
  example: {
    args: { meetingId, people: [{ userId }] },
    value: { unbanned: ["ban_456example"], skipped: [], success: true },
  },
});

export const listBans = endpoint({
  path: "meetings/bans/listBans",
  kind: "query",
  tag,
  access: "user",
  description: "A page of the people who are banned from a meeting. Only for its hosts.",
  args: z.strictObject({ meetingId: id("meetings"), paginationOpts }),
  returns: pageOf(ban),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN"],
  example: {
    args: { meetingId, paginationOpts: examplePaginationOpts },
    value: examplePage({
      _id: "ban_456example",
      _creationTime: 1_767_225_600_000,
      meetingId,
      userId,
      reason: "Advertising",
    }),
  },
});
