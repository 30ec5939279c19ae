import { MANY_SMALL, type Cell } from "./cells";
import { measureFanOut } from "./fanOut";
import { Laboratory } from "./laboratory";
import { describeMachine } from "./machine";
import type { Measure } from "./measure";
import type { Options } from "./options";
import type { Missing, Report } from "./report";
import { measureRequests } from "./requests";
import { measureStarts } from "./starts";
import { subjectNamed, versionsOf, type Subject } from "./subjects";

/**
 * Measures everything that is asked for. `onProgress` is told in one line what is measured next; `interrupted` ends it with
 * an error, after which no server is running and no data are left.
 */
export async function bench(
  options: Options,
  onProgress: (text: string) => void,
  interrupted: AbortSignal,
): Promise<Report> {
  const { subjects, missing } = await available(options);
  const laboratory = await Laboratory.open(options.folder);
  const interruption = new Promise<never>((_, reject) => {
    interrupted.addEventListener("abort", () => reject(new Error("Interrupted")), { once: true });
  });
  try {
    const figures = await Promise.race([measure(laboratory, subjects, options, onProgress), interruption]);
    const machine = await describeMachine(options.folder);
    return { machine, versions: await versionsOf(subjects), ...figures, missing };
  } finally {
    await laboratory.close();
  }
}

async function measure(
  laboratory: Laboratory,
  subjects: readonly Subject[],
  options: Options,
  onProgress: (text: string) => void,
): Promise<Pick<Report, "rows" | "measures">> {
  const { parts, users, stored, startRuns: runs, seconds: loadSeconds, subscribers } = options;
  const endsAt = performance.now() + options.budgetSeconds * 1000;
  const measures: Measure[] = [];
  // Those that take little time first: what is left of it goes into more runs of requests.
  if (parts.has("fan-out") && subjects.some(({ kind }) => kind === "ours")) {
    measures.push(...(await measureFanOut(laboratory, { users, subscribers, runs, onProgress })));
  }
  if (parts.has("starts")) {
    // The mock has nothing on disk to start with, and limits have nothing at all.
    const started = subjects.filter(({ mostStored }) => mostStored === undefined);
    measures.push(
      ...(await measureStarts(laboratory, started, { users, stored, runs, loadSeconds, onProgress })),
    );
  }
  const settings = { ...options, endsAt, onProgress };
  const rows = parts.has("requests")
    ? await measureRequests(laboratory, subjects, (subject) => cellsFor(subject, options), settings)
    : [];
  return { rows, measures };
}

async function available(options: Options): Promise<{ subjects: Subject[]; missing: Missing[] }> {
  const subjects: Subject[] = [];
  const missing: Missing[] = [];
  for (const subject of options.subjects.map(subjectNamed)) {
    const reason = await subject.missing();
    if (reason === null) subjects.push(subject);
    else missing.push({ subject: subject.name, reason });
  }
  return { subjects, missing };
}

/** What makes sense of a subject. */
function cellsFor({ name, kind, mostStored = Infinity }: Subject, { cells }: Options): Cell[] {
  const possible = cells.filter(({ stored }) => stored <= mostStored);
  // It takes seconds where others take milliseconds: one cell of each work says so.
  if (name === "convex-test") {
    const works = [...new Set(possible.map(({ work }) => work))].filter((work) => work !== MANY_SMALL.work);
    return works.map((work) => ({ work, meetings: 1, connections: 1, stored: 0 }));
  }
  // Limits know nobody who is there.
  if (kind === "limit") return possible.filter(({ work }) => work === "100 new" || work === "1 new");
  return possible;
}
