/** What `crons.ts` declares: which functions run when. */
import { Cron } from "croner";
import type { Json } from "../values/json";
import type { FunctionInfo } from "./loadedApp";
import { canonicalPath, modulePath, type FunctionPath } from "./paths";

/** Every so often since the last run, or at the times of a cron expression, in UTC. */
export type CronSchedule =
  | { readonly kind: "interval"; readonly everyMs: number }
  | { readonly kind: "calendar"; readonly expression: string };

/** A declared cron. */
export type CronSpec = { readonly path: FunctionPath; readonly args: Json; readonly schedule: CronSchedule };

/** What `cronJobs()` makes, as far as the runtime looks at it. */
type ExportedCrons = { isCrons?: unknown; export?: () => string };

type WrittenSchedule =
  | { type: "interval"; seconds?: number; minutes?: number; hours?: number }
  | { type: "hourly"; minuteUTC?: number }
  | { type: "daily"; hourUTC: number; minuteUTC?: number }
  | { type: "weekly"; dayOfWeek: string; hourUTC: number; minuteUTC?: number }
  | { type: "monthly"; day: number; hourUTC: number; minuteUTC?: number }
  | { type: "cron"; cron: string };

const DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/** The crons that `crons.ts` declares, as JSON text. `exported`: its default export. Throws when it is not what `cronJobs()` makes. */
export function exportCrons(exported: unknown): string {
  if (exported === undefined) {
    throw new Error("`convex/crons.js` must have a default export of a Crons object.");
  }
  const crons = exported as ExportedCrons;
  if (crons.isCrons !== true || !crons.export) {
    throw new Error("The default export of `convex/crons.js` is not a Crons object.");
  }
  return crons.export();
}

/**
 * Reads what {@link exportCrons} has given. Throws when a function that is named is not there or is a query, or an expression
 * can't be read or never comes true.
 */
export function readCrons(
  exported: string,
  functions: ReadonlyMap<FunctionPath, FunctionInfo>,
): ReadonlyMap<string, CronSpec> {
  const declared = JSON.parse(exported) as Record<
    string,
    { name: string; args: Json[]; schedule: WrittenSchedule }
  >;
  const specs = new Map<string, CronSpec>();
  for (const [name, { name: written, args, schedule }] of Object.entries(declared)) {
    const path = canonicalPath(written) ?? written;
    const kind = functions.get(path)?.kind;
    if (kind === undefined) {
      throw new Error(`The cron job '${name}' schedules a function that does not exist: ${modulePath(path)}`);
    }
    if (kind === "query") {
      throw new Error(
        `The cron job '${name}' schedules a query function, only actions and mutations can be scheduled: ${modulePath(path)}`,
      );
    }
    specs.set(name, { path, args: args[0] ?? {}, schedule: readSchedule(schedule) });
  }
  return specs;
}

/** The ranges of days, hours and minutes have been checked by the convex package, where the cron was declared. */
function readSchedule(written: WrittenSchedule): CronSchedule {
  switch (written.type) {
    case "interval": {
      const { seconds = 0, minutes = 0, hours = 0 } = written;
      return { kind: "interval", everyMs: (seconds + 60 * minutes + 3600 * hours) * 1000 };
    }
    case "hourly":
      return calendar(`${written.minuteUTC ?? 0} * * * *`);
    case "daily":
      return calendar(`${written.minuteUTC ?? 0} ${written.hourUTC} * * *`);
    case "weekly":
      return calendar(
        `${written.minuteUTC ?? 0} ${written.hourUTC} * * ${DAYS.indexOf(written.dayOfWeek.toLowerCase())}`,
      );
    case "monthly":
      return calendar(`${written.minuteUTC ?? 0} ${written.hourUTC} ${written.day} * *`);
    case "cron":
      return calendar(written.cron);
  }
}

function calendar(expression: string): CronSchedule {
  const schedule = { kind: "calendar", expression } as const;
  if (occurrenceAfter(expression, Date.now()) === Infinity) {
    throw new Error(`The cron spec ${JSON.stringify(expression)} will never match any time`);
  }
  return schedule;
}

/** When a cron runs for the first time after it was declared. Times are in ms since the epoch. */
export function firstRun(schedule: CronSchedule, nowMs: number): number {
  return schedule.kind === "interval" ? nowMs : occurrenceAfter(schedule.expression, nowMs);
}

/** When a cron runs after a run that was due at `dueMs`, and the first run in between that it is too late for, if any. */
export function runAfter(
  schedule: CronSchedule,
  dueMs: number,
  nowMs: number,
): { nextMs: number; missedMs: number | null } {
  const following =
    schedule.kind === "interval" ? dueMs + schedule.everyMs : occurrenceAfter(schedule.expression, dueMs);
  if (following >= nowMs) return { nextMs: following, missedMs: null };
  const nextMs =
    schedule.kind === "interval"
      ? dueMs + Math.ceil((nowMs - dueMs) / schedule.everyMs) * schedule.everyMs
      : occurrenceAfter(schedule.expression, nowMs);
  return { nextMs, missedMs: following };
}

function occurrenceAfter(expression: string, afterMs: number): number {
  const cron = new Cron(expression, { timezone: "UTC", mode: "5-part" });
  return cron.nextRun(new Date(afterMs))?.getTime() ?? Infinity;
}
