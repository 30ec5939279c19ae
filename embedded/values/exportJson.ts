/**
 * The JSON of snapshots: integers as plain digits, floats always with a dot or an exponent, so that the two can be told apart;
 * everything else as in the encoding of the wire.
 */
import { floatOf, int64Json, int64Of, isInt64, isObject, isSpecialFloat, type Json } from "./json";

/** A value as a line of a snapshot has it. */
export function toExportJson(json: Json): string {
  if (typeof json === "number") return floatText(json);
  if (Array.isArray(json)) return `[${json.map(toExportJson).join(",")}]`;
  if (isInt64(json)) return int64Of(json).toString();
  if (isSpecialFloat(json)) {
    return Object.is(floatOf(json), -0) ? "-0.0" : JSON.stringify(json);
  }
  if (!isObject(json)) return JSON.stringify(json);
  const fields = Object.entries(json).map(
    ([name, value]) => `${JSON.stringify(name)}:${toExportJson(value)}`,
  );
  return `{${fields.join(",")}}`;
}

function floatText(value: number): string {
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/** Reads what {@link toExportJson} has written. Throws a `SyntaxError` for what is no JSON. */
export function parseExportJson(text: string): Json {
  return JSON.parse(
    text.replace(TOKENS, (token) => {
      if (token.startsWith('"')) return token;
      if (/^-?(0|[1-9]\d*)$/.test(token)) {
        const integer = BigInt(token);
        if (integer >= MIN_INT64 && integer <= MAX_INT64) return JSON.stringify(int64Json(integer));
      }
      return Object.is(Number(token), -0) ? NEGATIVE_ZERO : token;
    }),
  ) as Json;
}

const NEGATIVE_ZERO = JSON.stringify({
  $float: Buffer.from(new Float64Array([-0]).buffer).toString("base64"),
});

/** The encoding of a float that is neither infinite nor NaN. */
export function toFloatJson(value: number): Json {
  return Object.is(value, -0) ? (JSON.parse(NEGATIVE_ZERO) as Json) : value;
}

/** Reads JSON that people have written: its numbers are floats, also those without a dot. Throws a `SyntaxError`. */
export function parsePlainJson(text: string): Json {
  return JSON.parse(text, (_name, value: Json) =>
    typeof value === "number" ? toFloatJson(value) : value,
  ) as Json;
}
