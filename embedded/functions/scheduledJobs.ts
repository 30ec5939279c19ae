/**
 * Scheduled functions: documents of `_scheduled_functions`, and the queues in which they stand. Every change is part of the
 * transaction that it is given.
 */
import type { IdUse, Transaction } from "../transaction/transaction";
import {
  internalIdOf,
  JOB_QUEUES,
  jobKey,
  jobTargetKey,
  jobsUntil,
  rangeOfPrefix,
  type JobQueue,
  type KeyRange,
} from "../transaction/keys";
import { ROOT } from "../transaction/catalog";
import type { Json, JsonObject } from "../values/json";
import type { ComponentPath } from "./loadedApp";
import { modulePath, type FunctionPath } from "./paths";

export const SCHEDULED_FUNCTIONS = "_scheduled_functions";

export type JobState =
  | { readonly kind: "pending" | "inProgress" | "success" | "canceled" }
  | { readonly kind: "failed"; readonly error: string };

/** A document of `_scheduled_functions` as apps see it. Times are in ms since the epoch. */
export type ScheduledJob = {
  readonly _id: string;
  readonly _creationTime: number;
  /** Such as "messages.js:send". */
  readonly name: string;
  /** One object. */
  readonly args: readonly Json[];
  readonly scheduledTime: number;
  readonly completedTime?: number;
  readonly state: JobState;
};

/**
 * A function's place in a queue: the function's id, the time by which the queue is ordered, and when the function was
 * scheduled, by which those of one time are; both in ms since the epoch.
 */
export type QueuePlace = { readonly id: string; readonly atMs: number; readonly creationTime: number };

const IN_SYSTEM_TABLE: IdUse = { operation: "db.patch", table: SCHEDULED_FUNCTIONS, system: true };

export type JobRequest = {
  /** The component whose function it is. */
  readonly component: ComponentPath;
  readonly path: FunctionPath;
  readonly args: Json;
  /** When it is due, ms since the epoch. */
  readonly atMs: number;
  /** The scheduled function that schedules this one. */
  readonly parent: string | null;
  readonly nowMs: number;
};

/**
 * Schedules a function for the component whose view of the transaction it is, and gives its id. What a cancelled function
 * schedules is cancelled from the start.
 */
export function schedule(
  transaction: Transaction,
  { component, path, args, atMs, parent, nowMs }: JobRequest,
): string {
  // Another component may have scheduled the parent.
  const everything = transaction.within(null, null);
  const canceled = parent !== null && readJob(everything, parent)?.state.kind === "canceled";
  const job = {
    name: modulePath(path),
    args: [args],
    scheduledTime: canceled ? nowMs : atMs,
    state: { kind: canceled ? "canceled" : "pending" },
    ...(canceled ? { completedTime: nowMs } : {}),
  };
  return transaction.usage.exempt(() => {
    const id = transaction.insert(SCHEDULED_FUNCTIONS, job);
    if (transaction.namespaceOf(id) !== component) {
      transaction.writeNote(jobTargetKey(internalIdOf(id)), JSON.stringify(component));
    }
    const scheduled = readJob(transaction, id);
    if (scheduled) enqueue(transaction, scheduled);
    return id;
  });
}

/** Cancels a function that is not completed; others, and those that are not there any more, are left as they are. */
export function cancel(transaction: Transaction, id: string, nowMs: number): void {
  const job = readJob(transaction, id);
  if (job && !isCompleted(job)) move(transaction, job, { state: { kind: "canceled" }, completedTime: nowMs });
}

/** Says that a function runs now. `false`: it must not run, as it does not wait any more. */
export function begin(transaction: Transaction, id: string): boolean {
  const job = readJob(transaction, id);
  if (job?.state.kind !== "pending") return false;
  move(transaction, job, { state: { kind: "inProgress" } });
  return true;
}

/** Says how a function has ended. `error`: `null` for success. One that was cancelled meanwhile stays cancelled. */
export function finish(transaction: Transaction, id: string, error: string | null, nowMs: number): void {
  const job = readJob(transaction, id);
  if (!job || isCompleted(job)) return;
  const state: JobState = error === null ? { kind: "success" } : { kind: "failed", error };
  move(transaction, job, { state, completedTime: nowMs });
}

/** Removes a completed function for good. */
export function forget(transaction: Transaction, { id, atMs, creationTime }: QueuePlace): void {
  transaction.usage.exempt(() => {
    transaction.remove(id, { ...IN_SYSTEM_TABLE, operation: "db.delete" });
    transaction.removeNote(jobKey("completed", atMs, creationTime, internalIdOf(id)));
    transaction.removeNote(jobTargetKey(internalIdOf(id)));
  });
}

/** The component whose function a scheduled function is: the one that has scheduled it, unless it has said another. */
export function componentOfJob(transaction: Transaction, id: string): ComponentPath {
  const noted = transaction.readNote(jobTargetKey(internalIdOf(id)));
  return noted === undefined ? (transaction.namespaceOf(id) ?? ROOT) : (JSON.parse(noted) as ComponentPath);
}

export function readJob(transaction: Transaction, id: string): ScheduledJob | null {
  const job = transaction.usage.exempt(() =>
    transaction.get(id, { ...IN_SYSTEM_TABLE, operation: "db.get" }),
  );
  return job === undefined ? null : (JSON.parse(job.text) as ScheduledJob);
}

/**
 * Who stands in a queue, first come first. `untilMs`: and since when, at the latest. The iterator must not be used after a
 * write of the transaction.
 */
export function* inQueue(
  transaction: Transaction,
  queue: JobQueue,
  untilMs?: number,
): Generator<QueuePlace, void, undefined> {
  const range: KeyRange =
    untilMs === undefined ? rangeOfPrefix(JOB_QUEUES[queue]) : jobsUntil(queue, untilMs);
  const rows = transaction.scan(range.start, range.end, "asc");
  for (let row = rows.next(); !row.done; row = rows.next()) yield JSON.parse(row.value[1]) as QueuePlace;
}

function isCompleted({ state }: ScheduledJob): boolean {
  return state.kind !== "pending" && state.kind !== "inProgress";
}

function move(transaction: Transaction, job: ScheduledJob, change: Partial<ScheduledJob>): void {
  transaction.usage.exempt(() => {
    transaction.patch(job._id, change as JsonObject, IN_SYSTEM_TABLE);
    transaction.removeNote(keyOf(job));
    enqueue(transaction, { ...job, ...change });
  });
}

function enqueue(transaction: Transaction, job: ScheduledJob): void {
  const [, atMs] = placeOf(job);
  const place: QueuePlace = { id: job._id, atMs, creationTime: job._creationTime };
  transaction.writeNote(keyOf(job), JSON.stringify(place));
}

function keyOf(job: ScheduledJob): string {
  const [queue, atMs] = placeOf(job);
  return jobKey(queue, atMs, job._creationTime, internalIdOf(job._id));
}

function placeOf(job: ScheduledJob): [queue: JobQueue, atMs: number] {
  if (job.completedTime !== undefined) return ["completed", job.completedTime];
  return [job.state.kind === "inProgress" ? "inProgress" : "pending", job.scheduledTime];
}
