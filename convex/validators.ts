import { type ConvexValidatorFromZodOutput, zodOutputToConvex } from "convex-helpers/server/zod4";
import { type GenericValidator, v } from "convex/values";
import * as z from "zod";
import { idTables } from "./contract/ids";

type TableFields<Shape extends Record<string, z.ZodType>> = {
  [Field in keyof Shape]: ConvexValidatorFromZodOutput<Shape[Field], "required">;
};

/**
 * The Convex validators of a table whose fields the contract describes. Ids, which are any string on the way in,
 * are true `v.id(table)` in the database.
 */
export function tableFields<Shape extends Record<string, z.ZodType>>(shape: Shape): TableFields<Shape> {
  const fields = Object.entries(shape).map(([name, schema]) => [name, tableField(schema)]);
  return Object.fromEntries(fields) as TableFields<Shape>;
}

function tableField(schema: z.ZodType): GenericValidator {
  if (schema instanceof z.ZodExactOptional) return v.optional(tableField(schema.unwrap() as z.ZodType));
  const reference = idTables.get(schema);
  return reference ? v.id(reference.table) : zodOutputToConvex(schema);
}
