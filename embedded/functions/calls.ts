/** What goes into the executor and what comes out. */
import type { KeyRange } from "../transaction/keys";
import type { Json } from "../values/json";
import type { Caller } from "./caller";
import type { ComponentPath } from "./loadedApp";
import type { Enclosure } from "./enclosure";
import type { Failure } from "./failure";
import type { Guard } from "./observations";

/** A call as it comes in. `args`: one object, or an array with one object. */
export type Call = {
  /** The component whose function it is; by default the app itself. Clients may call no other. */
  readonly component?: ComponentPath;
  readonly path: string;
  readonly args: Json;
  readonly caller: Caller;
  /** Whether internal functions may be called: they may by the admin, by actions and by the scheduler. */
  readonly internalAllowed: boolean;
  /** What is committed together with this mutation. */
  readonly enclosure?: Enclosure;
  /** The id of the scheduled function that this call is, or descends from. */
  readonly scheduledJob?: string | null;
};

/** A query that is to be run whenever what it reads changes. `journal`: what its last run has left. */
export type LiveCall = Call & { readonly journal: string | null };

/**
 * The result of a query and all that it depends on: the ranges of keys that were read, but for those of its guards. `journal`:
 * the end of its page, if it has read one, so that the page can be read again with the same end.
 */
export type Evaluation = {
  readonly outcome: Outcome;
  readonly ranges: readonly KeyRange[];
  readonly journal: string | null;
  /** The result is the same for all callers to whom these give the same. `null`: it is right for nobody else. */
  readonly guards: readonly Guard[] | null;
  /** How much is held of it, in UTF-16 units. */
  readonly length: number;
};

/** Runs a guard's request in the name of a live query's caller. `null`: what it gives is right for this one call alone. */
export type AskGuard = (request: string) => Guard | null;

/** A live query that is to be run. */
export type LiveRun = {
  readonly call: LiveCall;
  /** Whether there is a result already that is right for the caller too: then the query itself is not run. */
  readonly isKnown: (ask: AskGuard) => boolean;
  /** Is called before any later commit, so that no change of what was read can be missed. `null`: the result is known. */
  readonly done: (evaluation: Evaluation | null) => void;
};

/** How a call ended. `value`: the result in the JSON encoding of Convex values, as text. */
export type Outcome = { readonly logs: readonly string[]; readonly path: string } & (
  | { readonly ok: true; readonly value: string }
  /** `fault`: the runtime itself failed, not the app. */
  | { readonly ok: false; readonly failure: Failure; readonly fault?: true }
);
