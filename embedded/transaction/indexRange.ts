/** Turns the range of an index query into a range of keys. */
import { decodeId } from "../values/ids";
import { isUndefined, type Json } from "../values/json";
import { encodeKeyPart, keySuccessor } from "../values/keyEncoding";
import { RecentMap } from "../values/recentMap";
import { BY_CREATION_TIME, BY_ID, type IndexInfo, type TableInfo } from "./catalog";
import { DeveloperError } from "./errors";
import { INDEX_ENTRY_END_BYTES, indexPrefix, rangeOfPrefix, tablePrefix, type KeyRange } from "./keys";

/** One comparison of a range, as the convex package serializes it. */
export type RangeExpression = { type: "Eq" | "Gt" | "Gte" | "Lt" | "Lte"; fieldPath: string; value: Json };

/** What a query scans. `prefix` is what all of the index's keys start with. */
export type IndexToScan = {
  readonly table: TableInfo;
  /** `by_id` has no entries of its own: the documents are its entries. */
  readonly isById: boolean;
  readonly prefix: string;
  readonly range: KeyRange;
  /** Whether the start of the range says where it ends, and all keys in it begin with that. */
  readonly isOfPrefix: boolean;
  /** How many bytes all keys in the range have behind its start, where that is known: the range fixes all fields of the index. */
  readonly tail: number | undefined;
};

/** The tables that there are, by their names. */
type Tables = { table(name: string): TableInfo | undefined };

const HELP = "For more information see https://docs.convex.dev/using/indexes.";

/** An empty range: its end comes before any key. */
const NOTHING: KeyRange = { start: "", end: "" };

/** The range of a full table scan, or `null` when there is no such table. */
export function fullTableScan(tables: Tables, tableName: string): IndexToScan | null {
  const table = tables.table(tableName);
  if (!table) return null;
  const prefix = indexPrefix(table.byCreationTime.id);
  return { table, isById: false, prefix, range: rangeOfPrefix(prefix), isOfPrefix: false, tail: undefined };
}

/**
 * The range of an index query, or `null` when there is no such table.
 * Throws {@link DeveloperError} when there is no such index or the comparisons do not fit it.
 */
export function indexScan(
  tables: Tables,
  fullIndexName: string,
  expressions: readonly RangeExpression[],
): IndexToScan | null {
  const [tableName, indexName] = partsOf(fullIndexName);
  const table = tables.table(tableName);
  const isById = indexName === BY_ID;
  const declared = table?.indexes.get(indexName);
  if (!declared && !isById && indexName !== BY_CREATION_TIME) {
    throw new DeveloperError(`Index ${fullIndexName} not found.`);
  }
  if (table && declared) {
    const prefix = indexPrefix(declared.id);
    const start = keyOfEqualities(prefix, declared.fields, expressions);
    if (start !== null) {
      const isWhole = expressions.length === declared.fields.length;
      const tail = isWhole ? INDEX_ENTRY_END_BYTES : undefined;
      return { table, isById: false, prefix, range: { start, end: `${start}\xff` }, isOfPrefix: true, tail };
    }
  }
  const index: IndexInfo | undefined = declared ?? table?.byCreationTime;
  const fields = isById ? ["_id"] : [...(index?.fields ?? []), "_creationTime", "_id"];
  const bounds = sortBounds(fullIndexName, fields, expressions);
  if (!table || !index) return null;
  const prefix = isById ? tablePrefix(table.tablet) : indexPrefix(index.id);
  return {
    table,
    isById,
    prefix,
    range: keyRange(prefix, bounds, table),
    isOfPrefix: false,
    tail: undefined,
  };
}

/** The tables and names of indexes that were asked for, by both: so many at most. */
const knownNames = new RecentMap<string, readonly [table: string, index: string]>(1000);

function partsOf(fullIndexName: string): readonly [table: string, index: string] {
  let parts = knownNames.get(fullIndexName);
  if (parts === undefined) {
    const dot = fullIndexName.indexOf(".");
    parts = [fullIndexName.slice(0, dot), fullIndexName.slice(dot + 1)];
    knownNames.set(fullIndexName, parts);
  }
  return parts;
}

/** What most queries ask for: equalities with the first fields of an index, in their order. `null`: it is something else. */
function keyOfEqualities(
  prefix: string,
  fields: readonly string[],
  expressions: readonly RangeExpression[],
): string | null {
  if (expressions.length === 0 || expressions.length > fields.length) return null;
  let key = prefix;
  for (let i = 0; i < expressions.length; i++) {
    const { type, fieldPath, value } = expressions[i] as RangeExpression;
    if (type !== "Eq" || fieldPath !== fields[i] || fieldPath.startsWith("_")) return null;
    key += encodeKeyPart(valueOf(value));
  }
  return key;
}

type Bound = { value: Json | undefined; inclusive: boolean };
type Bounds = {
  equalities: { field: string; value: Json | undefined }[];
  rangeField: string | null;
  lower: Bound | null;
  upper: Bound | null;
};

