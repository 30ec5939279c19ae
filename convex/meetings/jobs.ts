import * as contract from "../contract/meetingsJobs";
import { authedMutation, authedQuery, hostMutation } from "../functions";
import { requireHost } from "../model/access";
import { cancel, listJobsOf, requireJob, shown } from "../model/jobs";
import { startImport as importInPages, startOrganization } from "../model/startJobs";

/** Imports people in the background, for a host. */
export const startImport = hostMutation(contract.startImport, "change", async (edit, args, { user }) => ({
  ...(await importInPages(edit, user, args)),
  success: true,
}));

/** Adds an organization in the background, for a host. FORBIDDEN: for other organizations, too. */
export const startAddOrganization = hostMutation(
  contract.startAddOrganization,
  "change",
  async (edit, args, ctx) => ({ jobId: await startOrganization(edit, ctx, args), success: true }),
);

/** What has become of a job, for a host. */
export const getJob = authedQuery(contract.getJob, async (ctx, { meetingId, jobId }) => {
  const { meeting } = await requireHost(ctx.db, meetingId, ctx.user);
  return shown(await requireJob(ctx.db, meeting, jobId));
});

/** A page of a meeting's jobs, for a host. */
export const listJobs = authedQuery(contract.listJobs, async (ctx, { meetingId, paginationOpts }) => {
  const { meeting } = await requireHost(ctx.db, meetingId, ctx.user);
  return listJobsOf(ctx.db, meeting, paginationOpts);
});

/** Cancels a job, for a host. */
export const cancelJob = authedMutation(contract.cancelJob, async (ctx, { meetingId, jobId }) => {
  const { meeting } = await requireHost(ctx.db, meetingId, ctx.user);
  await cancel(ctx, await requireJob(ctx.db, meeting, jobId));
  return null;
});
