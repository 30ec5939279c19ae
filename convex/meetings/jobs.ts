import * as contract from "../contract/meetingsJobs";
import { authedMutation, authedQuery, hostMutation } from "../functions";
import { requireHost } from "../model/access";
import { cancel, listJobsOf, requireJob, shown } from "../model/jobs";
import { startImport as importInPages, startOrganization } from "../model/startJobs";

/**
 * Imports people in the background, for a host. Fails with MEETING_NOT_FOUND, FORBIDDEN, MEETING_CLOSED, JOB_RUNNING,
 * IMPORT_UNREADABLE or IMPORT_TOO_LARGE.
 */
export const startImport = hostMutation(contract.startImport, "change", async (edit, args, { user }) => ({
  ...(await importInPages(edit, user, args)),
  success: true,
}));

/**
 * Adds an organization in the background, for a host. Fails with MEETING_NOT_FOUND, FORBIDDEN (for other organizations too),
 * MEETING_CLOSED or JOB_RUNNING.
 */
export const startAddOrganization = hostMutation(
  contract.startAddOrganization,
  "change",
  async (edit, args, ctx) => ({ jobId: await startOrganization(edit, ctx, args), success: true }),
);

/** What has become of a job, for a host. Fails with MEETING_NOT_FOUND, FORBIDDEN or JOB_NOT_FOUND. */
export const getJob = authedQuery(contract.getJob, async (ctx, { meetingId, jobId }) => {
  const { meeting } = await requireHost(ctx.db, meetingId, ctx.user);
  return shown(await requireJob(ctx.db, meeting, jobId));
});

/** A page of a meeting's jobs, for a host. Fails with MEETING_NOT_FOUND or FORBIDDEN. */
export const listJobs = authedQuery(contract.listJobs, async (ctx, { meetingId, paginationOpts }) => {
  const { meeting } = await requireHost(ctx.db, meetingId, ctx.user);
  return listJobsOf(ctx.db, meeting, paginationOpts);
});

/** Cancels a job, for a host. Fails with MEETING_NOT_FOUND, FORBIDDEN or JOB_NOT_FOUND. */
export const cancelJob = authedMutation(contract.cancelJob, async (ctx, { meetingId, jobId }) => {
  const { meeting } = await requireHost(ctx.db, meetingId, ctx.user);
  await cancel(ctx, await requireJob(ctx.db, meeting, jobId));
  return null;
});
