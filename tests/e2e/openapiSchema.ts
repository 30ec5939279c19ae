/** Checks values against the schemas of the OpenAPI document. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { PROJECT_FOLDER } from "./server";

type Schema = {
  $ref?: string;
  type?: string;
  nullable?: boolean;
  enum?: unknown[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
};

const file = path.join(PROJECT_FOLDER, "openapi/openapi.json");
const document = JSON.parse(readFileSync(file, "utf8")) as {
  components: { schemas: Record<string, Schema> };
};

/** What is wrong with a value by a schema of the document; nothing if it fits. Fields beyond the schema are wrong too. */
export function problems(name: string, value: unknown): string[] {
  const schema = document.components.schemas[name];
  return schema ? [...check(schema, value, "$")] : [`there is no schema ${name}`];
}

function* check(schema: Schema, value: unknown, at: string): Generator<string> {
  if (schema.$ref !== undefined) return yield* problems(schema.$ref.split("/").at(-1) ?? "", value);
  if (value === null && schema.nullable) return;
  if (schema.enum && !schema.enum.includes(value)) yield `${at} is none of ${JSON.stringify(schema.enum)}`;
  const fits = (options: Schema[]) => options.filter((option) => check(option, value, at).next().done).length;
  if (schema.oneOf && fits(schema.oneOf) !== 1) yield `${at} fits ${fits(schema.oneOf)} schemas, not one`;
  if (schema.anyOf && fits(schema.anyOf) === 0) yield `${at} fits no schema`;
  if (schema.type !== undefined && !isOfType(value, schema.type)) {
    yield `${at} is ${typeOf(value)}, not ${schema.type}`;
  } else if (Array.isArray(value) && schema.items) {
    for (const [i, item] of value.entries()) yield* check(schema.items, item, `${at}[${i}]`);
  } else if (schema.properties) {
    yield* checkFields(schema.properties, schema.required ?? [], value as Record<string, unknown>, at);
  }
}

function* checkFields(
  properties: Record<string, Schema>,
  required: string[],
  value: Record<string, unknown>,
  at: string,
): Generator<string> {
  for (const name of required) if (!(name in value)) yield `${at}.${name} is missing`;
  for (const [name, field] of Object.entries(value)) {
    const schema = properties[name];
    if (schema) yield* check(schema, field, `${at}.${name}`);
    else yield `${at}.${name} is not in the schema`;
  }
}

function isOfType(value: unknown, type: string): boolean {
  return type === "integer" ? Number.isInteger(value) : typeOf(value) === type;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
