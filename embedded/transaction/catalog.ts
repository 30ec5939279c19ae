/** What the tables and indexes are called and which numbers they have in keys and ids. */

/** A declared index. `fields` does not name the implicit last fields `_creationTime` and `_id`. */
export type IndexInfo = { readonly id: number; readonly name: string; readonly fields: readonly string[] };

export type TableInfo = {
  readonly name: string;
  readonly number: number;
  /** The index over `_creationTime` alone, in which full table scans go. */
  readonly byCreationTime: IndexInfo;
  readonly indexes: ReadonlyMap<string, IndexInfo>;
};

/** Table numbers of user tables start here, as in Convex; the numbers below are for system tables. */
const FIRST_USER_TABLE_NUMBER = 10_001;

/** System tables that exist in every deployment. Their numbers never change: ids carry them. */
const SYSTEM_TABLES: readonly (readonly [name: string, number: number])[] = [
  ["_scheduled_functions", 513],
  ["_storage", 514],
];

export const BY_CREATION_TIME = "by_creation_time";
export const BY_ID = "by_id";

type CatalogJson = {
  nextTableNumber: number;
  nextIndexId: number;
  tables: { name: string; number: number; byCreationTime: number; indexes: IndexInfo[] }[];
};

/** An immutable catalog: a change gives a new one, so that an aborted transaction leaves nothing behind. */
export class Catalog {
  readonly #byNumber: ReadonlyMap<number, TableInfo>;

  private constructor(
    private readonly tables: ReadonlyMap<string, TableInfo>,
    private readonly nextTableNumber: number,
    /** The id that the next new index gets. */
    readonly nextIndexId: number,
  ) {
    this.#byNumber = new Map([...tables.values()].map((table) => [table.number, table]));
  }

  /** The catalog of a new deployment. */
  static empty(): Catalog {
    let nextIndexId = 1;
    const tables = new Map<string, TableInfo>();
    for (const [name, number] of SYSTEM_TABLES) tables.set(name, newTable(name, number, nextIndexId++));
    return new Catalog(tables, FIRST_USER_TABLE_NUMBER, nextIndexId);
  }

  static parse(text: string): Catalog {
    const json = JSON.parse(text) as CatalogJson;
    const tables = new Map<string, TableInfo>();
    for (const { name, number, byCreationTime, indexes } of json.tables) {
      tables.set(name, {
        ...newTable(name, number, byCreationTime),
        indexes: new Map(indexes.map((index) => [index.name, index])),
      });
    }
    return new Catalog(tables, json.nextTableNumber, json.nextIndexId);
  }

  stringify(): string {
    const json: CatalogJson = {
      nextTableNumber: this.nextTableNumber,
      nextIndexId: this.nextIndexId,
      tables: [...this.tables.values()].map((table) => ({
        name: table.name,
        number: table.number,
        byCreationTime: table.byCreationTime.id,
        indexes: [...table.indexes.values()],
      })),
    };
    return JSON.stringify(json);
  }

  table(name: string): TableInfo | undefined {
    return this.tables.get(name);
  }

  tableByNumber(number: number): TableInfo | undefined {
    return this.#byNumber.get(number);
  }

  allTables(): Iterable<TableInfo> {
    return this.tables.values();
  }

  withTable(name: string): Catalog {
    if (this.tables.has(name)) return this;
    const tables = new Map(this.tables).set(name, newTable(name, this.nextTableNumber, this.nextIndexId));
    return new Catalog(tables, this.nextTableNumber + 1, this.nextIndexId + 1);
  }

  /** Keeps the ids below `nextIndexId` for indexes that are still to be built. */
  withNextIndexId(nextIndexId: number): Catalog {
    return new Catalog(this.tables, this.nextTableNumber, nextIndexId);
  }

  /** Replaces a table's indexes. */
  withIndexes(name: string, indexes: readonly IndexInfo[]): Catalog {
    const table = this.tables.get(name);
    if (!table) throw new Error(`No table ${name}`);
    const byName = new Map(indexes.map((index) => [index.name, index]));
    return new Catalog(
      new Map(this.tables).set(name, { ...table, indexes: byName }),
      this.nextTableNumber,
      this.nextIndexId,
    );
  }
}

function newTable(name: string, number: number, indexId: number): TableInfo {
  return {
    name,
    number,
    byCreationTime: { id: indexId, name: BY_CREATION_TIME, fields: [] },
    indexes: new Map(),
  };
}
