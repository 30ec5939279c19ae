/** The keys of documents in indexes. */
import { areParts, SheafLayout, type Sheaf } from "../storage/sheaf";
import { fieldAt } from "../values/fields";
import type { JsonObject } from "../values/json";
import { encodeKeyPart } from "../values/keyEncoding";
import type { IndexInfo, TableInfo } from "./catalog";
import { indexEntryKey, indexPrefix } from "./keys";

/** The key of a document's entry in an index. `end`: see `indexEntryEnd`. */
export function entryOf(index: IndexInfo, document: JsonObject, end: string): string {
  const fields = index.fields.map((path) => fieldAt(document, path));
  return indexEntryKey(indexPrefix(index.id), fields, end);
}

/** The paths of the fields in a table's indexes, each once, and of each index its prefix and the places of its fields among these. */
type Plan = {
  readonly paths: readonly string[];
  readonly hasSystemFields: boolean;
  readonly indexes: readonly { readonly prefix: string; readonly fields: readonly number[] }[];
  /** Of a document's entries, whose last part is what all of them end in. `null`: they are not to be in a sheaf. */
  readonly layout: SheafLayout | null;
  /** Of each path the last text that a document had there, and its part of a key: of many documents in a row most fields are alike. */
  readonly last: KnownPart[];
};

type KnownPart = { readonly value: string; readonly part: string };

const plans = new WeakMap<TableInfo, Plan>();

function planOf(table: TableInfo): Plan {
  let plan = plans.get(table);
  if (plan === undefined) {
    const indexes = [table.byCreationTime, ...table.indexes.values()];
    // The fields of the longest index are neighbours in a sheaf, where that is quicker to look at.
    const longestFirst = indexes.toSorted((a, b) => b.fields.length - a.fields.length);
    const paths = [...new Set(longestFirst.flatMap(({ fields }) => fields))];
    const entries = indexes.map(({ id, fields }) => ({
      prefix: indexPrefix(id),
      fields: fields.map((path) => paths.indexOf(path)),
    }));
    const keys = entries.map(({ prefix, fields }) => ({ prefix, parts: [...fields, paths.length] }));
    plan = {
      paths,
      hasSystemFields: paths.some((path) => path.startsWith("_")),
      indexes: entries,
      // One key takes less by itself.
      layout: keys.length > 1 ? SheafLayout.of(paths.length + 1, keys) : null,
      last: paths.map(() => ({ value: "", part: encodeKeyPart("") })),
    };
    plans.set(table, plan);
  }
  return plan;
}

/**
 * The keys of a document's entries in all indexes of its table: in that of the creation times, then in the others in their
 * order. What several indexes have is encoded once.
 */
export function entriesOf(table: TableInfo, document: JsonObject, end: string): string[] {
  const plan = planOf(table);
  const { indexes } = plan;
  const parts = partsOf(plan, document);
  const entries: string[] = [];
  for (const { prefix, fields } of indexes) entries.push(joined(prefix, fields, parts) + end);
  return entries;
}

/** The same of a new document; `null`: they can't be in a sheaf. */
export function sheafOf(table: TableInfo, document: JsonObject, end: string): Sheaf | null {
  const plan = planOf(table);
  const { layout } = plan;
  if (layout === null) return null;
  const parts = partsOf(plan, document);
  parts.push(end);
  return areParts(parts) ? { layout, parts } : null;
}

/** The same of a document before and after a change. Where nothing has changed, nothing is encoded twice. */
export function changedEntriesOf(
  table: TableInfo,
  { before, after }: { readonly before: JsonObject; readonly after: JsonObject },
  end: string,
): { readonly old: string; readonly new: string }[] {
  const { paths, indexes } = planOf(table);
  const parts: string[] = [];
  const oldParts: string[] = [];
  for (const path of paths) {
    const value = fieldAt(after, path);
    const oldValue = fieldAt(before, path);
    const part = encodeKeyPart(value);
    parts.push(part);
    oldParts.push(value === oldValue ? part : encodeKeyPart(oldValue));
  }
  return indexes.map(({ prefix, fields }) => {
    const entry = joined(prefix, fields, parts) + end;
    const isSame = fields.every((field) => parts[field] === oldParts[field]);
    return { old: isSame ? entry : joined(prefix, fields, oldParts) + end, new: entry };
  });
}

function partsOf({ paths, last }: Plan, document: JsonObject): string[] {
  const parts: string[] = [];
  for (let i = 0; i < paths.length; i++) {
    const value = fieldAt(document, paths[i] as string);
    if (typeof value !== "string") parts.push(encodeKeyPart(value));
    else {
      // Another object, as who inserts may be cut off between its two fields.
      if (last[i]?.value !== value) last[i] = { value, part: encodeKeyPart(value) };
      parts.push((last[i] as KnownPart).part);
    }
  }
  return parts;
}

/** Whether an index names one of the system's fields, beside those that all have. */
export function indexesSystemFields(table: TableInfo): boolean {
  return planOf(table).hasSystemFields;
}

function joined(prefix: string, fields: readonly number[], parts: readonly string[]): string {
  let key = prefix;
  for (let i = 0; i < fields.length; i++) key += parts[fields[i] as number] as string;
  return key;
}
