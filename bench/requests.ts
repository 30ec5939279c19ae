/** Requests a second: every cell of every subject, in alternating runs. */
import { participantCount } from "./answers";
import { patternsOf, warmUpCellsOf, worldOf, WORKS, type Cell } from "./cells";
import type { Laboratory, Session } from "./laboratory";
import type { LoadResult } from "./load/run";
import type { Pattern } from "./load/requests";
import { ADD_PATH } from "./peers/shared/requests";
import { summarize } from "./statistics";
import type { Subject, SubjectName } from "./subjects";

/** One cell of one subject. */
export type Row = Cell & {
  readonly subject: SubjectName;
  /** The medians of all runs. */
  readonly requestsPerSecond: number;
  readonly participantsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requestsPerSecondMin: number;
  readonly requestsPerSecondMax: number;
  readonly runs: number;
};

export type RequestSettings = {
  readonly users: number;
  readonly runs: number;
  /** How long a new server works before its first cell. */
  readonly warmUpSeconds: number;
  /** What is not measured at the beginning of a cell. */
  readonly settleSeconds: number;
  readonly seconds: number;
  /** Give each cell that fills the store a server and data of its own. */
  readonly freshStores: boolean;
  /** No more runs are begun when they would end later than this, on the clock of `performance.now()`; one is always made. */
  readonly endsAt: number;
  readonly onProgress: (text: string) => void;
};

type Sample = Pick<Row, "requestsPerSecond" | "p50Ms" | "p99Ms">;

/** Limits and the mock need no more than one run: nothing is claimed by them. */
const RUN_ONCE: ReadonlySet<SubjectName> = new Set(["convex-test", "append-log", "echo"]);

const COUNTS_CHECKED = 128;

/** @param cellsOf the cells of a subject */
export async function measureRequests(
  laboratory: Laboratory,
  subjects: readonly Subject[],
  cellsOf: (subject: Subject) => readonly Cell[],
  settings: RequestSettings,
): Promise<Row[]> {
  const samples = new Map<string, { subject: SubjectName; cell: Cell; samples: Sample[] }>();
  const groups = subjects.map((subject) => ({
    subject,
    groups: groupsOf(cellsOf(subject), settings.freshStores),
  }));
  const most = Math.max(0, ...groups.map((all) => all.groups.length));
  let longestMs = 0;
  for (let run = 0; run < settings.runs; run++) {
    const startedAt = performance.now();
    if (run > 0 && startedAt + longestMs > settings.endsAt) break;
    for (let i = 0; i < most; i++) {
      // Neighbours in the table are measured one after another, and each run begins with another subject.
      for (const { subject, groups: own } of rotated(groups, run)) {
        const cells = own[i];
        if (!cells || (run > 0 && RUN_ONCE.has(subject.name))) continue;
        settings.onProgress(
          `run ${run + 1}, ${subject.name}: ${cells.length > 1 ? `${cells.length} cells` : cells.map(cellText).join("")}`,
        );
        const measured = await measureGroup(laboratory, subject, cells, settings);
        measured.forEach((sample, k) => {
          const cell = cells[k];
          if (!cell) return;
          const key = `${subject.name} ${cellText(cell)}`;
          const entry = samples.get(key) ?? { subject: subject.name, cell, samples: [] };
          entry.samples.push(sample);
          samples.set(key, entry);
        });
      }
    }
    longestMs = Math.max(longestMs, performance.now() - startedAt);
  }
  return [...samples.values()].map(rowOf);
}

export function cellText({ work, connections, meetings, stored }: Cell): string {
  return `${work}, ${meetings} meetings, ${connections} connections, ${stored} stored`;
}

/** Which cells share a server: those of one store; but a cell that adds hundreds of thousands would change the next one. */
function groupsOf(cells: readonly Cell[], freshStores: boolean): Cell[][] {
  const groups = new Map<string, Cell[]>();
  cells.forEach((cell, i) => {
    const alone = freshStores && WORKS[cell.work].people === "new" && WORKS[cell.work].batch > 1;
    const key = alone ? `${i}` : `of ${cell.stored} and ${cell.work === "10 new"}`;
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  });
  return [...groups.values()];
}

