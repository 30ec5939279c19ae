/**
 * What the database notes of the log, in the transactions that bring writes over. All records up to `applied` are in the database;
 * those after it up to `applying` may be there in part, and have to be applied again from the first on.
 */
export type LogMark = { readonly applied: number; readonly applying: number };

/** Of a database that has not met a log yet. */
export const NO_MARK: LogMark = { applied: 0, applying: 0 };

export function formatMark({ applied, applying }: LogMark): string {
  return `${applied} ${applying}`;
}

export function parseMark(text: string): LogMark {
  const [applied, applying] = text.split(" ").map(Number) as [number, number];
  return { applied, applying };
}
