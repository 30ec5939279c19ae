import { readIds } from "../worldFiles";
import type { WorldIds } from "../world";
import { Connection, type HttpAnswer } from "./connection";
import { createRequests, type Pattern } from "./requests";

export type LoadJob = {
  /** Of the function. */
  readonly url: string;
  readonly token: string;
  /** Where the ids of the world are. */
  readonly folder: string;
  readonly pattern: Pattern;
  readonly connections: number;
  /** Time before anything is measured. */
  readonly settleSeconds: number;
  readonly seconds: number;
  /** No more requests than this. */
  readonly requests?: number;
};

export type LoadResult = {
  /** Measured requests, and the time they took together. */
  readonly requests: number;
  readonly seconds: number;
  /** Time from sending a request to its whole answer. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Added people by meeting, those who were not measured included. */
  readonly added: Readonly<Record<number, number>>;
};

type Value = { readonly added: readonly string[]; readonly skipped: readonly { readonly code: string }[] };

/**
 * A closed loop: each connection sends its next request when it has its answer. Every answer is checked; the first that is
 * not what it must be ends the run with an error. `stop` ends it before its time;
 * `onFirst` is told of the first answer.
 */
export async function runLoad(job: LoadJob, stop: AbortSignal, onFirst: () => void): Promise<LoadResult> {
  const next = createRequests(await idsOf(job.folder), job.pattern);
  const url = new URL(job.url);
  const connections = await Promise.all(
    Array.from({ length: job.connections }, () => Connection.open(url, job.token)),
  );
  const added: Record<number, number> = {};
  const latencies: number[] = [];
  let left = job.requests ?? Infinity;
  const measuredFrom = performance.now() + job.settleSeconds * 1000;
  const endsAt = measuredFrom + job.seconds * 1000;
  let answered = false;
  let firstAt = Infinity;
  let lastAt = 0;
  const loop = async (connection: Connection) => {
    while (left-- > 0 && !stop.aborted) {
      const sentAt = performance.now();
      // A subject may need longer than that for a single answer.
      if (sentAt >= endsAt && latencies.length > 0) return;
      const request = next();
      if (request === null) return;
      const answer = await connection.post(request.body);
      const now = performance.now();
      added[request.meeting] = (added[request.meeting] ?? 0) + checkAnswer(answer, job.pattern);
      if (!answered) onFirst();
      answered = true;
      if (sentAt < measuredFrom) continue;
      latencies.push(now - sentAt);
      firstAt = Math.min(firstAt, sentAt);
      lastAt = now;
    }
  };
  try {
    await Promise.all(connections.map(loop));
  } finally {
    for (const connection of connections) connection.close();
  }
  latencies.sort((a, b) => a - b);
  const percentile = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  return {
    requests: latencies.length,
    seconds: (lastAt - firstAt) / 1000,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    added,
  };
}

/** How many people an answer has added: all who were asked for when they are new, nobody when they are there. */
export function checkAnswer({ status, body }: HttpAnswer, { batch, people }: Pattern): number {
  const answer = JSON.parse(body) as { status?: string; value: Value };
  if (status !== 200 || answer.status !== "success") throw unexpected(status, body);
  const { added, skipped } = answer.value;
  const isExpected =
    people === "new"
      ? added.length === batch && skipped.length === 0
      : added.length === 0 &&
        skipped.length === batch &&
        skipped.every(({ code }) => code === "already_participant");
  if (!isExpected) throw unexpected(status, body);
  return added.length;
}

function unexpected(status: number, body: string): Error {
  return new Error(`Not the answer that was expected: ${status} ${body.slice(0, 500)}`);
}

let known: { readonly folder: string; readonly ids: WorldIds } | null = null;

async function idsOf(folder: string): Promise<WorldIds> {
  if (known?.folder !== folder) known = { folder, ids: await readIds(folder) };
  return known.ids;
}
