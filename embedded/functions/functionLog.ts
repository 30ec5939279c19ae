import type { Failure } from "./failure";
import { cut } from "./logLines";

/** A call that has ended, as `convex logs` shows it. Times in seconds. */
export type LogEntry = {
  readonly kind: "Completion";
  readonly udfType: "Query" | "Mutation" | "Action" | "HttpAction";
  readonly identifier: string;
  readonly logLines: readonly string[];
  readonly timestamp: number;
  readonly executionTime: number;
  readonly success: null;
  readonly error: string | null;
};

/** Notes a call that has ended. `startedAt`: by `performance.now()`. */
export type RecordCall = (
  udfType: LogEntry["udfType"],
  outcome: { readonly path: string; readonly logs: readonly string[] } & (
    { readonly ok: true } | { readonly ok: false; readonly failure: Failure }
  ),
  startedAt: number,
) => void;

const MAX_ENTRIES = 1_000;
/** Of a name and of an error no more is kept: clients choose names, and arguments, which errors repeat. */
const MAX_TEXT_CHARS = 8 * 1024;
/** Of all entries together. */
const MAX_CHARS = 16 * 1024 * 1024;

/** The calls that have ended last, in memory: for whoever watches, not for the record. */
export class FunctionLog {
  /** In a ring: the one of each number at the rest of that number by {@link MAX_ENTRIES}. */
  readonly #entries: (LogEntry | undefined)[] = [];
  /** The number of the first that is still there. */
  #first = 1;
  /** The number of the next one. */
  #next = 1;
  readonly #waiting = new Set<() => void>();
  #isClosed = false;
  /** The length of all entries. */
  #chars = 0;

  add(given: LogEntry): void {
    const entry = isShort(given) ? given : shortened(given);
    if (this.#next - this.#first === MAX_ENTRIES) this.#forgetFirst();
    this.#entries[this.#next++ % MAX_ENTRIES] = entry;
    this.#chars += charsOf(entry);
    while (this.#chars > MAX_CHARS) this.#forgetFirst();
    this.#wakeAll();
  }

  /** Lets nobody wait any more. */
  close(): void {
    this.#isClosed = true;
    this.#wakeAll();
  }

  /**
   * The entries behind a cursor, and the cursor behind them. Waits until there is one, at most `waitMs`; with cursor 0, the
   * first that anybody has, it does not wait.
   */
  async since(cursor: number, waitMs: number): Promise<{ entries: readonly LogEntry[]; newCursor: number }> {
    if (cursor > 0 && cursor >= this.#next) await this.#change(waitMs);
    const entries: LogEntry[] = [];
    for (let number = Math.max(cursor, this.#first); number < this.#next; number++)
      entries.push(this.#entries[number % MAX_ENTRIES] as LogEntry);
    return { entries, newCursor: this.#next };
  }

  #forgetFirst(): void {
    const place = this.#first++ % MAX_ENTRIES;
    this.#chars -= charsOf(this.#entries[place] as LogEntry);
    this.#entries[place] = undefined;
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake();
  }

  #change(waitMs: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, waitMs);
      // Whoever watches must not keep the process alive.
      timer.unref();
      this.#waiting.add(wake);
    });
  }
}

function isShort({ identifier, error }: LogEntry): boolean {
  return identifier.length <= MAX_TEXT_CHARS && (error === null || error.length <= MAX_TEXT_CHARS);
}

function shortened(entry: LogEntry): LogEntry {
  const { identifier, error } = entry;
  return {
    ...entry,
    identifier: cut(identifier, MAX_TEXT_CHARS),
    error: error === null ? null : cut(error, MAX_TEXT_CHARS),
  };
}

function charsOf({ identifier, error, logLines }: LogEntry): number {
  return logLines.reduce((sum, line) => sum + line.length, identifier.length + (error?.length ?? 0));
}
