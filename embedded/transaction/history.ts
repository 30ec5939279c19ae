/** For how long the past is kept, as in Convex, and how much of it. */
const KEEP_MS = 30_000;
const MAX_CHARS = 32 * 1024 * 1024;

/** What keys held before a commit. `undefined`: there was no such key. */
type Before = readonly (readonly [key: string, value: string | undefined])[];

type Entry = {
  readonly timestamp: bigint;
  readonly atMs: number;
  readonly before: Before;
  readonly chars: number;
};

/**
 * What recent commits have replaced, so that queries can read the state before them. It costs each commit a look at what it
 * replaces, so it is kept only while somebody has asked for a timestamp lately.
 */
export class History {
  readonly #entries: Entry[] = [];
  #chars = 0;
  #askedAtMs = -Infinity;
  /** The first timestamp whose state can be read. */
  #since: bigint | null = null;

  constructor(private readonly now: () => number = Date.now) {}

  /** Whether commits are to be added. */
  get isKept(): boolean {
    if (this.#since !== null && this.now() - this.#askedAtMs > KEEP_MS) this.clear();
    return this.#since !== null;
  }

  /** Keeps the states from this timestamp on, the last one, for a while. */
  keep(timestamp: bigint): void {
    this.#askedAtMs = this.now();
    this.#since ??= timestamp;
  }

  /** Forgets everything: nobody has asked for long, or what is there can't be undone key by key. */
  clear(): void {
    this.#entries.length = 0;
    this.#chars = 0;
    this.#since = null;
  }

  add(timestamp: bigint, before: Before): void {
    const chars = before.reduce((sum, [key, value]) => sum + key.length + (value?.length ?? 0), 0);
    this.#entries.push({ timestamp, atMs: this.now(), before, chars });
    this.#chars += chars;
    let forgotten = 0;
    for (const entry of this.#entries) {
      if (this.#chars <= MAX_CHARS && this.now() - entry.atMs <= KEEP_MS) break;
      this.#chars -= entry.chars;
      this.#since = entry.timestamp;
      forgotten++;
    }
    this.#entries.splice(0, forgotten);
  }

  /**
   * What the keys that were written after a timestamp held then; `null`: nothing. `undefined`: that is not known any more.
   * `last`: the timestamp of the last commit, whose state is always known.
   */
  before(timestamp: bigint, last: bigint): ReadonlyMap<string, string | null> | undefined {
    if (timestamp === last) return new Map();
    if (this.#since === null || timestamp < this.#since) return undefined;
    const found = new Map<string, string | null>();
    for (const entry of this.#entries.toReversed()) {
      if (entry.timestamp <= timestamp) break;
      for (const [key, value] of entry.before) found.set(key, value ?? null);
    }
    return found;
  }
}
