/** Evaluates the expressions of `.filter()` on documents. */
import { compareJson } from "../values/keyEncoding";
import { fieldAt } from "../values/fields";
import { convexToJson, jsonToConvex } from "convex/values";
import {
  isFloat64,
  isInt64,
  isUndefined,
  kindOf,
  type Json,
  type JsonObject,
  type Kind,
} from "../values/json";
import { DeveloperError } from "./errors";

/** What an expression gives for a document. `undefined` where a field is missing. */
type Evaluate = (document: JsonObject) => Json | undefined;

type Arithmetic = {
  verb: string;
  ints: (l: bigint, r: bigint) => bigint;
  floats: (l: number, r: number) => number;
};

const ARITHMETIC: Record<string, Arithmetic> = {
  $add: { verb: "add", ints: (l, r) => l + r, floats: (l, r) => l + r },
  $sub: { verb: "subtract", ints: (l, r) => l - r, floats: (l, r) => l - r },
  $mul: { verb: "multiply", ints: (l, r) => l * r, floats: (l, r) => l * r },
  $div: { verb: "divide", ints: (l, r) => l / r, floats: (l, r) => l / r },
  $mod: { verb: "mod", ints: (l, r) => l % r, floats: (l, r) => l % r },
};

const COMPARISONS: Record<string, (order: number) => boolean> = {
  $eq: (order) => order === 0,
  $neq: (order) => order !== 0,
  $lt: (order) => order < 0,
  $lte: (order) => order <= 0,
  $gt: (order) => order > 0,
  $gte: (order) => order >= 0,
};

/** Compiles a serialized filter expression to a predicate. Throws {@link DeveloperError} for what is no expression. */
export function compileFilter(expression: Json): (document: JsonObject) => boolean {
  const evaluate = compile(expression);
  return (document) => boolean(evaluate(document));
}

function compile(expression: Json): Evaluate {
  if (typeof expression !== "object" || expression === null || Array.isArray(expression)) {
    throw new DeveloperError("Invalid argument `query`: a filter must be an expression");
  }
  const [operator, operand] = Object.entries(expression)[0] ?? ["nothing", null];
  const comparison = COMPARISONS[operator];
  if (comparison) {
    const [left, right] = operands(operand, 2);
    return (document) => comparison(compareJson(left?.(document), right?.(document)));
  }
  const arithmetic = ARITHMETIC[operator];
  if (arithmetic) {
    const [left, right] = operands(operand, 2);
    return (document) => calculate(arithmetic, left?.(document), right?.(document));
  }
  switch (operator) {
    case "$field": {
      if (typeof operand !== "string")
        throw new DeveloperError("Invalid argument `query`: a field must be a path");
      const path = operand;
      return (document) => fieldAt(document, path);
    }
    case "$literal": {
      const literal = isUndefined(operand) ? undefined : operand;
      return () => literal;
    }
    case "$and": {
      const parts = operands(operand);
      return (document) => parts.every((part) => boolean(part(document)));
    }
    case "$or": {
      const parts = operands(operand);
      return (document) => parts.some((part) => boolean(part(document)));
    }
    case "$not": {
      const part = compile(operand);
      return (document) => !boolean(part(document));
    }
    case "$neg": {
      const part = compile(operand);
      return (document) => negate(part(document));
    }
    default:
      throw new DeveloperError(`Invalid argument \`query\`: unknown filter operator ${operator}`);
  }
}

function operands(json: Json, count?: number): Evaluate[] {
  if (!Array.isArray(json) || (count !== undefined && json.length !== count)) {
    throw new DeveloperError("Invalid argument `query`: a filter operator has the wrong number of operands");
  }
  return json.map(compile);
}

function boolean(value: Json | undefined): boolean {
  if (typeof value === "boolean") return value;
  throw new DeveloperError(`Expected a boolean, but got ${print(value)}`);
}

function calculate(
  { verb, ints, floats }: Arithmetic,
  left: Json | undefined,
  right: Json | undefined,
): Json {
  const l = numberOf(left);
  const r = numberOf(right);
  if (typeof l === "bigint" && typeof r === "bigint") {
    if (r === 0n && (verb === "divide" || verb === "mod"))
      throw new DeveloperError(`Cannot ${verb} ${l} by zero`);
    return int64(ints(l, r), () => `Cannot ${verb} ${l} and ${r}: the result is out of range for Int64`);
  }
  if (typeof l === "number" && typeof r === "number") return convexToJson(floats(l, r));
  throw new DeveloperError(
    `Cannot ${verb} ${print(left)} (type ${typeName(left)}) and ${print(right)} (type ${typeName(right)})`,
  );
}

function negate(value: Json | undefined): Json {
  const number = numberOf(value);
  if (typeof number === "number") return convexToJson(-number);
  if (typeof number === "bigint") {
    return int64(-number, () => `Cannot negate ${number}: the result is out of range for Int64`);
  }
  throw new DeveloperError(`Cannot negate ${print(value)} (type ${typeName(value)})`);
}

function numberOf(value: Json | undefined): number | bigint | null {
  if (typeof value === "number") return value;
  if (!isInt64(value) && !isFloat64(value)) return null;
  return jsonToConvex(value) as number | bigint;
}

function int64(result: bigint, problem: () => string): Json {
  if (BigInt.asIntN(64, result) !== result) throw new DeveloperError(problem());
  return convexToJson(result);
}

function print(value: Json | undefined): string {
  if (value === undefined) return "undefined";
  const number = numberOf(value);
  return number === null ? JSON.stringify(value) : String(number);
}

const TYPE_NAMES: Record<Kind, string> = {
  null: "Null",
  int64: "Int64",
  float64: "Float64",
  boolean: "Boolean",
  string: "String",
  bytes: "Bytes",
  array: "Array",
  object: "Object",
};

function typeName(value: Json | undefined): string {
  return value === undefined ? "Undefined" : TYPE_NAMES[kindOf(value)];
}
