/** What is kept of a live query's run. */
import type { KeyRange } from "../transaction/keys";
import type { Transaction } from "../transaction/transaction";
import type { Evaluation, Outcome } from "./calls";
import { failureText } from "./failure";
import type { LogLines } from "./logLines";
import type { Guard, Observations } from "./observations";

/** What a call that has run has left beside its result. */
type Traces = {
  readonly observed: Observations;
  readonly logs: LogLines;
  readonly page: { readonly end: string | null };
};

/** The result of a run with what it depends on. */
export function evaluation(outcome: Outcome, traces: Traces, transaction: Transaction): Evaluation {
  const { observed, page } = traces;
  const journal = page.end;
  if (!outcome.ok || observed.identity || !isRepeatable(traces, transaction)) {
    return withLength({ outcome, ranges: transaction.readRanges(), journal, guards: null });
  }
  const ranges: KeyRange[] = [];
  let end = 0;
  const guards = observed.guards.map(({ request, value, reads: { from, to } }): Guard => {
    ranges.push(...transaction.readRanges(end, from));
    end = to;
    return { request, value, ranges: transaction.readRanges(from, to) };
  });
  ranges.push(...transaction.readRanges(end));
  return withLength({ outcome, ranges, journal, guards });
}

/** The same of a call that could not be run. */
export function refusal(outcome: Outcome): Evaluation {
  return withLength({ outcome, ranges: [], journal: null, guards: null });
}

/** What a client asks with may be in all of it: in errors, in keys that were read, and in what nested queries are asked with. */
function withLength(evaluated: Omit<Evaluation, "length">): Evaluation {
  const { outcome, ranges, guards } = evaluated;
  let length = outcome.ok
    ? outcome.value.length
    : failureText(outcome.failure).length + JSON.stringify(outcome.failure.data ?? null).length;
  for (const line of outcome.logs) length += line.length;
  for (const { start, end } of ranges) length += start.length + end.length;
  for (const guard of guards ?? []) {
    length += guard.request.length + guard.value.length;
    for (const { start, end } of guard.ranges) length += start.length + end.length;
  }
  return { ...evaluated, length };
}

/**
 * Whether the same query would give the same again, and leave nothing else behind. One that reads a good part of what a transaction
 * may read might meet a limit in the name of somebody for whom guards read more.
 */
export function isRepeatable(
  { observed, logs }: Pick<Traces, "observed" | "logs">,
  { usage }: Transaction,
): boolean {
  return !observed.chance && logs.lines.length === 0 && usage.readShare <= MAX_READ_SHARE;
}

const MAX_READ_SHARE = 0.25;
