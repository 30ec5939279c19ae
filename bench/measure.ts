import type { Summary } from "./statistics";
import type { SubjectName } from "./subjects";

/** A figure that is no rate of requests. */
export type Measure = Summary & {
  readonly subject: SubjectName;
  /** In words. */
  readonly measure: string;
  readonly unit: string;
  /** Participants stored beforehand. */
  readonly stored: number;
  readonly runs: number;
};
