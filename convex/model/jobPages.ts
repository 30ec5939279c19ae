/** What a job does in one transaction. */
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import type { ParticipantEntry } from "../contract/entries";
import { MAX_JOB_SKIPPED } from "../contract/jobs";
import { requireHost } from "./access";
import { addParticipants, type ItemOutcome } from "./addParticipants";
import { fail } from "./errors";
import { MeetingEdit } from "./meetingEdit";
import { nextState } from "./meetingStates";
import { ensureTenantOf } from "./tenants";

/** How many people one transaction sees to. */
export const PAGE = 250;

interface PageLine {
  line: number;
  entry: ParticipantEntry;
}

interface Page {
  lines: PageLine[];
  cursor: string | null;
  isLast: boolean;
}

/**
 * Does the next page, moves on past it, and schedules the one after it, all in one transaction, so that each page is done once.
 * MEETING_NOT_FOUND, FORBIDDEN, USER_DEACTIVATED, MEETING_CLOSED: who has started the job may not do any more what it does.
 */
export async function runNextPage(ctx: MutationCtx, jobId: Id<"jobs">): Promise<void> {
  const job = await ctx.db.get("jobs", jobId);
  if (job?.state !== "running") return;
  const edit = await openForJob(ctx, job);
  const { lines, cursor, isLast } = await (job.kind === "import" ? linesOf(ctx, job) : membersOf(ctx, job));
  const outcomes = await addParticipants(
    edit,
    lines.map(({ entry }) => entry),
    { onExisting: job.onExisting, onInvalid: "perItem", onFull: job.onFull, unknownEmail: "newcomer" },
  );
  await edit.save();
  await ctx.db.patch("jobs", jobId, {
    ...progress(job, lines, outcomes),
    cursor,
    ...(isLast && { state: "done" as const, finishedAt: Date.now() }),
  });
  if (!isLast) await ctx.scheduler.runAfter(0, internal.jobs.advance, { jobId });
}

async function openForJob(ctx: MutationCtx, job: Doc<"jobs">): Promise<MeetingEdit> {
  const user = await ctx.db.get("users", job.startedBy);
  if (!user?.isActive) return fail("USER_DEACTIVATED", "Who has started the job is deactivated");
  const { meeting } = await requireHost(ctx.db, job.meetingId, user);
  nextState(meeting.state, "change");
  return new MeetingEdit(ctx, meeting, await ensureTenantOf(ctx, meeting), { kind: "user", id: user._id });
}

/** The next page of the lines of an import, which is kept no longer. */
async function linesOf(ctx: MutationCtx, job: Doc<"jobs">): Promise<Page> {
  const [page, next] = await ctx.db
    .query("jobPages")
    .withIndex("by_job_and_number", (q) => q.eq("jobId", job._id))
    .take(2);
  if (page) await ctx.db.delete("jobPages", page._id);
  const lines = page ? (JSON.parse(page.lines) as PageLine[]) : [];
  return { lines, cursor: null, isLast: next === undefined };
}

/** The next page of the active people of an organization, who are counted as if they stood in lines. */
async function membersOf(ctx: MutationCtx, job: Doc<"jobs">): Promise<Page> {
  const { page, continueCursor, isDone } = await ctx.db
    .query("users")
    .withIndex("by_org_and_active", (q) => q.eq("orgId", job.orgId).eq("isActive", true))
    .paginate({ numItems: PAGE, cursor: job.cursor });
  const lines = page.map(({ _id: userId }, index) => ({
    line: job.done + index + 1,
    entry: { userId, ...(job.role && { role: job.role }) },
  }));
  return { lines, cursor: continueCursor, isLast: isDone };
}

function progress(job: Doc<"jobs">, lines: readonly PageLine[], outcomes: readonly ItemOutcome[]) {
  const counted = (kind: ItemOutcome["kind"]) => outcomes.filter((outcome) => outcome.kind === kind).length;
  const skipped = outcomes.flatMap((outcome, index) => {
    const line = lines[index]?.line;
    return outcome.kind === "skipped" && line !== undefined ? [{ line, ...outcome.skipped }] : [];
  });
  return {
    done: job.done + lines.length,
    added: job.added + counted("added"),
    updated: job.updated + counted("updated"),
    existing: job.existing + counted("existing"),
    waitlisted: job.waitlisted + counted("waitlisted"),
    skippedCount: job.skippedCount + skipped.length,
    skipped: [...job.skipped, ...skipped].slice(0, MAX_JOB_SKIPPED),
  };
}
