import type { Failure } from "./failure";

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
/** Clients choose names and arguments, which errors repeat. In UTF-16 units. */
const MAX_TEXT_CHARS = 8 * 1024;
const MAX_CHARS = 16 * 1024 * 1024;

/** The calls that have ended last, in memory: for whoever watches, not for the record. */
export class FunctionLog {
  readonly #entries: LogEntry[] = [];
  /** The number of the first of `#entries`. */
  #first = 1;
  readonly #waiting = new Set<() => void>();
  #isClosed = false;
  #chars = 0;

  add(entry: LogEntry): void {
    const kept = shortened(entry);
    this.#entries.push(kept);
    this.#chars += charsOf(kept);
    while (this.#entries.length > MAX_ENTRIES || (this.#chars > MAX_CHARS && this.#entries.length > 1)) {
      const oldest = this.#entries.shift();
      if (oldest) this.#chars -= charsOf(oldest);
      this.#first++;
    }
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
    const entries = this.#entries.slice(Math.max(0, cursor - this.#first));
    return { entries, newCursor: this.#next };
  }

  get #next(): number {
    return this.#first + this.#entries.length;
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

function shortened(entry: LogEntry): LogEntry {
  const { identifier, error } = entry;
  const isShort = identifier.length <= MAX_TEXT_CHARS && (error?.length ?? 0) <= MAX_TEXT_CHARS;
  return isShort ? entry : { ...entry, identifier: cut(identifier), error: error && cut(error) };
}

function cut(text: string): string {
  if (text.length <= MAX_TEXT_CHARS) return text;
  // Of a slice V8 would keep the whole text.
  const start = Buffer.from(text.slice(0, MAX_TEXT_CHARS)).toString();
  return `${start} (truncated due to length)`;
}

function charsOf({ identifier, error, logLines }: LogEntry): number {
  return logLines.reduce((sum, line) => sum + line.length, identifier.length + (error?.length ?? 0));
}
