import type { ValidatorJSON } from "convex/values";
import { tableNumberOf } from "../../values/ids";
import { isBytes, isFloat64, isInt64, isJsonObject, type Json } from "../../values/json";
import type { TableNames } from "../validate";

/** Whether a value matches: the answer alone, as fast as it can be had. */
export type Accept = (value: Json | undefined) => boolean;

export function compileAccept(validator: ValidatorJSON, tables: TableNames): Accept {
  switch (validator.type) {
    case "any":
      return () => true;
    case "null":
      return (value) => value === null;
    case "number":
      return isFloat64;
    case "bigint":
    case "commitTs":
      return isInt64;
    case "boolean":
      return (value) => typeof value === "boolean";
    case "string":
      return (value) => typeof value === "string";
    case "bytes":
      return isBytes;
    case "literal":
      return acceptLiteral(validator.value);
    case "id":
      return acceptId(validator.tableName, tables);
    case "array":
      return acceptArray(compileAccept(validator.value, tables));
    case "record":
      return acceptRecord(
        compileAccept(validator.keys, tables),
        compileAccept(validator.values.fieldType, tables),
      );
    case "object":
      return acceptObject(validator, tables);
    case "union":
      return acceptUnion(validator.value, tables);
  }
}

function acceptLiteral(literal: Json): Accept {
  if (typeof literal !== "object" || literal === null) return (value) => value === literal;
  // An int64 or -0: its encoding is one text, so that comparing texts compares values.
  const [[key, text] = []] = Object.entries(literal);
  return (value) => isJsonObject(value) && key !== undefined && value[key] === text;
}

function acceptId(table: string, tables: TableNames): Accept {
  return (value) => {
    if (typeof value !== "string") return false;
    const tableNumber = tableNumberOf(value);
    return tableNumber !== null && tables.tableName(tableNumber) === table;
  };
}

function acceptArray(element: Accept): Accept {
  return (value) => {
    if (!Array.isArray(value)) return false;
    for (let i = 0; i < value.length; i++) if (!element(value[i])) return false;
    return true;
  };
}

const DOLLAR = 36;

function acceptRecord(acceptKey: Accept, acceptValue: Accept): Accept {
  return (value) => {
    if (!isJsonObject(value)) return false;
    for (const key in value) {
      // An int64, say, is an object in its encoding and nowhere else.
      if (key.charCodeAt(0) === DOLLAR) return false;
      if (!acceptKey(key) || !acceptValue(value[key])) return false;
    }
    return true;
  };
}

function acceptObject(validator: ValidatorJSON & { type: "object" }, tables: TableNames): Accept {
  const fields = new Map(
    Object.entries(validator.value).map(([name, { fieldType, optional }]) => [
      name,
      { accept: compileAccept(fieldType, tables), optional },
    ]),
  );
  const required = [...fields.values()].filter(({ optional }) => !optional).length;
  return (value) => {
    if (!isJsonObject(value)) return false;
    let missing = required;
    // Over the fields that there are: most objects have few of those that they may have.
    for (const name in value) {
      const field = fields.get(name);
      if (field === undefined || !field.accept(value[name])) return false;
      if (!field.optional) missing--;
    }
    return missing === 0;
  };
}

function acceptUnion(members: ValidatorJSON[], tables: TableNames): Accept {
  if (members.every((member) => member.type === "literal" && typeof member.value !== "object")) {
    const literals = new Set<Json | undefined>(members.map((member) => (member as { value: Json }).value));
    return (value) => literals.has(value);
  }
  const accepts = members.map((member) => compileAccept(member, tables));
  return (value) => {
    for (let i = 0; i < accepts.length; i++) if ((accepts[i] as Accept)(value)) return true;
    return false;
  };
}
