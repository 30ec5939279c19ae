import type { Caller } from "../functions/caller";
import type { Evaluation, LiveCall } from "../functions/calls";
import { RangeIndex } from "./rangeIndex";

/** What live queries need of the runtime. */
export type LiveQueryHost = {
  /** Runs a query soon, and hands over its result before any later commit. */
  evaluate(call: LiveCall, done: (evaluation: Evaluation) => void): void;
  /** Calls the listener at each commit with the keys that were written, or whose documents were. */
  onCommit(listener: (keys: Iterable<string>) => void): void;
};

/** A query whose result is kept up to date for those who watch it. */
export class LiveQuery {
  /** The newest result; `null` before the first. */
  evaluation: Evaluation | null = null;
  /** False while a newer result is on its way. */
  isCurrent = false;
  /** Whom to tell of a new result, each with how many times it watches this query. */
  readonly watchers = new Map<() => void, number>();
  stopWatchingRanges: () => void = () => undefined;

  constructor(
    readonly key: string,
    readonly call: LiveCall,
  ) {}
}

/**
 * All live queries of a deployment. The same query with the same arguments and identity is run once for all who watch it. A
 * commit re-runs exactly the queries that read a range of keys in which it has written.
 */
export class LiveQueries {
  readonly #queries = new Map<string, LiveQuery>();
  readonly #ranges = new RangeIndex<LiveQuery>();

  constructor(private readonly host: LiveQueryHost) {
    host.onCommit((keys) => {
      if (this.#queries.size === 0) return;
      for (const key of keys) this.#ranges.match(key, this.#invalidate);
    });
  }

  /** Watches a query, once more if `watcher` does already. `watcher` is called whenever there is a new result. */
  watch(call: LiveCall, watcher: () => void): LiveQuery {
    const key = JSON.stringify([
      call.component ?? "",
      call.path,
      call.args,
      callerKey(call.caller),
      call.journal,
    ]);
    let query = this.#queries.get(key);
    if (!query) {
      query = new LiveQuery(key, call);
      this.#queries.set(key, query);
      this.#run(query);
    }
    query.watchers.set(watcher, (query.watchers.get(watcher) ?? 0) + 1);
    return query;
  }

  /** Takes one {@link watch} of this watcher back. */
  unwatch(query: LiveQuery, watcher: () => void): void {
    const left = (query.watchers.get(watcher) ?? 1) - 1;
    if (left > 0) query.watchers.set(watcher, left);
    else query.watchers.delete(watcher);
    if (query.watchers.size > 0) return;
    query.stopWatchingRanges();
    this.#queries.delete(query.key);
  }

  /** Runs all queries again: the app has changed. */
  rerunAll(): void {
    for (const query of this.#queries.values()) this.#invalidate(query);
  }

  readonly #invalidate = (query: LiveQuery): void => {
    if (!query.isCurrent) return;
    query.isCurrent = false;
    query.stopWatchingRanges();
    this.#run(query);
  };

  #run(query: LiveQuery): void {
    // A journal keeps a page's end where it was when the page is read again.
    const journal = query.evaluation?.journal ?? query.call.journal;
    this.host.evaluate({ ...query.call, journal }, (evaluation) => {
      if (query.watchers.size === 0) return;
      query.evaluation = evaluation;
      query.isCurrent = true;
      query.stopWatchingRanges = this.#ranges.add(evaluation.ranges, query);
      for (const watcher of query.watchers.keys()) watcher();
    });
  }
}

function callerKey(caller: Caller): string {
  return JSON.stringify(caller);
}
