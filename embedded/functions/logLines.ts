import { inspect } from "node:util";

const MAX_LINES = 256;
const MAX_LINE_CHARS = 4 * 1024;

export type LogLevel = "LOG" | "DEBUG" | "INFO" | "WARN" | "ERROR";

/** What a function logged, as lines such as `[LOG] 'text' { a: 1 }`. Bounded: what comes after is cut. */
export class LogLines {
  readonly lines: string[] = [];

  add(level: LogLevel, args: readonly unknown[]): void {
    if (this.lines.length > MAX_LINES) return;
    if (this.lines.length === MAX_LINES) {
      this.lines.push(`[ERROR] Log overflow (maximum ${MAX_LINES}). Remaining log lines omitted.`);
      return;
    }
    const text = `[${level}] ${args.map(format).join(" ")}`;
    this.lines.push(
      text.length > MAX_LINE_CHARS ? `${text.slice(0, MAX_LINE_CHARS)} (truncated due to length)` : text,
    );
  }
}

function format(value: unknown): string {
  return typeof value === "string" ? `'${value}'` : inspect(value);
}
