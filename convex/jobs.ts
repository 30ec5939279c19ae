/** Durable jobs, a page in one transaction. */
import { v } from "convex/values";
import { internalMutation } from "./_generated/server";
import { runNextPage } from "./model/jobPages";
import { attemptPage } from "./model/jobs";

/** Does one page of a job and schedules the next; a page that fails is undone, and ends the job. */
export const advance = internalMutation({
  args: { jobId: v.id("jobs") },
  returns: v.null(),
  handler: async (ctx, { jobId }) => {
    await attemptPage(ctx, jobId);
    return null;
  },
});

/** One page of a job with all that it writes. Run by `advance` alone. */
export const runPage = internalMutation({
  args: { jobId: v.id("jobs") },
  returns: v.null(),
  handler: async (ctx, { jobId }) => {
    await runNextPage(ctx, jobId);
    return null;
  },
});
