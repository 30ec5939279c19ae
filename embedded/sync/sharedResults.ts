import type { Evaluation } from "../functions/calls";
import type { Guard } from "../functions/observations";

/** Of one query with the same arguments so many results are kept for callers of different kinds, such as hosts and others. */
const MAX_RESULTS = 16;

/** A result that is right for every caller to whom its guards give the same, until a commit writes into its ranges. */
export class SharedResult<Member> {
  /** The live queries whose result it is. */
  readonly members = new Set<Member>();
  stopWatchingRanges: () => void = () => undefined;

  constructor(
    /** Query, arguments and journal. */
    readonly key: string,
    readonly evaluation: Evaluation,
    readonly guards: readonly Guard[],
  ) {}

  /** Whether it is right for the caller to whom its guards give what `answer` says. */
  fits(answer: (request: string) => string | undefined): boolean {
    return this.guards.every(({ request, value }) => answer(request) === value);
  }
}

/** The results that are right now and may be shared. */
export class SharedResults<Member> {
  readonly #byKey = new Map<string, SharedResult<Member>[]>();

  /** A result for a caller to whom guards give what `answer` says. */
  find(key: string, answer: (request: string) => string | undefined): SharedResult<Member> | undefined {
    return this.#byKey.get(key)?.find((result) => result.fits(answer));
  }

  /** False when there are too many of the kind. */
  add(result: SharedResult<Member>): boolean {
    const results = this.#byKey.get(result.key) ?? [];
    if (results.length >= MAX_RESULTS) return false;
    results.push(result);
    this.#byKey.set(result.key, results);
    return true;
  }

  remove(result: SharedResult<Member>): void {
    const left = (this.#byKey.get(result.key) ?? []).filter((other) => other !== result);
    if (left.length > 0) this.#byKey.set(result.key, left);
    else this.#byKey.delete(result.key);
  }
}
