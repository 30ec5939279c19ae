/** What the tables and indexes are called and which numbers they have in keys and ids. */

/** A declared index. `fields` does not name the implicit last fields `_creationTime` and `_id`. */
export type IndexInfo = { readonly id: number; readonly name: string; readonly fields: readonly string[] };

/** The tables of the app are in the namespace "", those of a component in the one of its path, such as "a/b". */
export type Namespace = string;

export const ROOT: Namespace = "";

export type TableInfo = {
  readonly namespace: Namespace;
  readonly name: string;
  /** Names it among the tables of all namespaces. */
  readonly key: string;
  /** No other table of any namespace has it. */
  readonly number: number;
  /** What the keys of its documents carry: its number, until another set of documents took the place of its own. */
  readonly tablet: number;
  /** The index over `_creationTime` alone, in which full table scans go. */
  readonly byCreationTime: IndexInfo;
  readonly indexes: ReadonlyMap<string, IndexInfo>;
};

/** Table numbers of user tables start here, as in Convex; the numbers below are for system tables. */
const FIRST_USER_TABLE_NUMBER = 10_001;

/** System tables that every namespace has; these are their numbers in the app's. They never change: ids carry them. */
const SYSTEM_TABLES: readonly (readonly [name: string, number: number])[] = [
  ["_scheduled_functions", 513],
  ["_storage", 514],
];

/** The system tables of components are numbered from here on. */
const FIRST_COMPONENT_SYSTEM_NUMBER = 600;

export const BY_CREATION_TIME = "by_creation_time";
export const BY_ID = "by_id";

/** Tablets that are not called as their tables are numbered from here on. Table numbers never come so far. */
export const FIRST_TABLET = 2 ** 31;

type CatalogJson = {
  nextTableNumber: number;
  nextIndexId: number;
  /** Not there as long as no component has been. */
  nextSystemNumber?: number;
  /** Not there as long as no table has another tablet than its number. */
  nextTablet?: number;
  tables: {
    /** Not there in the app's own. */
    namespace?: Namespace;
    name: string;
    number: number;
    /** Not there as long as it is the number. */
    tablet?: number;
    byCreationTime: number;
    indexes: IndexInfo[];
  }[];
};

type Tables = ReadonlyMap<string, TableInfo>;

/** What the next table or index is to have. */
type Next = {
  readonly tableNumber: number;
  readonly systemNumber: number;
  readonly indexId: number;
  readonly tablet: number;
};

/** An immutable catalog: a change gives a new one, so that an aborted transaction leaves nothing behind. */
export class Catalog {
  readonly #byNumber: ReadonlyMap<number, TableInfo>;
  readonly #byTablet: ReadonlyMap<number, TableInfo>;

  private constructor(
    private readonly namespaces: ReadonlyMap<Namespace, Tables>,
    private readonly next: Next,
  ) {
    const tables = [...this.allTables()];
    this.#byNumber = new Map(tables.map((table) => [table.number, table]));
    this.#byTablet = new Map(tables.map((table) => [table.tablet, table]));
  }

  /** The catalog of a new deployment. */
  static empty(): Catalog {
    let indexId = 1;
    const tables = new Map<string, TableInfo>();
    for (const [name, number] of SYSTEM_TABLES) tables.set(name, newTable(ROOT, name, number, indexId++));
    return new Catalog(new Map([[ROOT, tables]]), {
      tableNumber: FIRST_USER_TABLE_NUMBER,
      systemNumber: FIRST_COMPONENT_SYSTEM_NUMBER,
      indexId,
      tablet: FIRST_TABLET,
    });
  }

  static parse(text: string): Catalog {
    const json = JSON.parse(text) as CatalogJson;
    const namespaces = new Map<Namespace, Map<string, TableInfo>>();
    for (const table of json.tables) {
      const { namespace = ROOT, name, number, tablet = number, byCreationTime, indexes } = table;
      const tables = namespaces.get(namespace) ?? new Map<string, TableInfo>();
      tables.set(name, {
        ...newTable(namespace, name, number, byCreationTime),
        tablet,
        indexes: new Map(indexes.map((index) => [index.name, index])),
      });
      namespaces.set(namespace, tables);
    }
    return new Catalog(namespaces, {
      tableNumber: json.nextTableNumber,
      systemNumber: json.nextSystemNumber ?? FIRST_COMPONENT_SYSTEM_NUMBER,
      indexId: json.nextIndexId,
      tablet: json.nextTablet ?? FIRST_TABLET,
    });
  }

  stringify(): string {
    const { tableNumber, systemNumber, indexId, tablet } = this.next;
    const json: CatalogJson = {
      nextTableNumber: tableNumber,
      nextIndexId: indexId,
      ...(systemNumber === FIRST_COMPONENT_SYSTEM_NUMBER ? {} : { nextSystemNumber: systemNumber }),
      ...(tablet === FIRST_TABLET ? {} : { nextTablet: tablet }),
      tables: [...this.allTables()].map((table) => ({
        ...(table.namespace === ROOT ? {} : { namespace: table.namespace }),
        name: table.name,
        number: table.number,
        ...(table.tablet === table.number ? {} : { tablet: table.tablet }),
        byCreationTime: table.byCreationTime.id,
        indexes: [...table.indexes.values()],
      })),
    };
    return JSON.stringify(json);
  }

