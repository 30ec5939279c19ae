import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkAnswers, participantCount } from "../../bench/answers";
import { bench } from "../../bench/bench";
import { Laboratory } from "../../bench/laboratory";
import { OptionError, readOptions } from "../../bench/options";
import { findPostgres } from "../../bench/peers/fastifyPg/cluster";
import { markdown } from "../../bench/report";
import { SUBJECT_NAMES, subjectNamed } from "../../bench/subjects";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "bench-test-"));
  // PostgreSQL's own user has to get through.
  await chmod(folder, 0o711);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** The smallest run: a world of a few hundred people and moments of load. */
function tiny(...flags: string[]) {
  const options = readOptions(["--quick", "--seconds", "0.05", "--runs", "1", "--folder", folder, ...flags]);
  if (options === null) throw new Error("Help was asked for");
  return { ...options, users: 400, warmUpSeconds: 0.05, settleSeconds: 0, subscribers: 5 };
}

const running = new AbortController().signal;

/** Many servers are started one after another. */
const SLOW = { timeout: 180_000 };

test(
  "every peer that is installed gives the answers of the embedded runtime, and a row for each work",
  SLOW,
  async () => {
    const options = tiny("--subjects", SUBJECT_NAMES.join(","), "--only", "requests", "--connections", "4");
    const report = await bench(options, () => undefined, running);

    const postgresIsThere = (await findPostgres()) !== null;
    expect(report.missing.map(({ subject }) => subject)).toEqual(postgresIsThere ? [] : ["fastify-pg"]);
    const works = (subject: string) =>
      new Set(report.rows.filter((row) => row.subject === subject).map(({ work }) => work));
    const all = new Set(["100 new", "1 new", "100 present"]);
    for (const subject of [
      "embedded",
      "hono-sqlite",
      "convex-test",
      ...(postgresIsThere ? ["fastify-pg"] : []),
    ]) {
      expect([subject, works(subject)]).toEqual([subject, all]);
    }
    for (const limit of ["append-log", "echo"]) expect(works(limit)).toEqual(new Set(["100 new", "1 new"]));
  },
);

test(
  "the report has the machine, a row for each cell and a figure for each measure, as data and as a table",
  SLOW,
  async () => {
    const options = tiny(
      "--subjects",
      "embedded",
      "--work",
      "1 new",
      "--connections",
      "2",
      "--meetings",
      "1",
    );
    const report = await bench(options, () => undefined, running);

    const number = expect.any(Number) as number;
    expect(report.rows).toEqual([
      {
        subject: "embedded",
        work: "1 new",
        connections: 2,
        meetings: 1,
        stored: 0,
        requestsPerSecond: number,
        participantsPerSecond: number,
        p50Ms: number,
        p99Ms: number,
        requestsPerSecondMin: number,
        requestsPerSecondMax: number,
        runs: 1,
      },
    ]);
    const [row] = report.rows;
    expect(row?.requestsPerSecond).toBeGreaterThan(0);
    expect(row?.participantsPerSecond).toBe(row?.requestsPerSecond);
    expect(report.machine).toMatchObject({ node: process.version, cpu: expect.any(String) as string });
    expect(report.measures.map(({ measure }) => measure)).toEqual([
      "change of 100 people, 5 subscribers of one meeting: last has it",
      "change of 100 people, 5 subscribers of one meeting: p99 of other mutations meanwhile",
      "change of 100 people, 5 subscribers of 64 meetings: last has it",
      "change of 100 people, 5 subscribers of 64 meetings: p99 of other mutations meanwhile",
      "start to first durable answer",
      "memory after the first answer",
      "memory after 0.05 s of 100 new",
      "100 new in these 0.05 s",
    ]);
    for (const { median } of report.measures) expect(median).toBeGreaterThan(0);
    const table = markdown(report).split("\n");
    expect(table.filter((line) => line.startsWith("|"))).toHaveLength(
      2 + report.rows.length + report.measures.length,
    );
    expect(await readdir(folder)).toEqual([]);
  },
);

test(
  "participants that are stored beforehand are in meetings of a thousand, with every subject alike",
  SLOW,
  async () => {
    const laboratory = await Laboratory.open(folder);
    try {
      const world = { users: 1000, meetings: 1, stored: 1500 };
      for (const subject of (["embedded", "fastify-pg", "hono-sqlite"] as const).map(subjectNamed)) {
        if ((await subject.missing()) !== null) continue;
        const counts = await laboratory.withServer(subject, world, ({ url, ids }) =>
          Promise.all(ids.storedMeetings.map((id) => participantCount(url, laboratory.hostToken, id))),
        );
        expect([subject.name, counts]).toEqual([subject.name, [1 + 1000, 1 + 500]]);
      }
    } finally {
      await laboratory.close();
    }
  },
);

test("a subject that does not give the right answers is not measured", async () => {
  const laboratory = await Laboratory.open(folder);
  try {
    const world = { users: 400, meetings: 2, stored: 0 };
    await laboratory.withServer(subjectNamed("echo"), world, async ({ url, ids }) => {
      const check = checkAnswers(url, ids, laboratory.hostToken, (subject) => laboratory.sign(subject));
      await expect(check).rejects.toThrow("Expected values to be strictly deep-equal");
    });
  } finally {
    await laboratory.close();
  }
});

test("a bench that is interrupted leaves no data behind", async () => {
  const interruption = new AbortController();
  const options = tiny("--subjects", "hono-sqlite", "--only", "requests");
  const interrupted = bench(options, () => interruption.abort(), interruption.signal);
  await expect(interrupted).rejects.toThrow("Interrupted");
  expect(await readdir(folder)).toEqual([]);
});

describe("the command line", () => {
  test("chooses cells by work, connections, meetings and what is stored", () => {
    const options = readOptions([
      "--work",
      "1 new",
      "--connections",
      "2,3",
      "--meetings",
      "5",
      "--stored",
      "0,7",
    ]);
    expect(options?.cells).toEqual(
      [0, 7].flatMap((stored) =>
        [2, 3].map((connections) => ({ work: "1 new", connections, meetings: 5, stored })),
      ),
    );
  });

  test.each([
    ["--subjects", "oracle"],
    ["--work", "2 new"],
    ["--connections", "0"],
    ["--stored", "-1"],
    ["--seconds", "nan"],
    ["--warm-up", "-1"],
    ["--colour"],
  ])("refuses %s %s, naming it", (...flags) => {
    expect(() => readOptions(flags)).toThrow(OptionError);
    expect(() => readOptions(flags)).toThrow(flags[0]);
  });
});
