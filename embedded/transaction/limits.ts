import type { Json } from "../values/json";
import { sizeOf } from "../values/size";
import { DeveloperError } from "./errors";

/** What one transaction may do. Convex's own limits (docs.convex.dev/production/state/limits). */
export const LIMITS = {
  documentsRead: 32_000,
  bytesRead: 16 * 1024 * 1024,
  /** Index ranges read: every `db.get` and every `db.query` counts one. */
  databaseQueries: 4_096,
  documentsWritten: 16_000,
  bytesWritten: 16 * 1024 * 1024,
  functionsScheduled: 1_000,
  scheduledFunctionArgsBytes: 16 * 1024 * 1024,
} as const;

export type Metric = keyof typeof LIMITS;

export type Limits = Readonly<Record<Metric, number>>;

export const METRICS = Object.keys(LIMITS) as readonly Metric[];

const ADVICE =
  "Consider using smaller limits in your queries, paginating your queries, or using indexed queries with a selective index range expressions.";

function exceeded(metric: Metric, limit: number): string {
  switch (metric) {
    case "documentsRead":
      return `Too many documents read in a single function execution (limit: ${limit}). ${ADVICE}`;
    case "bytesRead":
      return `Too many bytes read in a single function execution (limit: ${limit} bytes). ${ADVICE}`;
    case "databaseQueries":
      return `Too many reads in a single function execution (limit: ${limit}). ${ADVICE}`;
    case "documentsWritten":
      return `Too many writes in a single function execution (limit: ${limit})`;
    case "bytesWritten":
      return `Too many bytes written in a single function execution (limit: ${limit})`;
    case "functionsScheduled":
      return `Too many functions scheduled by this mutation (limit: ${limit})`;
    case "scheduledFunctionArgsBytes":
      return `Too large total size of the arguments of scheduled functions from this mutation (limit: ${limit} bytes)`;
  }
}

/** No value has more bytes for each character of its JSON: a number may be one character and a comma, and counts nine. */
const MOST_BYTES_PER_CHAR = 4.5;

/** Counts what a transaction has used, and throws a {@link DeveloperError} when it is too much. */
export class Usage {
  readonly #used: Record<Metric, number> = {
    documentsRead: 0,
    bytesRead: 0,
    databaseQueries: 0,
    documentsWritten: 0,
    bytesWritten: 0,
    functionsScheduled: 0,
    scheduledFunctionArgsBytes: 0,
  };
  #exempt = false;
  /** Documents that were read and are not counted among the bytes yet: it takes time to measure them, and few read so much that it matters. */
  #unmeasured: string[] = [];
  #unmeasuredChars = 0;

  limits: Limits = LIMITS;

  /** How long the transaction's operations have taken, which is not the time of the function's own code. */
  operationsMs = 0;

  add(metric: Metric, amount: number): void {
    if (this.#exempt) return;
    this.#used[metric] += amount;
    const limit = this.limits[metric];
    if (this.#used[metric] > limit) throw new DeveloperError(exceeded(metric, limit));
    if (metric === "bytesRead") this.#checkBytesRead();
  }

  /** Counts an index range that is read. */
  addQuery(): void {
    if (this.#exempt) return;
    const used = ++this.#used.databaseQueries;
    const limit = this.limits.databaseQueries;
    if (used > limit) throw new DeveloperError(exceeded("databaseQueries", limit));
  }

  /** Counts a document that was read, given as JSON text. */
  addRead(text: string): void {
    if (this.#exempt) return;
    const { documentsRead } = this.limits;
    if (++this.#used.documentsRead > documentsRead) {
      throw new DeveloperError(exceeded("documentsRead", documentsRead));
    }
    this.#unmeasured.push(text);
    this.#unmeasuredChars += text.length;
    this.#checkBytesRead();
  }

  #checkBytesRead(): void {
    const { bytesRead } = this.limits;
    if (this.#mostBytesRead <= bytesRead) return;
    this.#measure();
    if (this.#used.bytesRead > bytesRead) throw new DeveloperError(exceeded("bytesRead", bytesRead));
  }

  get #mostBytesRead(): number {
    return this.#used.bytesRead + this.#unmeasuredChars * MOST_BYTES_PER_CHAR;
  }

  #measure(): void {
    for (const text of this.#unmeasured) this.#used.bytesRead += sizeOf(JSON.parse(text) as Json);
    this.#unmeasured = [];
    this.#unmeasuredChars = 0;
  }

  /** How many bytes have been read, which takes time to tell. */
  get bytesRead(): number {
    this.#measure();
    return this.#used.bytesRead;
  }

  /** Whether so many bytes have been read, which takes time to tell only where it may be so. */
  hasRead(bytes: number): boolean {
    return this.#mostBytesRead >= bytes && this.bytesRead >= bytes;
  }

  /** Sets limits for what comes now, which may use so much more, and in all no more than before. */
  restrict(budget: Partial<Limits>): void {
    this.#measure();
    const limits = { ...this.limits };
    for (const metric of METRICS) {
      limits[metric] = Math.min(limits[metric], this.#used[metric] + (budget[metric] ?? Infinity));
    }
    this.limits = limits;
  }

  /** Does work of the runtime's own, which the function is not charged for and which its limits can't stop. */
  exempt<T>(work: () => T): T {
    const outer = this.#exempt;
    this.#exempt = true;
    try {
      return work();
    } finally {
      this.#exempt = outer;
    }
  }

  /** True once more than three quarters of what may be read has been read. */
  get nearReadLimit(): boolean {
    return this.#share("documentsRead") > 0.75 || this.#bytesShare() > 0.75;
  }

  /** How much has been read of what may be read, between 0 and 1. */
  get readShare(): number {
    return Math.max(this.#share("documentsRead"), this.#bytesShare(), this.#share("databaseQueries"));
  }

  #share(metric: Metric): number {
    return this.#used[metric] / this.limits[metric];
  }

  /** About so much: what is not measured counts as its characters. */
  #bytesShare(): number {
    return (this.#used.bytesRead + this.#unmeasuredChars) / this.limits.bytesRead;
  }

  /** `{used, remaining}` of each metric. */
  report(): Record<Metric, { used: number; remaining: number }> {
    this.#measure();
    const report = {} as Record<Metric, { used: number; remaining: number }>;
    for (const metric of METRICS) {
      const used = this.#used[metric];
      report[metric] = { used, remaining: Math.max(0, this.limits[metric] - used) };
    }
    return report;
  }
}