  table(namespace: Namespace, name: string): TableInfo | undefined {
    return this.namespaces.get(namespace)?.get(name);
  }

  tableByNumber(number: number): TableInfo | undefined {
    return this.#byNumber.get(number);
  }

  tableByTablet(tablet: number): TableInfo | undefined {
    return this.#byTablet.get(tablet);
  }

  /**
   * The name of a table as one namespace knows it, or undefined when it is another one's. System tables are there in all of
   * them under the same names.
   */
  tableName(namespace: Namespace, number: number): string | undefined {
    const table = this.#byNumber.get(number);
    return table && (table.namespace === namespace || isSystem(table)) ? table.name : undefined;
  }

  *allTables(): Generator<TableInfo, void, undefined> {
    for (const tables of this.namespaces.values()) yield* tables.values();
  }

  /** The tables of one namespace. */
  tables(namespace: Namespace): Iterable<TableInfo> {
    return this.namespaces.get(namespace)?.values() ?? [];
  }

  /** Adds a namespace with the tables that every one has. */
  withNamespace(namespace: Namespace): Catalog {
    if (this.namespaces.has(namespace)) return this;
    let { systemNumber, indexId } = this.next;
    const tables = new Map<string, TableInfo>();
    for (const [name] of SYSTEM_TABLES) {
      tables.set(name, newTable(namespace, name, systemNumber++, indexId++));
    }
    if (systemNumber > FIRST_USER_TABLE_NUMBER) throw new Error("There are too many components");
    return new Catalog(new Map(this.namespaces).set(namespace, tables), {
      ...this.next,
      systemNumber,
      indexId,
    });
  }

  withTable(namespace: Namespace, name: string): Catalog {
    if (this.table(namespace, name)) return this;
    const { tableNumber, indexId } = this.next;
    const table = newTable(namespace, name, tableNumber, indexId);
    return this.#with(table, { ...this.next, tableNumber: tableNumber + 1, indexId: indexId + 1 });
  }

  /** The id that the next new index gets. */
  get nextIndexId(): number {
    return this.next.indexId;
  }

  get nextTablet(): number {
    return this.next.tablet;
  }

  get nextTableNumber(): number {
    return this.next.tableNumber;
  }

  /** Keeps the ids, tablets and numbers below those given for what is still to be built. */
  reserving({
    nextIndexId = this.nextIndexId,
    nextTablet = this.nextTablet,
    nextTableNumber = this.nextTableNumber,
  }): Catalog {
    const next = { indexId: nextIndexId, tablet: nextTablet, tableNumber: nextTableNumber };
    return new Catalog(this.namespaces, { ...this.next, ...next });
  }

  /** Puts tables in the places of those with the same names. No two tables may have the same number then. */
  withTables(replacing: readonly TableInfo[]): Catalog {
    let { tableNumber } = this.next;
    const namespaces = new Map(this.namespaces);
    for (const table of replacing) {
      tableNumber = Math.max(tableNumber, table.number + 1);
      namespaces.set(table.namespace, new Map(namespaces.get(table.namespace)).set(table.name, table));
    }
    const changed = new Catalog(namespaces, { ...this.next, tableNumber });
    if (changed.#byNumber.size < [...changed.allTables()].length)
      throw new Error("Two tables have the same number");
    return changed;
  }

  /** Replaces a table's indexes. */
  withIndexes(namespace: Namespace, name: string, indexes: readonly IndexInfo[]): Catalog {
    const table = this.table(namespace, name);
    if (!table) throw new Error(`No table ${name}`);
    const byName = new Map(indexes.map((index) => [index.name, index]));
    return this.#with({ ...table, indexes: byName }, this.next);
  }

  #with(table: TableInfo, next: Next): Catalog {
    const tables = new Map(this.namespaces.get(table.namespace)).set(table.name, table);
    return new Catalog(new Map(this.namespaces).set(table.namespace, tables), next);
  }
}

/** What a table is known by among those of all namespaces, whether it is there or not. */
export function tableKey(namespace: Namespace, name: string): string {
  return namespace === ROOT ? name : `${namespace}:${name}`;
}

/** Whether a table is the runtime's own, which functions only read. */
export function isSystem({ name }: Pick<TableInfo, "name">): boolean {
  return name.startsWith("_");
}

function newTable(namespace: Namespace, name: string, number: number, indexId: number): TableInfo {
  return {
    namespace,
    name,
    key: tableKey(namespace, name),
    number,
    tablet: number,
    byCreationTime: { id: indexId, name: BY_CREATION_TIME, fields: [] },
    indexes: new Map(),
  };
}
