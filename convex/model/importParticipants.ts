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
import type { ReadLine } from "./importLines";
import type { MeetingEdit } from "./meetingEdit";

type Args = z.output<typeof endpoint.args>;
type Answer = Omit<z.output<typeof endpoint.returns>, "success">;

const readers = { csv: readCsv, ics: readIcs };

/** Adds the people of a text. IMPORT_UNREADABLE, IMPORT_TOO_LARGE, and as the policy says. */
export async function importParticipants(edit: MeetingEdit, args: Args): Promise<Answer> {
  const { lines, ignoredColumns } = readers[args.format](args.text, MAX_BATCH);
  const good = lines.filter((line) => line.kind === "entry");
  const unread = lines.filter((line) => line.kind === "skipped").map(({ skipped }) => skipped);
  const policy = {
    ...policyOf(edit, args),
    unknownEmail: "newcomer" as const,
    placeOf: (index: number) => `Line ${good[index]?.line}`,
  };
  const invalid = unread.find(({ code }) => code === "invalid_line");
  if (invalid && policy.onInvalid === "failAll") {
    fail("IMPORT_UNREADABLE", `Line ${invalid.line}: ${invalid.reason}`);
  }
  const { defaultRole } = args;
  const entries = good.map(({ entry }) => ({ ...(defaultRole && { role: defaultRole }), ...entry }));
  const outcomes = await addParticipants(edit, entries, policy);
  return {
    ...answerOf(outcomes, policy),
    skipped: [...unread, ...skippedOf(good, outcomes)].toSorted((a, b) => a.line - b.line),
    ...(ignoredColumns.length > 0 && { ignoredColumns }),
  };
}

function skippedOf(lines: readonly ReadLine[], outcomes: readonly ItemOutcome[]): SkippedLine[] {
  return lines.flatMap(({ line }, index) => {
    const outcome = outcomes[index];
    return outcome?.kind === "skipped" ? [{ line, ...outcome.skipped }] : [];
  });
}
