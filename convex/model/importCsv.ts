/** People from CSV, whose first row names the columns. */
import Papa from "papaparse";
import { type ImportedEntry, MAX_COLUMNS } from "../contract/imports";
import {
  invalidLine,
  MAX_FIELD_LENGTH,
  normalizeLines,
  type RawEntry,
  readEntry,
  type ReadLine,
  type ReadText,
  requireFewLines,
  unreadable,
} from "./importLines";

type Field = keyof ImportedEntry;

/** By what is left of a column's name when case and all but letters are gone. */
const fieldsByColumn = new Map<string, Field>([
  ["email", "email"],
  ["userid", "userId"],
  ["externalid", "externalId"],
  ["guestid", "guestId"],
  ["name", "displayName"],
  ["displayname", "displayName"],
  ["nickname", "nickname"],
  ["role", "role"],
  ["department", "department"],
  ["level", "level"],
]);

const delimiters = [",", ";", "\t"];

/** The columns that name a person; the first that a line has counts. */
const namings = ["userId", "guestId", "externalId", "email"] as const;

interface Row {
  /** Of the text, from 1. */
  line: number;
  cells: string[];
  /** What the parser says against it. */
  error: string | undefined;
}

/** The people of at most so many rows. IMPORT_UNREADABLE, IMPORT_TOO_LARGE. */
export function readCsv(given: string, limit: number): ReadText {
  const [header, ...rows] = rowsOf(normalizeLines(given), limit);
  if (!header) return unreadable("The text has no header row");
  if (header.error !== undefined) return unreadable(`Line ${header.line}: ${header.error}`);
  requireShortHeader(header.cells);
  const fields = header.cells.map(fieldOf);
  requireUsable(fields);
  return {
    lines: rows.map((row) => readRow(row, fields)),
    ignoredColumns: header.cells.filter((name, index) => !fields[index] && name.trim() !== ""),
  };
}

/** The rows that are not empty. */
function rowsOf(text: string, limit: number): Row[] {
  const rows: Row[] = [];
  let start = 0;
  let line = 1;
  Papa.parse<string[]>(text, {
    delimiter: delimiterOf(text),
    newline: "\n",
    step: ({ data: cells, errors, meta }) => {
      if (cells.some((cell) => cell.trim() !== "")) rows.push({ line, cells, error: errors[0]?.message });
      requireFewLines(rows.length - 1, limit);
      line += text.slice(start, meta.cursor).split("\n").length - 1;
      start = meta.cursor;
    },
  });
  return rows;
}

/** The delimiter with which the header row has the most columns that are known. */
function delimiterOf(text: string): string {
  const known = (delimiter: string) =>
    (Papa.parse<string[]>(text, { delimiter, newline: "\n", preview: 1 }).data[0] ?? []).filter(fieldOf)
      .length;
  return delimiters.toSorted((a, b) => known(b) - known(a))[0] as string;
}

function fieldOf(column: string): Field | undefined {
  return fieldsByColumn.get(column.toLowerCase().replaceAll(/[^a-z]/g, ""));
}

/** So that the columns can be reported, which one answer holds. */
function requireShortHeader(cells: readonly string[]): void {
  if (cells.length > MAX_COLUMNS) unreadable(`The header row has more than ${MAX_COLUMNS} columns`);
  if (cells.some((cell) => cell.length > MAX_FIELD_LENGTH)) {
    unreadable(`A column's name has more than ${MAX_FIELD_LENGTH} characters`);
  }
}

function requireUsable(fields: readonly (Field | undefined)[]): void {
  const twice = fields.find((field, index) => field && fields.indexOf(field) !== index);
  if (twice) unreadable(`Two columns of the header row stand for ${twice}`);
  if (!namings.some((naming) => fields.includes(naming))) {
    unreadable(`The header row names none of the columns ${namings.join(", ")}`);
  }
}

function readRow({ line, cells, error }: Row, fields: readonly (Field | undefined)[]): ReadLine {
  if (error !== undefined) return invalidLine(line, error);
  if (cells.slice(fields.length).some((cell) => cell.trim() !== "")) {
    return invalidLine(line, `Has ${cells.length} fields, the header row has ${fields.length}`);
  }
  const values = new Map<Field, string>();
  for (const [index, field] of fields.entries()) {
    const value = cells[index]?.trim() ?? "";
    if (field && value !== "") values.set(field, value);
  }
  const naming = namings.find((field) => values.has(field));
  if (!naming) return invalidLine(line, `Has none of ${namings.join(", ")}`);
  return readEntry(line, rawEntry(values, naming));
}

/** A line's fields but for the further names of the person; a guest by an external id may have an address too. */
function rawEntry(values: ReadonlyMap<Field, string>, naming: (typeof namings)[number]): RawEntry {
  const others = namings.filter(
    (field) => field !== naming && !(field === "email" && naming === "externalId"),
  );
  const raw: RawEntry = Object.fromEntries([...values].filter(([field]) => !others.some((o) => o === field)));
  const [role, level] = [values.get("role"), values.get("level")];
  return {
    ...raw,
    ...(role !== undefined && { role: role.toLowerCase().replaceAll(/[ _]/g, "-") }),
    ...(level !== undefined && { level: Number(level) }),
  };
}
