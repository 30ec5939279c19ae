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
    this.lines.push(cut(`[${level}] ${args.map(format).join(" ")}`, MAX_LINE_CHARS));
  }
}

/** The beginning of a text that is too long, which says so. It is a copy, as V8 would keep the whole text for a slice of it. */
export function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  return `${Buffer.from(text.slice(0, maxChars)).toString()} (truncated due to length)`;
}

function format(value: unknown): string {
  return typeof value === "string" ? `'${value}'` : inspect(value);
}