function measureGroup(
  laboratory: Laboratory,
  subject: Subject,
  cells: readonly Cell[],
  { users, warmUpSeconds, settleSeconds, seconds }: RequestSettings,
): Promise<Sample[]> {
  const warmed = warmUpSeconds > 0 ? warmUpCellsOf(cells) : [];
  const all = [...warmed, ...cells];
  const patterns = patternsOf(all);
  return laboratory.withServer(subject, worldOf(all, users), async (session) => {
    const samples: Sample[] = [];
    for (const [i, pattern] of patterns.entries()) {
      const connections = all[i]?.connections ?? 1;
      const times =
        i < warmed.length
          ? { settleSeconds: 0, seconds: warmUpSeconds / warmed.length }
          : { settleSeconds, seconds };
      samples.push(await measureCell(laboratory, subject, session, { ...times, pattern, connections }));
    }
    return samples.slice(warmed.length);
  });
}

type Measurement = Pick<RequestSettings, "settleSeconds" | "seconds"> & {
  readonly pattern: Pattern;
  readonly connections: number;
};

async function measureCell(
  { generator, hostToken }: Laboratory,
  subject: Subject,
  { url, folder, ids }: Session,
  { pattern, connections, settleSeconds, seconds }: Measurement,
): Promise<Sample> {
  const job = { url: url + ADD_PATH, token: hostToken, folder, pattern, connections, settleSeconds, seconds };
  const results: LoadResult[] = [];
  if (pattern.people === "present") {
    const once = { settleSeconds: 0, seconds: 600, requests: pattern.spread };
    results.push(await generator.run({ ...job, ...once, pattern: { ...pattern, people: "new" } }));
  }
  const measured = await generator.run(job);
  results.push(measured);
  if (measured.requests === 0) throw new Error(`${subject.name} answered nothing within ${seconds} s`);
  if (subject.kind !== "limit") await checkCounts(url, hostToken, ids.meetings, results);
  const { requests, seconds: took, p50Ms, p99Ms } = measured;
  return { requestsPerSecond: requests / took, p50Ms, p99Ms };
}

/** Every person whose addition was answered is counted, and nobody else. */
async function checkCounts(
  url: string,
  token: string,
  meetings: readonly string[],
  results: readonly LoadResult[],
): Promise<void> {
  const expected = new Map<number, number>();
  for (const { added } of results) {
    for (const [meeting, count] of Object.entries(added)) {
      expected.set(Number(meeting), (expected.get(Number(meeting)) ?? 1) + count);
    }
  }
  await Promise.all(
    [...expected].slice(0, COUNTS_CHECKED).map(async ([meeting, count]) => {
      const counted = await participantCount(url, token, meetings[meeting] ?? "");
      if (counted !== count) throw new Error(`${counted} participants are counted where ${count} are`);
    }),
  );
}

function rowOf({
  subject,
  cell,
  samples,
}: {
  subject: SubjectName;
  cell: Cell;
  samples: readonly Sample[];
}): Row {
  const rate = summarize(samples.map(({ requestsPerSecond }) => requestsPerSecond));
  return {
    subject,
    ...cell,
    requestsPerSecond: rate.median,
    participantsPerSecond: rate.median * WORKS[cell.work].batch,
    p50Ms: summarize(samples.map(({ p50Ms }) => p50Ms)).median,
    p99Ms: summarize(samples.map(({ p99Ms }) => p99Ms)).median,
    requestsPerSecondMin: rate.min,
    requestsPerSecondMax: rate.max,
    runs: samples.length,
  };
}

function rotated<T>(values: readonly T[], by: number): T[] {
  const at = values.length === 0 ? 0 : by % values.length;
  return [...values.slice(at), ...values.slice(0, at)];
}
