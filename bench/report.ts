import { cellText } from "./requests";
import type { Row } from "./requests";
import type { Machine } from "./machine";
import type { Measure } from "./measure";
import { SUBJECT_NAMES, type SubjectName } from "./subjects";

export type Missing = { readonly subject: SubjectName; readonly reason: string };

export type Report = {
  readonly machine: Machine;
  /** What stands for a subject here, where that depends on what is installed. */
  readonly versions: Readonly<Partial<Record<SubjectName, string>>>;
  readonly rows: readonly Row[];
  readonly measures: readonly Measure[];
  readonly missing: readonly Missing[];
};

/** All others are compared with what an engineer would most likely write. */
const REFERENCE: SubjectName = "fastify-pg";

/** The report as one table for people. */
export function markdown({ machine, versions, rows, measures, missing }: Report): string {
  const { date, cpu, cores, memoryGb, system, node, disk } = machine;
  const where = `${date.slice(0, 10)}, ${cpu}, ${cores} cores, ${memoryGb} GB, ${system}, Node ${node}, ${disk}.`;
  const used = Object.entries(versions).map(([subject, version]) => ` ${subject}: ${version}.`);
  const lines = [
    [
      "what",
      "stored",
      "subject",
      "median (min–max)",
      "participants/s",
      "p50 ms",
      "p99 ms",
      REFERENCE,
      "runs",
    ],
    ...cellsOf(rows).flatMap((cells) => cells.map((row) => rowLine(row, cells))),
    ...measures.map(measureLine),
    ...missing.map(({ subject, reason }) => [`– ${reason}`, "", subject, "", "", "", "", "", ""]),
  ];
  return `${where}${used.join("")}\n\n${table(lines)}`;
}

/** The rows of each cell together, the subjects in their usual order. */
function cellsOf(rows: readonly Row[]): Row[][] {
  const cells = new Map<string, Row[]>();
  for (const row of rows) cells.set(cellText(row), [...(cells.get(cellText(row)) ?? []), row]);
  return [...cells.values()].map((cell) =>
    cell.toSorted((a, b) => SUBJECT_NAMES.indexOf(a.subject) - SUBJECT_NAMES.indexOf(b.subject)),
  );
}

function rowLine(row: Row, cell: readonly Row[]): string[] {
  const { work, meetings, connections, stored, subject } = row;
  const reference = cell.find((other) => other.subject === REFERENCE);
  const places = meetings === 1 ? "hot meeting" : `${whole(meetings)} meetings`;
  return [
    `${work}, ${places}, ${connections} conn.`,
    whole(stored),
    subject,
    `${whole(row.requestsPerSecond)} req/s (${whole(row.requestsPerSecondMin)}–${whole(row.requestsPerSecondMax)})`,
    whole(row.participantsPerSecond),
    digits(row.p50Ms),
    digits(row.p99Ms),
    reference ? `${(row.requestsPerSecond / reference.requestsPerSecond).toFixed(2)}x` : "",
    String(row.runs),
  ];
}

function measureLine({ measure, stored, subject, unit, median, min, max, runs }: Measure): string[] {
  const value = `${digits(median)} ${unit} (${digits(min)}–${digits(max)})`;
  return [measure, whole(stored), subject, value, "", "", "", "", String(runs)];
}

function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, i) => (i === 0 || i === 2 ? "---" : "---:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** Three digits that count. */
function digits(value: number): string {
  return value >= 100 ? whole(value) : String(Number(value.toPrecision(3)));
}
