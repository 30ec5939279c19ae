/** What is asked of every subject: the cells of the table. */
import type { Pattern } from "./load/requests";
import { range } from "./range";
import type { World } from "./world";

/** How many people a request names, and whether they are in the meeting already. */
export const WORKS = {
  "100 new": { batch: 100, people: "new" },
  "1 new": { batch: 1, people: "new" },
  "100 present": { batch: 100, people: "present" },
  "10 new": { batch: 10, people: "new" },
} as const satisfies Record<string, Pick<Pattern, "batch" | "people">>;

export type Work = keyof typeof WORKS;

export type Cell = {
  readonly work: Work;
  readonly connections: number;
  /** Meetings that requests take turns at; 1: everybody is added to one meeting, then to the next. */
  readonly meetings: number;
  /** Participants stored beforehand. */
  readonly stored: number;
};

/** The work of filling very many small meetings; it has so many meetings and no other number of them. */
export const MANY_SMALL = { work: "10 new", meetings: 100_000 } as const;

/** So many meetings are there for each cell of one hot meeting at a time. */
const HOT_MEETINGS = 64;

/** The first meeting is that of the check of answers. */
const FIRST_MEETING = 1;

/** So many meetings are enough to warm a server up. */
const MEETINGS_WARMED = 64;

/** Enough for all cells that share a server; always the same, so that they share data as well. */
const MEETINGS = 1000;

/**
 * What a new server is busy with before its first cell: each work that it will be measured with, once. Those who ask for
 * many small meetings are given fewer, as the work is the same.
 */
export function warmUpCellsOf(cells: readonly Cell[]): Cell[] {
  const works = new Map<Work, Cell>();
  for (const cell of cells) {
    if (!works.has(cell.work))
      works.set(cell.work, { ...cell, meetings: Math.min(cell.meetings, MEETINGS_WARMED) });
  }
  return [...works.values()];
}

/** The world for cells that are measured on one server. */
export function worldOf(cells: readonly Cell[], users: number): World {
  const needed = FIRST_MEETING + cells.reduce((sum, cell) => sum + meetingsFor(cell), 0);
  const stored = Math.max(...cells.map((cell) => cell.stored));
  return { users, meetings: Math.max(MEETINGS, needed), stored };
}

/** The world for what needs a few meetings. */
export function worldWith(stored: number, users: number): World {
  return { users, meetings: MEETINGS, stored };
}

/** What the requests of each cell are, when the cells run one after another on one server: each has meetings of its own. */
export function patternsOf(cells: readonly Cell[]): Pattern[] {
  let next = FIRST_MEETING;
  return cells.map((cell) => {
    const meetings = range(meetingsFor(cell)).map((i) => next + i);
    next += meetings.length;
    return { ...WORKS[cell.work], meetings, spread: cell.meetings };
  });
}

function meetingsFor({ meetings, work }: Cell): number {
  return meetings === 1 && WORKS[work].people === "new" ? HOT_MEETINGS : meetings;
}
