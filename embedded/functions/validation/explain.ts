import type { ValidatorJSON } from "convex/values";
import { tableNumberOf } from "../../values/ids";
import { isObject, type Json, type JsonObject } from "../../values/json";
import type { TableNames } from "../validate";
import { compileAccept } from "./accept";
import { printLiteral, printValidator, printValue } from "./print";

/**
 * Convex's message of why a value does not match, or null if it does. It takes the checks in Convex's order (fields
 * by name, missing ones before extra ones), so that of several problems it reports the same one.
 *
 * @param path where the value is: "" or such as ".a[0].b"
 */
export function explain(
  validator: ValidatorJSON,
  value: Json | undefined,
  tables: TableNames,
  path: string,
): string | null {
  const context = path === "" ? "" : `Path: ${path}`;
  switch (validator.type) {
    case "array":
      if (!Array.isArray(value)) break;
      return firstProblem(value.entries(), ([i, element]) =>
        explain(validator.value, element, tables, `${path}[${i}]`),
      );
    case "record":
      if (!isObject(value)) break;
      return firstProblem(
        sortedKeys(value),
        (key) =>
          explain(validator.keys, key, tables, `${path}.keys()`) ??
          explain(validator.values.fieldType, value[key], tables, `${path}.values()`),
      );
    case "object":
      if (!isObject(value)) break;
      return explainObject(validator, value, tables, path, context);
    case "union": {
      const [member, ...others] = validator.value;
      if (member !== undefined && others.length === 0) return explain(member, value, tables, path);
      break;
    }
    case "id":
      if (typeof value !== "string") break;
      return explainId(validator, value, tables, context);
    case "literal":
      if (value !== undefined && !compileAccept(validator, tables)(value)) {
        return `\`${printValue(value)}\` does not match literal validator \`v.literal(${printLiteral(validator.value)})\`.${context}`;
      }
  }
  if (compileAccept(validator, tables)(value)) return null;
  return noMatch(validator, value, context);
}

function noMatch(validator: ValidatorJSON, value: Json | undefined, context: string): string {
  return `Value does not match validator.\n${context}\nValue: ${printValue(value)}\nValidator: ${printValidator(validator)}`;
}

function explainObject(
  validator: ValidatorJSON & { type: "object" },
  object: JsonObject,
  tables: TableNames,
  path: string,
  context: string,
): string | null {
  const fields = validator.value;
  const problem = firstProblem(sortedKeys(fields), (name) => {
    const field = fields[name] as (typeof fields)[string];
    if (Object.hasOwn(object, name)) return explain(field.fieldType, object[name], tables, `${path}.${name}`);
    if (field.optional) return null;
    return `Object is missing the required field \`${name}\`. Consider wrapping the field validator in \`v.optional(...)\` if this is expected.\n${context}\nObject: ${printValue(object)}\nValidator: ${printValidator(validator)}`;
  });
  if (problem !== null) return problem;
  const extra = sortedKeys(object).find((name) => !Object.hasOwn(fields, name));
  if (extra === undefined) return null;
  return `Object contains extra field \`${extra}\` that is not in the validator.\n${context}\nObject: ${printValue(object)}\nValidator: ${printValidator(validator)}`;
}

function explainId(
  validator: ValidatorJSON & { type: "id" },
  id: string,
  tables: TableNames,
  context: string,
): string | null {
  const tableNumber = tableNumberOf(id);
  const found = tableNumber === null ? undefined : tables.tableName(tableNumber);
  if (found === undefined) return noMatch(validator, id, context);
  if (found === validator.tableName) return null;
  const origin = found.startsWith("_") ? "a system table" : `table \`${found}\``;
  return `Found ID "${id}" from ${origin}, which does not match the table name in validator \`v.id("${validator.tableName}")\`.${context}`;
}

function sortedKeys(object: object): string[] {
  return Object.keys(object).sort();
}

function firstProblem<T>(items: Iterable<T>, check: (item: T) => string | null): string | null {
  for (const item of items) {
    const problem = check(item);
    if (problem !== null) return problem;
  }
  return null;
}
