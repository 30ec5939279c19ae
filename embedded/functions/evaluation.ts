/** What is kept of a live query's run. */
import type { KeyRange } from "../transaction/keys";
import type { Transaction } from "../transaction/transaction";
import type { Evaluation, Outcome } from "./calls";
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
    return { outcome, ranges: transaction.readRanges(), journal, guards: null };
  }
  const ranges: KeyRange[] = [];
  let end = 0;
  const guards = observed.guards.map(({ request, value, reads: { from, to } }): Guard => {
    ranges.push(...transaction.readRanges(end, from));
    end = to;
    return { request, value, ranges: transaction.readRanges(from, to) };
  });
  ranges.push(...transaction.readRanges(end));
  return { outcome, ranges, journal, guards };
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
