import type { ValidatorJSON } from "convex/values";
import {
  floatOf,
  int64Of,
  isFloat64,
  kindOf,
  type BytesJson,
  type CommitTsJson,
  type Int64Json,
  type Json,
  type JsonObject,
  type SpecialFloatJson,
} from "../../values/json";

/** A validator as Convex's messages write it: `v.object({a: v.optional(v.float64())})`. */
export function printValidator(validator: ValidatorJSON): string {
  switch (validator.type) {
    case "number":
      return "v.float64()";
    case "bigint":
      return "v.int64()";
    case "literal":
      return `v.literal(${printLiteral(validator.value)})`;
    case "id":
      return `v.id("${validator.tableName}")`;
    case "array":
      return `v.array(${printValidator(validator.value)})`;
    case "record":
      return `v.record(${printValidator(validator.keys)}, ${printValidator(validator.values.fieldType)})`;
    case "union":
      return `v.union(${validator.value.map(printValidator).join(", ")})`;
    case "object":
      return `v.object({${entriesByName(validator.value)
        .map(([name, { fieldType, optional }]) => {
          const field = printValidator(fieldType);
          return `${name}: ${optional ? `v.optional(${field})` : field}`;
        })
        .join(", ")}})`;
    default:
      return `v.${validator.type}()`;
  }
}

/** What stands between the parentheses of `v.literal(...)`. */
export function printLiteral(literal: Json): string {
  if (isFloat64(literal)) return printFloat(floatOf(literal), SMALLEST_DECIMAL_IN_JSON);
  return typeof literal === "object" ? "<bigint>" : JSON.stringify(literal);
}

/** A value as Convex's messages write it: `{a: 1.0, b: "x", c: [7, null], d: b"AAAA"}`, where 7 is an int64. */
export function printValue(value: Json | undefined): string {
  if (value === undefined) return "undefined";
  switch (kindOf(value)) {
    case "null":
    case "boolean":
      return JSON.stringify(value);
    case "int64":
      return String(int64Of(value as Int64Json | CommitTsJson));
    case "float64":
      return printFloat(floatOf(value as number | SpecialFloatJson), SMALLEST_DECIMAL);
    case "string":
      return printString(value as string);
    case "bytes":
      return `b"${(value as BytesJson).$bytes}"`;
    case "array":
      return `[${(value as Json[]).map(printValue).join(", ")}]`;
    case "object":
      return `{${entriesByName(value as JsonObject)
        .map(([name, field]) => `${name}: ${printValue(field)}`)
        .join(", ")}}`;
  }
}

function entriesByName<T>(object: Record<string, T>): [string, T][] {
  return Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** From here up to 1e16 floats are printed without an exponent: where values are printed, and in JSON. */
const SMALLEST_DECIMAL = 1e-4;
const SMALLEST_DECIMAL_IN_JSON = 1e-5;

/** Rust prints a float with a fraction or an exponent, always: 1.0, 1e16, 2.5e-7. */
function printFloat(float: number, smallestDecimal: number): string {
  if (Number.isNaN(float)) return "NaN";
  if (!Number.isFinite(float)) return float > 0 ? "inf" : "-inf";
  if (float === 0) return Object.is(float, -0) ? "-0.0" : "0.0";
  const size = Math.abs(float);
  if (size >= 1e16 || size < smallestDecimal) return float.toExponential().replace("e+", "e");
  if (Number.isInteger(float)) return `${float}.0`;
  // JavaScript turns to exponents below 1e-6 only.
  return String(float);
}

// What Rust's Debug escapes in a string: it prints neither of these, nor marks that would join the quote before them.
const ESCAPED = /["\\]|(?! )[\p{C}\p{Z}\p{Grapheme_Extend}]/gu;

function printString(text: string): string {
  const escaped = text.replace(ESCAPED, (character) => {
    switch (character) {
      case '"':
      case "\\":
        return `\\${character}`;
      case "\n":
        return "\\n";
      case "\r":
        return "\\r";
      case "\t":
        return "\\t";
      case "\0":
        return "\\0";
      default:
        return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
    }
  });
  return `"${escaped}"`;
}
