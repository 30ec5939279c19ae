import type { AskGuard, Evaluation, LiveCall, LiveRun } from "../functions/calls";
import type { Guard } from "../functions/observations";
import { RangeIndex } from "./rangeIndex";
import { SharedResult, SharedResults } from "./sharedResults";

/** What live queries need of the runtime. */
export type LiveQueryHost = {
  /** Runs a query soon, and hands over its result before any later commit. */
  evaluate(run: LiveRun): void;
  /** Calls the listener at each commit with what was written. */
  onCommit(listener: (written: { readonly all: Iterable<string> }) => void): void;
  /** Calls the listener when commits are taken back that queries may have read. */
  onLoss(listener: () => void): void;
  /** The longest that all queries and their results may be together, in UTF-16 units. */
  readonly maxLength: number;
};

/** Who watches queries. */
export interface Watcher {
  /** One of the queries has a new result. */
  changed(): void;
  /** There is no room for its results: it must not watch anything any more. */
  drop(): void;
}

/** What a query is asked with is held so often: as its arguments, in its kind, in its key and in that of a result of several. */
const COPIES = 4;

/** What a guard gives to the caller of a live query. */
type Answer = { readonly value: string; readonly stopWatchingRanges: () => void };

/** A query whose result is kept up to date for those who watch it. */
export class LiveQuery {
  /** The newest result; `null` before the first. */
  evaluation: Evaluation | null = null;
  /** False while a newer result is on its way. */
  isCurrent = false;
  /** Whom to tell of a new result, each with how many times it watches this query. */
  readonly watchers = new Map<Watcher, number>();
  /** The result is that of others too; `null`: it is its own. */
  shared: SharedResult<LiveQuery> | null = null;
  /** By their requests: what guards give, until a commit writes into the ranges of one of them. */
  readonly answers = new Map<string, Answer>();
  stopWatchingRanges: () => void = () => undefined;

  constructor(
    readonly key: string,
    /** What others who may share the result have too. */
    readonly kind: string,
    readonly call: LiveCall,
  ) {}

  /** The text of the result in bytes, where several are sent it and it is long. */
  get bytes(): Buffer | null {
    const isForSeveral = this.watchers.size > 1 || (this.shared?.members.size ?? 0) > 1;
    return isForSeveral ? bytesOf(this.evaluation) : null;
  }

  /** What its last run has left, which keeps a page's end where it was when the page is read again. */
  get journal(): string | null {
    return this.evaluation?.journal ?? this.call.journal;
  }

  /** How much is held of what it is asked with, in UTF-16 units. */
  get askedLength(): number {
    return COPIES * this.key.length;
  }

  /** How much of what is held is held for it alone, in UTF-16 units. */
  get length(): number {
    if (this.shared) return this.askedLength + this.shared.evaluation.length / this.shared.members.size;
    return this.askedLength + (this.isCurrent ? lengthOf(this.evaluation) : 0);
  }
}

/** A result that is right for a query, and what was found out of its caller for that. */
type Known = { readonly result: SharedResult<LiveQuery>; readonly guards: readonly Guard[] };

/**
 * All live queries of a deployment. The same query with the same arguments and identity is run once for all who watch it, and one
 * that depends on the identity through nested queries alone once for all to whom these give the same. A commit re-runs exactly
 * the queries that read a range of keys in which it has written.
 */
export class LiveQueries {
  readonly #queries = new Map<string, LiveQuery>();
  readonly #shared = new SharedResults<LiveQuery>();
  readonly #ranges = new RangeIndex<LiveQuery | SharedResult<LiveQuery>>();
  /** Of all results, those that are shared once, and of what the queries are asked with. */
  #length = 0;
  /** How many queries are to be run, or to get a result of others. */
  #waiting = 0;

  constructor(private readonly host: LiveQueryHost) {
    host.onCommit((written) => {
      if (this.#queries.size === 0) return;
      for (const key of written.all) this.#ranges.match(key, this.#invalidate);
    });
    host.onLoss(() => this.rerunAll());
  }

  /** Watches a query, once more if `watcher` does already. `watcher` is told whenever there is a new result. */
  watch(call: LiveCall, watcher: Watcher): LiveQuery {
    const kind = JSON.stringify([call.component ?? "", call.path, call.args, call.internalAllowed]);
    const key = `${kind}${JSON.stringify([call.caller, call.journal])}`;
    let query = this.#queries.get(key);
    if (!query) {
      query = new LiveQuery(key, kind, call);
      this.#queries.set(key, query);
      this.#length += query.askedLength;
      this.#run(query);
    }
    query.watchers.set(watcher, (query.watchers.get(watcher) ?? 0) + 1);
    return query;
  }

  /** Takes one {@link watch} of this watcher back. */
  unwatch(query: LiveQuery, watcher: Watcher): void {
    const left = (query.watchers.get(watcher) ?? 1) - 1;
    if (left > 0) query.watchers.set(watcher, left);
    else query.watchers.delete(watcher);
    if (query.watchers.size > 0) return;
    this.#release(query);
    this.#queries.delete(query.key);
    this.#length -= query.askedLength;
  }

  /** Runs all queries again: the app has changed, or the data by other ways than a commit. */
  rerunAll(): void {
    for (const query of this.#queries.values()) this.#invalidate(query);
  }

  readonly #invalidate = (owner: LiveQuery | SharedResult<LiveQuery>): void => {
    if (owner instanceof LiveQuery) {
      this.#release(owner);
      this.#rerun(owner);
      return;
    }
    const members = [...owner.members];
    for (const member of members) this.#leave(member);
    for (const member of members) this.#rerun(member);
  };

  #rerun(query: LiveQuery): void {
    if (!query.isCurrent) return;
    query.isCurrent = false;
    this.#run(query);
  }

