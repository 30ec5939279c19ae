import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { MANY_SMALL, WORKS, type Cell, type Work } from "./cells";
import { SUBJECT_NAMES, type SubjectName } from "./subjects";

export const USAGE = `npm run bench -- [options]
  --quick                 the cells that tell most, nobody stored, without convex-test: within two minutes
  --json <file>           write the figures as JSON too
  --only <parts>          of requests, starts (cold start and memory), fan-out; separated by commas, as all lists
  --subjects <names>      of ${SUBJECT_NAMES.join(", ")}
  --work <works>          of ${Object.keys(WORKS).join(", ")}
  --connections <counts>  1,16,64 unless said otherwise
  --meetings <counts>     64,1 unless said otherwise; 1 is one hot meeting
  --stored <counts>       participants stored beforehand, 0,100000,1000000 unless said otherwise
  --runs <count>          runs of each cell, 3 unless said otherwise; of starts and fan-out 5
  --subscribers <count>   of the fan-out, 1000 unless said otherwise
  --seconds <seconds>     of each run; 3 unless said otherwise
  --warm-up <seconds>     of each server before its first run, with the works of its runs; 10 unless said otherwise
  --folder <folder>       where data lie meanwhile, the system's temporary folder unless said otherwise
  --help                  this text`;

export const PARTS = ["requests", "starts", "fan-out"] as const;
export type Part = (typeof PARTS)[number];

/** The mock needs half a minute. */
const QUICK_SUBJECTS = SUBJECT_NAMES.filter((name) => name !== "convex-test");

export type Options = {
  readonly json: string | null;
  readonly folder: string;
  readonly parts: ReadonlySet<Part>;
  readonly subjects: readonly SubjectName[];
  readonly cells: readonly Cell[];
  readonly stored: readonly number[];
  readonly users: number;
  readonly runs: number;
  readonly warmUpSeconds: number;
  readonly settleSeconds: number;
  readonly seconds: number;
  readonly freshStores: boolean;
  /** Seconds after which no further run is begun. */
  readonly budgetSeconds: number;
  readonly startRuns: number;
  readonly subscribers: number;
};

/** An option that is not understood. The message is for the user. */
export class OptionError extends Error {}

/** Reads the command line; null when help is asked for. Throws {@link OptionError}. */
export function readOptions(argv: readonly string[]): Options | null {
  const values = parse(argv);
  if (values.help) return null;
  const quick = values.quick ?? false;
  const works = list(values.work, Object.keys(WORKS) as Work[], "--work");
  const connections = counts(values.connections, quick ? [16, 64] : [1, 16, 64], "--connections", 1);
  const meetings = counts(values.meetings, [64, 1], "--meetings", 1);
  const stored = counts(values.stored, quick ? [0] : [0, 100_000, 1_000_000], "--stored", 0);
  return {
    json: values.json ?? null,
    folder: values.folder ?? tmpdir(),
    parts: new Set(list(values.only, PARTS, "--only")),
    subjects:
      values.subjects === undefined && quick
        ? QUICK_SUBJECTS
        : list(values.subjects, SUBJECT_NAMES, "--subjects"),
    cells: cellsOf(works, { connections, meetings, stored, quick }),
    stored,
    users: quick ? 20_000 : 99_000,
    runs: count(values.runs, quick ? 2 : 3, "--runs"),
    warmUpSeconds: seconds(values["warm-up"], quick ? 5 : 10, "--warm-up", 0),
    settleSeconds: quick ? 0.3 : 1,
    seconds: seconds(values.seconds, quick ? 0.8 : 3, "--seconds", Number.MIN_VALUE),
    freshStores: !quick,
    budgetSeconds: quick ? 105 : Infinity,
    startRuns: count(values.runs, quick ? 1 : 5, "--runs"),
    subscribers: count(values.subscribers, quick ? 200 : 1000, "--subscribers"),
  };
}

type Axes = {
  readonly connections: readonly number[];
  readonly meetings: readonly number[];
  readonly stored: readonly number[];
  readonly quick: boolean;
};

function cellsOf(works: readonly Work[], { connections, meetings, stored, quick }: Axes): Cell[] {
  const [fewest = 1] = stored.toSorted((a, b) => a - b);
  const most = Math.max(...connections);
  const [middle = 16] = connections.length > 1 ? connections.slice(1) : connections;
  return works.flatMap((work): Cell[] => {
    if (work === MANY_SMALL.work) {
      return quick ? [] : [{ ...MANY_SMALL, connections: middle, stored: fewest }];
    }
    const all = stored.flatMap((count) =>
      meetings.flatMap((spread) =>
        connections.map((width) => ({ work, meetings: spread, connections: width, stored: count })),
      ),
    );
    // Many meetings tell most when there are many callers.
    return quick
      ? all.filter(({ meetings: spread, connections: width }) => spread === 1 || width === most)
      : all;
  });
}

function parse(argv: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        quick: flag,
        help: flag,
        json: text,
        only: text,
        subjects: text,
        work: text,
        connections: text,
        meetings: text,
        stored: text,
        runs: text,
        subscribers: text,
        seconds: text,
        "warm-up": text,
        folder: text,
      },
    });
    return values;
  } catch (error) {
    throw new OptionError((error as Error).message.split("\n")[0]);
  }
}

/** Some of the known words, in their own order; all of them when nothing is given. */
function list<T extends string>(given: string | undefined, known: readonly T[], name: string): T[] {
  if (given === undefined) return [...known];
  const words = given.split(",").map((word) => word.trim());
  const unknown = words.find((word) => !known.some((one) => one === word));
  if (unknown !== undefined)
    throw new OptionError(`${name}: ${JSON.stringify(unknown)} is none of ${known.join(", ")}`);
  return known.filter((one) => words.includes(one));
}

function counts(
  given: string | undefined,
  usual: readonly number[],
  name: string,
  least: number,
): readonly number[] {
  if (given === undefined) return usual;
  return given.split(",").map((text) => wholeNumber(text.trim(), name, least));
}

function count(given: string | undefined, usual: number, name: string): number {
  return given === undefined ? usual : wholeNumber(given, name, 1);
}

function wholeNumber(text: string, name: string, least: number): number {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= least) return value;
  throw new OptionError(`${name} must be a whole number from ${least} up, not ${JSON.stringify(text)}`);
}

function seconds(given: string | undefined, usual: number, name: string, least: number): number {
  if (given === undefined) return usual;
  const value = given.trim() === "" ? Number.NaN : Number(given);
  if (value >= least && value <= 3600) return value;
  throw new OptionError(`${name} must be a number up to 3600, not ${JSON.stringify(given)}`);
}
