/** What jobs begin with. */
import type * as z from "zod";
import type { Doc, Id } from "../_generated/dataModel";
import { MAX_JOB_LINES, MAX_JOB_SKIPPED } from "../contract/jobs";
import type * as contract from "../contract/meetingsJobs";
import type { CallerCtx } from "./access";
import { policyOf } from "./addByRequest";
import { organizationOf } from "./caller";
import { fail } from "./errors";
import { readText } from "./importParticipants";
import { PAGE } from "./jobPages";
import { startJob } from "./jobs";
import type { MeetingEdit } from "./meetingEdit";

/** A document holds 1 MiB, and a character may take three bytes. */
const MAX_PAGE_LENGTH = 300_000;

/** Reads a text, keeps its lines in pages, and starts to add their people. JOB_RUNNING, IMPORT_UNREADABLE, IMPORT_TOO_LARGE. */
export async function startImport(
  edit: MeetingEdit,
  user: Doc<"users">,
  args: z.output<typeof contract.startImport.args>,
): Promise<{ jobId: Id<"jobs">; ignoredColumns?: string[] }> {
  const { ctx, meeting } = edit;
  const { entries, unread, ignoredColumns } = readText(args, MAX_JOB_LINES);
  const jobId = await startJob(ctx, {
    meetingId: meeting._id,
    kind: "import",
    startedBy: user._id,
    onExisting: policyOf(edit, args).onExisting,
    onFull: args.onFull ?? "perItem",
    total: entries.length + unread.length,
    done: unread.length,
    skippedCount: unread.length,
    skipped: unread.slice(0, MAX_JOB_SKIPPED),
  });
  const pages = pagesOf(entries);
  await Promise.all(pages.map((lines, number) => ctx.db.insert("jobPages", { jobId, number, lines })));
  return { jobId, ...(ignoredColumns && { ignoredColumns }) };
}

/** Lines in pages, as JSON. */
function pagesOf(lines: readonly unknown[]): string[] {
  return Array.from({ length: Math.ceil(lines.length / PAGE) }, (_, number) =>
    fittingParts(lines.slice(number * PAGE, (number + 1) * PAGE)),
  ).flat();
}

/** Lines as JSON, in as many parts as it takes: a control character has six in JSON. */
function fittingParts(lines: readonly unknown[]): string[] {
  const text = JSON.stringify(lines);
  if (text.length <= MAX_PAGE_LENGTH) return [text];
  const middle = Math.ceil(lines.length / 2);
  return [...fittingParts(lines.slice(0, middle)), ...fittingParts(lines.slice(middle))];
}

/** Starts to add an organization, which must be that of the caller's token; FORBIDDEN. */
export function startOrganization(
  edit: MeetingEdit,
  { identity, user }: CallerCtx,
  args: z.output<typeof contract.startAddOrganization.args>,
): Promise<Id<"jobs">> {
  const { orgId, role } = args;
  if (orgId !== organizationOf(identity).orgId) {
    fail("FORBIDDEN", "Only the organization of the caller's token can be added");
  }
  return startJob(edit.ctx, {
    meetingId: edit.meeting._id,
    kind: "organization",
    startedBy: user._id,
    onExisting: policyOf(edit, args).onExisting,
    onFull: args.onFull ?? "perItem",
    orgId,
    role,
  });
}