/** Checks that the comparisons are equalities on a prefix of the index, in any order, then one range. */
function sortBounds(
  indexName: string,
  fields: readonly string[],
  expressions: readonly RangeExpression[],
): Bounds {
  const equalities = new Map<string, Json | undefined>();
  const bounds: Bounds = { equalities: [], rangeField: null, lower: null, upper: null };
  for (const { type, fieldPath, value: json } of expressions) {
    const value = valueOf(json);
    if (type === "Eq") {
      if (equalities.has(fieldPath)) alreadyDefined("equality", fieldPath, "==", equalities.get(fieldPath));
      equalities.set(fieldPath, value);
      continue;
    }
    const side = type === "Lt" || type === "Lte" ? "upper" : "lower";
    const inclusive = type === "Gte" || type === "Lte";
    if (bounds[side] !== null) {
      const sign = `${side === "upper" ? "<" : ">"}${inclusive ? "=" : ""}`;
      alreadyDefined(side, fieldPath, sign, value);
    }
    if (bounds.rangeField !== null && bounds.rangeField !== fieldPath) {
      throw new DeveloperError(
        `Upper and lower bounds in \`range\` can only be applied to a single index field. This query against index ${indexName} attempted to set a range bound on both "${bounds.rangeField}" and "${fieldPath}". Consider using \`filter\` instead. See https://docs.convex.dev/using/indexes for more info.`,
      );
    }
    bounds.rangeField = fieldPath;
    bounds[side] = { value, inclusive };
  }
  if (bounds.rangeField !== null && equalities.has(bounds.rangeField)) {
    alreadyDefined("inequality", bounds.rangeField, "==", equalities.get(bounds.rangeField));
  }
  const used = [...equalities.keys()];
  if (!startsWith(fields, used)) used.sort((a, b) => fields.indexOf(a) - fields.indexOf(b));
  if (bounds.rangeField !== null) used.push(bounds.rangeField);
  if (!startsWith(fields, used)) throw misfit(indexName, fields, used);
  for (const field of used) {
    if (field !== bounds.rangeField) bounds.equalities.push({ field, value: equalities.get(field) });
  }
  return bounds;
}

function startsWith(fields: readonly string[], used: readonly string[]): boolean {
  return used.every((field, i) => fields[i] === field);
}

/** Why comparisons with the `used` fields do not fit the index. */
function misfit(indexName: string, fields: readonly string[], used: readonly string[]): DeveloperError {
  const declared = `[${fields.map((field) => JSON.stringify(field)).join(", ")}]`;
  const unknown = used.find((field) => !fields.includes(field));
  if (unknown !== undefined) {
    return new DeveloperError(
      `The index range included a comparison with "${unknown}", but ${indexName} with fields ${declared} doesn't index this field. ${HELP}`,
    );
  }
  const wrong = used.find((field, i) => fields[i] !== field);
  return new DeveloperError(
    `Tried to query index ${indexName} but the query didn't use the index fields in order.\nIndex fields: ${declared}\nQuery fields: [${used.map((field) => JSON.stringify(field)).join(", ")}]\nFirst incorrect field: ${wrong}\n${HELP}`,
  );
}

function keyRange(
  indexPrefix: string,
  { equalities, rangeField, lower, upper }: Bounds,
  table: TableInfo,
): KeyRange {
  let prefix = indexPrefix;
  const range: { start: string; end: string } = rangeOfPrefix(prefix);
  for (const { field, value } of equalities) {
    const part = encodePart(field, value, table);
    if (part === null) return NOTHING;
    prefix += part;
    range.start = prefix;
    range.end = endOfPart(field, prefix);
  }
  if (rangeField === null) return range;
  if (lower) {
    const part = encodePart(rangeField, lower.value, table);
    if (part === null) return NOTHING;
    range.start = lower.inclusive ? prefix + part : endOfPart(rangeField, prefix + part);
  }
  if (upper) {
    const part = encodePart(rangeField, upper.value, table);
    if (part === null) return NOTHING;
    range.end = upper.inclusive ? endOfPart(rangeField, prefix + part) : prefix + part;
  }
  return range;
}

/**
 * The end of the keys whose first parts are those in `key`, the last of which is of this field. Not all keys that start
 * with `key` are: "a" ends with 00, and so does the beginning of "a\0b", where FF follows. The next part never starts with FF.
 */
function endOfPart(field: string, key: string): string {
  // These two have a fixed length, and an internal id may follow, which starts with anything.
  return field === "_creationTime" || field === "_id" ? keySuccessor(key) : key + "\xff";
}

/** `null`: no document of this table can have this `_id`. */
function encodePart(field: string, value: Json | undefined, table: TableInfo): string | null {
  if (field !== "_id") return encodeKeyPart(value);
  const decoded = typeof value === "string" ? decodeId(value) : null;
  if (decoded === null || decoded.tableNumber !== table.number) return null;
  return decoded.internalId;
}

function valueOf(json: Json): Json | undefined {
  return isUndefined(json) ? undefined : json;
}

function alreadyDefined(kind: string, field: string, sign: string, value: Json | undefined): never {
  throw new DeveloperError(
    `Already defined ${kind} bound in index range. Can't add "${field}" ${sign} ${value === undefined ? "undefined" : JSON.stringify(value)}.`,
  );
}
