/** Jobs as hosts see them, and their beginning and end. What a page does is in `jobPages.ts`. */
import { omit } from "convex-helpers";
import type { PaginationOptions, WithoutSystemFields } from "convex/server";
import { ConvexError } from "convex/values";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import type { ErrorData } from "../contract/errors";
import { JOB_MS } from "../contract/jobs";
import { fail } from "./errors";

type Fields = WithoutSystemFields<Doc<"jobs">>;

const nothingDone = {
  state: "running" as const,
  done: 0,
  added: 0,
  updated: 0,
  existing: 0,
  waitlisted: 0,
  skippedCount: 0,
  skipped: [],
  cursor: null,
};

/** Starts a job of a meeting; JOB_RUNNING if there is one. */
export async function startJob(
  ctx: MutationCtx,
  fields: Partial<Fields> & Pick<Fields, "meetingId" | "kind" | "startedBy" | "onExisting" | "onFull">,
): Promise<Id<"jobs">> {
  const running = await ctx.db
    .query("jobs")
    .withIndex("by_meeting_and_state", (q) => q.eq("meetingId", fields.meetingId).eq("state", "running"))
    .first();
  if (running) fail("JOB_RUNNING", "A job of this meeting is running");
  const jobId = await ctx.db.insert("jobs", { ...nothingDone, ...fields });
  await ctx.scheduler.runAfter(0, internal.jobs.advance, { jobId });
  return jobId;
}

/** A job of the meeting; JOB_NOT_FOUND. */
export async function requireJob(
  db: DatabaseReader,
  meeting: Doc<"meetings">,
  given: string,
): Promise<Doc<"jobs">> {
  const jobId = db.normalizeId("jobs", given);
  const job = jobId && (await db.get("jobs", jobId));
  return job?.meetingId === meeting._id ? job : fail("JOB_NOT_FOUND", "There is no such job");
}

/** A job without what only its pages need. */
export function shown(job: Doc<"jobs">) {
  return omit(job, ["onExisting", "onFull", "role", "orgId", "cursor"]);
}

/** A page of the jobs of a meeting, the newest first. */
export async function listJobsOf(
  db: DatabaseReader,
  meeting: Doc<"meetings">,
  paginationOpts: PaginationOptions,
) {
  const jobs = await db
    .query("jobs")
    .withIndex("by_meeting", (q) => q.eq("meetingId", meeting._id))
    .order("desc")
    .paginate(paginationOpts);
  return { ...jobs, page: jobs.page.map(shown) };
}

/** Ends a job that is running. */
export async function cancel(ctx: MutationCtx, job: Doc<"jobs">): Promise<void> {
  if (job.state === "running") await finish(ctx, job._id, { state: "cancelled" });
}

/** Does a page in a transaction of its own within this one, so that its failure does not undo that it is noted. */
export async function attemptPage(ctx: MutationCtx, jobId: Id<"jobs">): Promise<void> {
  try {
    await ctx.runMutation(internal.jobs.runPage, { jobId });
  } catch (error) {
    await finish(ctx, jobId, { state: "failed", error: reasonOf(error) });
  }
}

/** Why a page has failed. The text of what is none of the backend's own errors may quote personal data. */
function reasonOf(error: unknown): Pick<ErrorData, "code" | "message"> {
  if (!(error instanceof ConvexError)) {
    return { code: "INTERNAL_ERROR", message: "Something went wrong on the server" };
  }
  const { code, message } = error.data as ErrorData;
  return { code, message };
}

async function finish(
  ctx: MutationCtx,
  jobId: Id<"jobs">,
  fields: Pick<Fields, "state"> & Partial<Fields>,
): Promise<void> {
  await ctx.db.patch("jobs", jobId, { ...fields, finishedAt: Date.now() });
  const pages = await ctx.db
    .query("jobPages")
    .withIndex("by_job_and_number", (q) => q.eq("jobId", jobId))
    .collect();
  await Promise.all(pages.map(({ _id }) => ctx.db.delete("jobPages", _id)));
}

/**
 * Deletes jobs that have been over for a week.
 *
 * @returns how many were deleted, at most `limit`.
 */
export async function deleteOldJobs(ctx: MutationCtx, limit: number): Promise<number> {
  const old = await ctx.db
    .query("jobs")
    .withIndex("by_finished_at", (q) => q.gt("finishedAt", 0).lt("finishedAt", Date.now() - JOB_MS))
    .take(limit);
  await Promise.all(old.map(({ _id }) => ctx.db.delete("jobs", _id)));
  return old.length;
}
