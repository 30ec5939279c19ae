import * as z from "zod";
import { endpoint } from "./endpoint";
import { addPolicy } from "./entries";
import { idempotencyKey } from "./idempotency";
import { id } from "./ids";
import { ignoredColumns, importFormat, MAX_IMPORT_LENGTH } from "./imports";
import { job, MAX_JOB_LINES } from "./jobs";
import { examplePage, examplePaginationOpts, pageOf, paginationOpts } from "./pagination";
import { participantRole } from "./participants";
import { text } from "./text";

const tag = "Meetings";
const meetingId = "meeting_123example";
const jobId = "job_123example";

/** A job goes on past whoever cannot be added. */
const policy = { onExisting: addPolicy.onExisting, onFull: z.enum(["perItem", "waitlist"]).exactOptional() };

const started = z.strictObject({ jobId: id("jobs"), success: z.boolean() });
const startErrors = ["MEETING_NOT_FOUND", "FORBIDDEN", "MEETING_CLOSED", "JOB_RUNNING"] as const;
const ofJob = z.strictObject({ meetingId: id("meetings"), jobId: id("jobs") });

export const startImport = endpoint({
  path: "meetings/jobs/startImport",
  kind: "mutation",
  tag,
  access: "user",
  description: `Only a host can start an import. It reads what \`importParticipants\` reads, up to ${MAX_JOB_LINES} lines, and adds the people in the background, a page at a time; \`getJob\` says how far it is. Ends when its starter is no host any more or the meeting is over. A meeting has one running job at a time.`,
  args: z.strictObject({
    meetingId: id("meetings"),
    format: importFormat,
    text: text().max(MAX_IMPORT_LENGTH).describe("The list itself"),
    defaultRole: participantRole.exactOptional().describe("For lines without a role"),
    ...policy,
    idempotencyKey: idempotencyKey.exactOptional(),
  }),
  returns: started.extend({ ignoredColumns }),
  errors: [...startErrors, "IMPORT_UNREADABLE", "IMPORT_TOO_LARGE", "IDEMPOTENCY_CONFLICT"],
  example: {
    args: { meetingId, format: "csv", text: "email,name\nada@example.com,Ada Lovelace\n" },
    value: { jobId, success: true },
  },
});

export const startAddOrganization = endpoint({
  path: "meetings/jobs/startAddOrganization",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Only a host can add all active people of an organization, which must be that of the caller's token, however many they are: in the background, a page at a time. `getJob` says how far it is. Ends when its starter is no host any more or the meeting is over. A meeting has one running job at a time.",
  args: z.strictObject({
    meetingId: id("meetings"),
    orgId: text().min(1).max(256),
    role: participantRole,
    ...policy,
    idempotencyKey: idempotencyKey.exactOptional(),
  }),
  returns: started,
  errors: [...startErrors, "IDEMPOTENCY_CONFLICT"],
  example: {
    args: { meetingId, orgId: "org_123example", role: "participant" },
    value: { jobId, success: true },
  },
});

const running = {
  _id: jobId,
  _creationTime: 1_767_225_600_000,
  meetingId,
  kind: "import",
  startedBy: "user_123example",
  state: "running",
  total: 4000,
  done: 250,
  added: 249,
  updated: 0,
  existing: 0,
  waitlisted: 0,
  skippedCount: 1,
  skipped: [{ line: 3, code: "invalid_line", reason: "email: Invalid email address", email: "ada" }],
};

export const getJob = endpoint({
  path: "meetings/jobs/getJob",
  kind: "query",
  tag,
  access: "user",
  description:
    "What has become of a job so far, and of whom it has skipped why. Only for hosts of the meeting.",
  args: ofJob,
  returns: job,
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "JOB_NOT_FOUND"],
  example: { args: { meetingId, jobId }, value: running },
});

export const listJobs = endpoint({
  path: "meetings/jobs/listJobs",
  kind: "query",
  tag,
  access: "user",
  description:
    "A page of the jobs of a meeting, the newest first; those that are over are there for a week. Only for its hosts.",
  args: z.strictObject({ meetingId: id("meetings"), paginationOpts }),
  returns: pageOf(job),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN"],
  example: {
    args: { meetingId, paginationOpts: examplePaginationOpts },
    value: examplePage(running),
  },
});

export const cancelJob = endpoint({
  path: "meetings/jobs/cancelJob",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Only a host can cancel a job; what it has done stays. Nothing happens if the job is over already.",
  args: ofJob,
  returns: z.null(),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "JOB_NOT_FOUND"],
  example: { args: { meetingId, jobId }, value: null },
});
