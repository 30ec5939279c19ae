/** What the readers of all formats give: people, each with the line that names them. */
import { describeIssues } from "../contract/errors";
import { type ImportedEntry, importedEntry, type SkippedLine } from "../contract/imports";
import { fail } from "./errors";
import { namedBy } from "./people";

/** The longest of all fields, an address, has as many. */
export const MAX_FIELD_LENGTH = 320;

export type ReadLine =
  | { kind: "entry"; line: number; entry: ImportedEntry }
  | { kind: "skipped"; line: number; skipped: SkippedLine };

export interface ReadText {
  lines: ReadLine[];
  /** Names of columns of which nothing is known. */
  ignoredColumns: string[];
}

/** The fields of a person as the text spells them. */
export type RawEntry = { [Field in keyof ImportedEntry]?: unknown };

/** A line that names a person by one of the fields of an entry, if it is right. */
export function readEntry(line: number, raw: RawEntry): ReadLine {
  const long = Object.entries(raw).find(
    ([, value]) => typeof value === "string" && value.length > MAX_FIELD_LENGTH,
  );
  if (long) return invalidLine(line, `${long[0]}: At most ${MAX_FIELD_LENGTH} characters`);
  const parsed = importedEntry.safeParse(raw);
  if (!parsed.success) return invalidLine(line, describeIssues(parsed.error).message, raw);
  return { kind: "entry", line, entry: parsed.data };
}

/** A line of which nothing can be made, with the person whom it seems to name. */
export function invalidLine(line: number, reason: string, raw: RawEntry = {}): ReadLine {
  const named = namedBy(raw as ImportedEntry);
  return { kind: "skipped", line, skipped: { line, code: "invalid_line", reason, ...named } };
}

/** Text with one kind of line ends and no byte order mark. */
export function normalizeLines(text: string): string {
  return text.replace(/^\ufeff/, "").replaceAll(/\r\n?/g, "\n");
}

/** IMPORT_UNREADABLE: nothing of the text can be used. */
export function unreadable(reason: string): never {
  return fail("IMPORT_UNREADABLE", reason);
}

/** IMPORT_TOO_LARGE if there are more lines than can be seen to. */
export function requireFewLines(count: number, limit: number): void {
  if (count > limit) fail("IMPORT_TOO_LARGE", `One import adds at most ${limit} people`);
}
