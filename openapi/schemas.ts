import * as z from "zod";
import { idTables } from "../convex/contract/ids";

/** A schema object of OpenAPI 3.0. */
export type SchemaObject = Record<string, unknown>;

/** An OpenAPI 3.0 schema of what a client sends (`input`) or gets (`output`), in the style of Convex's own documents. */
export function schemaObject(schema: z.ZodType, io: "input" | "output"): SchemaObject {
  const {
    $schema: _,
    "~standard": __,
    ...rest
  } = z.toJSONSchema(schema, {
    target: "openapi-3.0",
    io,
    override: ({ zodSchema, jsonSchema }) => inConvexStyle(zodSchema, jsonSchema),
  });
  return rest;
}

/** Edits a schema in place, as zod's `override` wants it. */
function inConvexStyle(zodSchema: z.core.$ZodType, schema: SchemaObject): void {
  delete schema.additionalProperties;
  // Beside a format the pattern is noise, and a long one.
  if (schema.format !== undefined) delete schema.pattern;
  // Any string is let through, so that an id which is malformed gets the same answer as an unknown one.
  if (idTables.has(zodSchema)) {
    delete schema.minLength;
    delete schema.maxLength;
  }
  if (Array.isArray(schema.required)) schema.required.sort((a: string, b: string) => a.localeCompare(b));
  if (Array.isArray(schema.enum) && schema.enum.length > 1) {
    schema.oneOf = schema.enum.map((value: unknown) => ({ type: schema.type, enum: [value] }));
    delete schema.type;
    delete schema.enum;
  }
  // OpenAPI 3.0 allows `nullable` beside a type alone.
  if (schema.nullable === true && Array.isArray(schema.oneOf)) {
    schema.oneOf.push({ type: "string", nullable: true, enum: [null] });
    delete schema.nullable;
  }
}
