/** What a query looks at besides its arguments and what it reads: on it depends whose its result is. */
import type { KeyRange } from "../transaction/keys";

/**
 * A nested query that has asked who calls. Whoever gets the same `value` from it gets the same from the query that has called it,
 * if that asks for nothing else of its caller.
 */
export type Guard = {
  /** What the operation was given, as JSON text. */
  readonly request: string;
  /** The result, as JSON text. */
  readonly value: string;
  /** The keys on which the result depends, for this caller. */
  readonly ranges: readonly KeyRange[];
};

/** A part of a transaction's reads, as places among them. */
type Reads = { readonly from: number; readonly to: number };

type GuardRun = Pick<Guard, "request" | "value"> & { readonly reads: Reads };

/** Collects it while one call runs. */
export class Observations {
  /** Who calls. */
  identity = false;
  /** What may be another one the next time: the clock, randomness, what the transaction has used, the last commit. */
  chance = false;
  /** The nested queries that have asked who calls, in their order. */
  readonly guards: GuardRun[] = [];

  /** Takes over what a nested call has looked at. `value`: its result; `null`: it failed. */
  addNested(nested: Observations, request: () => string, value: string | null, reads: Reads): void {
    this.chance ||= nested.chance;
    if (!nested.identity && nested.guards.length === 0) return;
    if (value === null) this.identity = true;
    else this.guards.push({ request: request(), value, reads });
  }
}