  #run(query: LiveQuery): void {
    const { journal } = query;
    const key = `${query.kind}${JSON.stringify(journal)}`;
    let known: Known | null = null;
    this.#waiting++;
    this.host.evaluate({
      call: { ...query.call, journal },
      isKnown: (ask) => {
        known = this.#find(query, key, ask);
        return known !== null || query.watchers.size === 0;
      },
      done: (evaluation) => {
        this.#waiting--;
        if (query.watchers.size === 0) return;
        if (evaluation) this.#take(query, key, evaluation);
        else if (known) this.#takeKnown(query, known);
        for (const watcher of query.watchers.keys()) watcher.changed();
        this.#makeRoom();
      },
    });
  }

  /** Looks for a result of others. Guards are asked if what they give to this caller is not known. */
  #find(query: LiveQuery, key: string, ask: AskGuard): Known | null {
    const asked = new Map<string, Guard | null>();
    const result = this.#shared.find(key, (request) => {
      const answer = query.answers.get(request);
      if (answer) return answer.value;
      let guard = asked.get(request);
      if (guard === undefined) asked.set(request, (guard = ask(request)));
      return guard?.value;
    });
    if (!result) return null;
    return { result, guards: [...asked.values()].filter((guard) => guard !== null) };
  }

  #takeKnown(query: LiveQuery, { result, guards }: Known): void {
    this.#addAnswers(query, guards);
    this.#join(query, result);
  }

  #take(query: LiveQuery, key: string, evaluation: Evaluation): void {
    const { guards } = evaluation;
    this.#release(query);
    if (guards) {
      this.#addAnswers(query, guards);
      const found = this.#shared.find(key, (request) => query.answers.get(request)?.value);
      const result = found ?? new SharedResult<LiveQuery>(key, evaluation, guards);
      if (found || this.#shared.add(result)) return this.#join(query, result);
    }
    query.evaluation = evaluation;
    query.isCurrent = true;
    query.stopWatchingRanges = this.#ranges.add(evaluation.ranges, query);
    this.#length += evaluation.length;
  }

  #addAnswers(query: LiveQuery, guards: readonly Guard[]): void {
    for (const { request, value, ranges } of guards) {
      query.answers.get(request)?.stopWatchingRanges();
      query.answers.set(request, { value, stopWatchingRanges: this.#ranges.add(ranges, query) });
    }
  }

  #join(query: LiveQuery, result: SharedResult<LiveQuery>): void {
    const { evaluation, members } = result;
    if (members.size === 0) {
      result.stopWatchingRanges = this.#ranges.add(evaluation.ranges, result);
      this.#length += evaluation.length;
    }
    members.add(query);
    query.shared = result;
    query.evaluation = evaluation;
    query.isCurrent = true;
  }

  /** The result of others is not a query's result any more. Nobody finds it when it is nobody's. */
  #leave(query: LiveQuery): void {
    const { shared } = query;
    query.shared = null;
    if (!shared?.members.delete(query) || shared.members.size > 0) return;
    shared.stopWatchingRanges();
    this.#shared.remove(shared);
    this.#length -= shared.evaluation.length;
  }

  /** Gives back what is held for a query. */
  #release(query: LiveQuery): void {
    for (const { stopWatchingRanges } of query.answers.values()) stopWatchingRanges();
    query.answers.clear();
    if (query.shared) return this.#leave(query);
    if (!query.isCurrent) return;
    query.stopWatchingRanges();
    query.stopWatchingRanges = () => undefined;
    this.#length -= lengthOf(query.evaluation);
  }

  /** Drops watchers while too much is held, first those for whom most is. */
  #makeRoom(): void {
    // Those who will share a result have not all come to it yet: till then it would count as that of the first alone.
    const tolerance = this.#waiting > 0 ? 1.5 : 1;
    while (this.#length > this.host.maxLength * tolerance) {
      const lengths = new Map<Watcher, number>();
      for (const { length, watchers } of this.#queries.values()) {
        for (const watcher of watchers.keys()) {
          lengths.set(watcher, (lengths.get(watcher) ?? 0) + length / watchers.size);
        }
      }
      const [heaviest] = [...lengths].reduce((a, b) => (b[1] > a[1] ? b : a));
      heaviest.drop();
    }
  }
}

/** Below this it costs less to make the bytes anew for everybody. */
const MIN_BYTES_LENGTH = 4_096;
const bytesOfResults = new WeakMap<Evaluation, Buffer>();

function bytesOf(evaluation: Evaluation | null): Buffer | null {
  if (!evaluation?.outcome.ok || evaluation.outcome.value.length < MIN_BYTES_LENGTH) return null;
  let bytes = bytesOfResults.get(evaluation);
  if (!bytes) bytesOfResults.set(evaluation, (bytes = Buffer.from(evaluation.outcome.value)));
  return bytes;
}

function lengthOf(evaluation: Evaluation | null): number {
  return evaluation?.length ?? 0;
}
