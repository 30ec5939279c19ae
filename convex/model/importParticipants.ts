/** Adds the people of a list that was made elsewhere, over the one core. */
import type * as z from "zod";
import type { SkippedLine } from "../contract/imports";
import type { importParticipants as endpoint } from "../contract/meetingsImport";
import { MAX_BATCH } from "../contract/participants";
import { addParticipants, type ItemOutcome } from "./addParticipants";
import { answerOf, policyOf } from "./addByRequest";
import { fail } from "./errors";
import { readCsv } from "./importCsv";
import { readIcs } from "./importIcs";
import type { MeetingEdit } from "./meetingEdit";

type Args = z.output<typeof endpoint.args>;
type Answer = Omit<z.output<typeof endpoint.returns>, "success">;

const readers = { csv: readCsv, ics: readIcs };

/** Adds the people of a text. IMPORT_UNREADABLE, IMPORT_TOO_LARGE, and as the policy says. */
export async function importParticipants(edit: MeetingEdit, args: Args): Promise<Answer> {
  const { entries: good, unread, ignoredColumns } = readText(args, MAX_BATCH);
  const policy = {
    ...policyOf(edit, args),
    unknownEmail: "newcomer" as const,
    placeOf: (index: number) => `Line ${good[index]?.line}`,
  };
  const invalid = unread.find(({ code }) => code === "invalid_line");
  if (invalid && policy.onInvalid === "failAll") {
    fail("IMPORT_UNREADABLE", `Line ${invalid.line}: ${invalid.reason}`);
  }
  const outcomes = await addParticipants(
    edit,
    good.map(({ entry }) => entry),
    policy,
  );
  return {
    ...answerOf(outcomes, policy),
    skipped: [...unread, ...skippedOf(good, outcomes)].toSorted((a, b) => a.line - b.line),
    ...(ignoredColumns && { ignoredColumns }),
  };
}

/** The people of a text of at most so many lines, and the lines of which none can be made. IMPORT_UNREADABLE, IMPORT_TOO_LARGE. */
export function readText(
  { format, text, defaultRole: role }: Pick<Args, "format" | "text" | "defaultRole">,
  limit: number,
) {
  const { lines, ignoredColumns } = readers[format](text, limit);
  return {
    entries: lines.flatMap((read) =>
      read.kind === "entry" ? [{ line: read.line, entry: { ...(role && { role }), ...read.entry } }] : [],
    ),
    unread: lines.flatMap((read) => (read.kind === "skipped" ? [read.skipped] : [])),
    ignoredColumns: ignoredColumns.length > 0 ? ignoredColumns : undefined,
  };
}

function skippedOf(lines: readonly { line: number }[], outcomes: readonly ItemOutcome[]): SkippedLine[] {
  return lines.flatMap(({ line }, index) => {
    const outcome = outcomes[index];
    return outcome?.kind === "skipped" ? [{ line, ...outcome.skipped }] : [];
  });
}
