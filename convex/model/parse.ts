import * as z from "zod";
import { describeIssues } from "../contract/errors";
import { fail } from "./errors";

/** To compile a schema takes some milliseconds, as long as to parse ten requests of 100 people or 1,000 small ones: too long for one that is hardly used. */
const COMPILED_AFTER = 100;

/** How often a schema has been used, and the one to use for it: itself, or what zod has compiled of it. */
const used = new WeakMap<z.ZodType, { times: number; schema: z.ZodType }>();

/** What a client sent, as the contract describes it; INVALID_ARGUMENT if it does not fit, naming the first issue in words. */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = quickest(schema).safeParse(value);
  if (parsed.success) return parsed.data as z.output<Schema>;
  const { message, issues } = describeIssues(parsed.error);
  return fail("INVALID_ARGUMENT", message, { issues });
}

/** A schema that says the same, also of what does not fit: a compiled schema leaves that to the one it was made of. */
function quickest(schema: z.ZodType): z.ZodType {
  const use = used.get(schema) ?? { times: 0, schema };
  used.set(schema, use);
  if (++use.times === COMPILED_AFTER) use.schema = z.compile(schema);
  return use.schema;
}
