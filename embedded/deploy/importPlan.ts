/** Which tables an import makes, out of which numbers and index ids, before anything is written. */
import type { TableNames } from "../functions/validate";
import {
  BY_CREATION_TIME,
  tableKey,
  type IndexInfo,
  type Namespace,
  type TableInfo,
} from "../transaction/catalog";
import type { Database } from "../transaction/database";
import { rangeOfPrefix, tablePrefix } from "../transaction/keys";
import { tableNumberOf } from "../values/ids";
import { isObject, type Json } from "../values/json";
import { ImportError, type ImportSource } from "./importSource";

export type ImportMode = "requireEmpty" | "append" | "replace" | "replaceAll";

export type ImportPlan = {
  /** By {@link tableKey}: tables that are filled apart and then put in the places of those of the same names. */
  readonly staged: ReadonlyMap<string, TableInfo>;
  /** What the staged tables take the places of, as it is now. */
  readonly replaced: readonly TableInfo[];
  /** The tables as one namespace will know them. */
  names(namespace: Namespace): TableNames;
};

type Wanted = { readonly namespace: Namespace; readonly name: string; number: number | null };

/** Makes a plan and reserves what it takes. Throws {@link ImportError}. */
export async function planImport(
  database: Database,
  source: ImportSource,
  mode: ImportMode,
): Promise<ImportPlan> {
  const { catalog } = database;
  const wanted = new Map<string, Wanted>();
  for (const { namespace, table: name, documents } of source.tables) {
    const existing = catalog.table(namespace, name);
    const isEmpty = !existing || isEmptyTable(database, existing);
    if (mode === "requireEmpty" && !isEmpty) {
      throw new ImportError(
        `Table ${name} already exists. Please choose a new table name or use replace/append modes.`,
      );
    }
    if (mode === "append" && !isEmpty) continue;
    const key = tableKey(namespace, name);
    const number = source.numbers.get(key) ?? (await numberOfFirst(documents())) ?? existing?.number ?? null;
    wanted.set(key, { namespace, name, number });
  }
  if (mode === "replaceAll") {
    const imported = new Set([...wanted.values()].map(({ number }) => number));
    for (const { namespace, name, key, number } of catalog.allTables()) {
      if (name.startsWith("_") || wanted.has(key)) continue;
      // A table that is emptied can do with any number.
      wanted.set(key, { namespace, name, number: imported.has(number) ? null : number });
    }
  }
  makeWay(database, wanted);

  let { nextIndexId, nextTablet, nextTableNumber } = catalog;
  for (const { number } of wanted.values()) nextTableNumber = Math.max(nextTableNumber, (number ?? 0) + 1);
  const index = ({ name, fields }: Omit<IndexInfo, "id">) => ({ id: nextIndexId++, name, fields });
  const staged = new Map<string, TableInfo>();
  for (const [key, { namespace, name, number }] of wanted) {
    const existing = catalog.table(namespace, name);
    staged.set(key, {
      namespace,
      name,
      key,
      number: number ?? nextTableNumber++,
      tablet: nextTablet++,
      byCreationTime: index({ name: BY_CREATION_TIME, fields: [] }),
      indexes: new Map([...(existing?.indexes.values() ?? [])].map((old) => [old.name, index(old)])),
    });
  }
  if (staged.size > 0) database.commit([], catalog.reserving({ nextIndexId, nextTablet, nextTableNumber }));
  const replaced = [...wanted.values()].flatMap(
    ({ namespace, name }) => catalog.table(namespace, name) ?? [],
  );
  return { staged, replaced, names: (namespace) => namesAfter(database, staged, namespace) };
}

/** Gives other numbers to empty tables that have those of imported ones. Throws {@link ImportError} if they are not empty. */
function makeWay(database: Database, wanted: Map<string, Wanted>): void {
  const { catalog } = database;
  const taken = new Map<number, string>();
  for (const { name, number } of wanted.values()) {
    if (number === null) continue;
    const other = taken.get(number);
    if (other !== undefined) throw conflict(other, name, number);
    taken.set(number, name);
  }
  for (const [number, name] of taken) {
    const other = catalog.tableByNumber(number);
    if (!other || wanted.has(other.key)) continue;
    if (other.name.startsWith("_") || !isEmptyTable(database, other))
      throw conflict(other.name, name, number);
    wanted.set(other.key, { namespace: other.namespace, name: other.name, number: null });
  }
}

function conflict(one: string, other: string, number: number): ImportError {
  return new ImportError(`conflict between \`${one}\` and \`${other}\` with number ${number}`);
}

async function numberOfFirst(documents: AsyncIterable<Json>): Promise<number | null> {
  for await (const first of documents) {
    const id = isObject(first) ? first["_id"] : undefined;
    return typeof id === "string" ? tableNumberOf(id) : null;
  }
  return null;
}

function isEmptyTable(database: Database, { tablet }: TableInfo): boolean {
  const { start, end } = rangeOfPrefix(tablePrefix(tablet));
  return database.scan(start, end, "asc").next().done === true;
}

function namesAfter(
  database: Database,
  staged: ReadonlyMap<string, TableInfo>,
  namespace: Namespace,
): TableNames {
  const numbers = new Map([...staged.values()].map((table) => [table.number, table]));
  return {
    tableName: (number) => {
      const table = numbers.get(number);
      if (table) return table.namespace === namespace ? table.name : undefined;
      const kept = database.catalog.tableName(namespace, number);
      return kept === undefined || staged.has(tableKey(namespace, kept)) ? undefined : kept;
    },
  };
}
