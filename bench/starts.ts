/** From the start of a server to its first durable answer, the memory that it takes, and what it does while it is new. */
import { worldWith } from "./cells";
import type { Laboratory } from "./laboratory";
import { Connection } from "./load/connection";
import { createRequests } from "./load/requests";
import { checkAnswer } from "./load/run";
import type { Measure } from "./measure";
import { memoryBytes } from "./memory";
import { ADD_PATH } from "./peers/shared/requests";
import { range } from "./range";
import { summarize } from "./statistics";
import type { Subject } from "./subjects";
import { readIds } from "./worldFiles";

export type StartSettings = {
  readonly users: number;
  readonly stored: readonly number[];
  readonly runs: number;
  readonly loadSeconds: number;
  readonly onProgress: (text: string) => void;
};

const CONNECTIONS = 16;
const MEGABYTE = 1_000_000;

type Start = {
  readonly coldStartMs: number;
  readonly idleBytes: number;
  readonly loadedBytes: number;
  /** Of 100 new people each, right after the first answer. */
  readonly requestsPerSecond: number;
};

export async function measureStarts(
  laboratory: Laboratory,
  subjects: readonly Subject[],
  { users, stored, runs, loadSeconds, onProgress }: StartSettings,
): Promise<Measure[]> {
  const measures: Measure[] = [];
  for (const count of stored) {
    const starts = new Map<Subject, Start[]>(subjects.map((subject) => [subject, []]));
    // One more than counts: the first start of a clone compiles what the others use.
    for (const run of range(runs + 1)) {
      for (const [subject, made] of starts) {
        onProgress(`start ${run} of ${runs}, ${subject.name}, ${count} stored`);
        const folder = await laboratory.copy(subject, worldWith(count, users));
        const start = await measureStart(laboratory, subject, folder, loadSeconds);
        if (run > 0) made.push(start);
      }
    }
    for (const [{ name: subject }, made] of starts) {
      const of = (measure: string, unit: string, values: readonly number[]) =>
        measures.push({ subject, measure, unit, stored: count, ...summarize(values), runs: made.length });
      of(
        "start to first durable answer",
        "ms",
        made.map(({ coldStartMs }) => coldStartMs),
      );
      of(
        "memory after the first answer",
        "MB",
        made.map(({ idleBytes }) => idleBytes / MEGABYTE),
      );
      of(
        `memory after ${loadSeconds} s of 100 new`,
        "MB",
        made.map(({ loadedBytes }) => loadedBytes / MEGABYTE),
      );
      of(
        `100 new in these ${loadSeconds} s`,
        "req/s",
        made.map(({ requestsPerSecond }) => requestsPerSecond),
      );
    }
  }
  return measures;
}

async function measureStart(
  laboratory: Laboratory,
  subject: Subject,
  folder: string,
  loadSeconds: number,
): Promise<Start> {
  const one = { batch: 1, meetings: [1], spread: 1, people: "new" } as const;
  // Before the start, so that nothing is measured but the server.
  const first = createRequests(await readIds(folder), one)();
  if (first === null) throw new Error("There is nobody to add");
  const session = await laboratory.start(subject, folder);
  try {
    const url = new URL(session.url + ADD_PATH);
    const connection = await Connection.open(url, laboratory.hostToken);
    const answer = await connection.post(first.body);
    const coldStartMs = performance.now() - session.startedAt;
    connection.close();
    checkAnswer(answer, one);
    const idleBytes = await memoryBytes(await session.pids());
    const hundred = { batch: 100, meetings: range(64).map((i) => 2 + i), spread: 64, people: "new" } as const;
    const { requests, seconds } = await laboratory.generator.run({
      url: url.href,
      token: laboratory.hostToken,
      folder,
      pattern: hundred,
      connections: CONNECTIONS,
      settleSeconds: 0,
      seconds: loadSeconds,
    });
    const loadedBytes = await memoryBytes(await session.pids());
    await laboratory.check(subject, session);
    return { coldStartMs, idleBytes, loadedBytes, requestsPerSecond: requests / seconds };
  } finally {
    await session.stop();
  }
}
