import type * as z from "zod";
import { describeIssues } from "../contract/errors";
import { fail } from "./errors";

/** What a client sent, as the contract describes it; INVALID_ARGUMENT if it does not fit, naming the first issue in words. */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { message, issues } = describeIssues(parsed.error);
  return fail("INVALID_ARGUMENT", message, { issues });
}
