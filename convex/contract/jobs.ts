/** Work on a meeting that is too much for one transaction. */
import * as z from "zod";
import { skippedLine } from "./imports";
import { id } from "./ids";
import { participantRole } from "./participants";

/** For how long a job can be looked at when it is over. */
export const JOB_MS = 7 * 24 * 60 * 60_000;

/** The most lines that a job imports. */
export const MAX_JOB_LINES = 20_000;

/** How many of those who were skipped a job names. */
export const MAX_JOB_SKIPPED = 500;

const count = z.int();

const visibleFields = {
  meetingId: id("meetings"),
  kind: z.enum(["import", "organization"]),
  startedBy: id("users"),
  state: z.enum(["running", "done", "failed", "cancelled"]),
  total: count.exactOptional().describe("How many there are to be seen to, if that is known beforehand"),
  done: count.describe("How many have been seen to"),
  added: count,
  updated: count,
  existing: count.describe("People who were there, where that is no reason to skip them"),
  waitlisted: count,
  skippedCount: count,
  skipped: z.array(skippedLine).describe(`The first ${MAX_JOB_SKIPPED} of those who were skipped`),
  error: z
    .strictObject({ code: z.string(), message: z.string() })
    .exactOptional()
    .describe("Why the job has failed; what it had done before stays"),
  finishedAt: z.number().exactOptional().describe("Milliseconds since the epoch; deleted a week later"),
};

/** Fields of the table `jobs`. */
export const jobFields = {
  ...visibleFields,
  onExisting: z.enum(["skip", "update", "return"]),
  onFull: z.enum(["perItem", "waitlist"]),
  /** Of an organization's people. */
  role: participantRole.exactOptional(),
  orgId: z.string().exactOptional(),
  /** Where the next page of an organization's people begins. */
  cursor: z.string().nullable(),
};

/** Fields of the table `jobPages`. */
export const jobPageFields = {
  jobId: id("jobs"),
  number: z.int(),
  /** JSON, since ids in it are as a client gave them. */
  lines: z.string(),
};

export const job = z.strictObject({ _id: id("jobs"), _creationTime: z.number(), ...visibleFields });
