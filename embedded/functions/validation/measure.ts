import type { ValidatorJSON } from "convex/values";
import type { FieldRule, Measure } from "../../transaction/documentText";
import {
  legalSize,
  MAX_ARRAY_LENGTH,
  MAX_DOCUMENT_NESTING,
  MAX_OBJECT_FIELDS,
  type Json,
  type JsonObject,
} from "../../values/json";
import { NUMBER_SIZE, sizeOf, textSize } from "../../values/size";
import type { TableNames } from "../validate";
import { compileAccept } from "./accept";

/** What is to be looked at elsewhere. */
const UNKNOWN = -1;

/** The fields of a validator of objects, in the order of their names; `undefined` for any other. */
export function fieldRules(validator: ValidatorJSON, tables: TableNames): FieldRule[] | undefined {
  return validator.type === "object" ? rulesOf(validator, tables, 0) : undefined;
}

/** @param depth how many objects and arrays the values are in */
function compileMeasure(validator: ValidatorJSON, tables: TableNames, depth: number): Measure {
  switch (validator.type) {
    case "string":
      return (value) => (typeof value === "string" ? textSize(value) : UNKNOWN);
    case "number":
      return (value) => (typeof value === "number" && Number.isFinite(value) ? NUMBER_SIZE : UNKNOWN);
    case "array":
      return depth < MAX_DOCUMENT_NESTING
        ? measureArray(compileMeasure(validator.value, tables, depth + 1))
        : () => UNKNOWN;
    case "object":
      return depth < MAX_DOCUMENT_NESTING ? measureObject(rulesOf(validator, tables, depth)) : () => UNKNOWN;
    case "union":
      return measureUnion(validator.value, tables, depth);
    default: {
      const accept = compileAccept(validator, tables);
      return (value) => (accept(value) ? legalSize(value, depth) : UNKNOWN);
    }
  }
}

function rulesOf(
  validator: ValidatorJSON & { type: "object" },
  tables: TableNames,
  depth: number,
): FieldRule[] {
  return Object.entries(validator.value)
    .map(([name, { fieldType, optional }]) => ({
      name,
      optional,
      measure: compileMeasure(fieldType, tables, depth + 1),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function measureArray(element: Measure): Measure {
  return (value) => {
    if (!Array.isArray(value) || value.length > MAX_ARRAY_LENGTH) return UNKNOWN;
    let size = 2;
    for (let i = 0; i < value.length; i++) {
      const elementSize = element(value[i] as Json);
      if (elementSize < 0) return UNKNOWN;
      size += elementSize;
    }
    return size;
  };
}

/** Of objects whose fields are in order, as those are that a function has made. */
function measureObject(rules: readonly FieldRule[]): Measure {
  if (rules.length > MAX_OBJECT_FIELDS) return () => UNKNOWN;
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return UNKNOWN;
    let size = 2;
    let at = 0;
    for (const name in value) {
      let rule = rules[at++];
      while (rule !== undefined && rule.name !== name) {
        if (!rule.optional) return UNKNOWN;
        rule = rules[at++];
      }
      if (rule === undefined) return UNKNOWN;
      const fieldSize = rule.measure((value as JsonObject)[name] as Json);
      if (fieldSize < 0) return UNKNOWN;
      size += name.length + 1 + fieldSize;
    }
    for (; at < rules.length; at++) if (rules[at]?.optional === false) return UNKNOWN;
    return size;
  };
}

function measureUnion(members: readonly ValidatorJSON[], tables: TableNames, depth: number): Measure {
  const literals = new Map<Json, number>();
  for (const member of members) {
    if (member.type === "literal" && typeof member.value !== "object")
      literals.set(member.value, sizeOf(member.value));
  }
  if (literals.size === members.length) return (value) => literals.get(value) ?? UNKNOWN;
  const measures = members.map((member) => compileMeasure(member, tables, depth));
  return (value) => {
    for (let i = 0; i < measures.length; i++) {
      const size = (measures[i] as Measure)(value);
      if (size >= 0) return size;
    }
    return UNKNOWN;
  };
}
