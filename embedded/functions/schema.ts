import type { ValidatorJSON } from "convex/values";
import type { Inspect, WantedTables } from "../transaction/indexBuild";
import type { DocumentCheck } from "../transaction/transaction";
import { compileValidator, type TableNames } from "./validate";

/** What `defineSchema(...).export()` gives, as far as it matters here. */
type ExportedSchema = {
  tables: {
    tableName: string;
    indexes: { indexDescriptor: string; fields: string[] }[];
    documentType: ValidatorJSON | null;
  }[];
  schemaValidation: boolean;
};

/** The documents of a table. `type`: the validator as text, by which two schemas are compared. */
type Check = { readonly type: string; readonly inspect: Inspect };

/** The schema of the app or of a component. Without one, every table and document is allowed and no index is declared. */
export class Schema {
  readonly #checks = new Map<string, Check>();
  readonly indexes: WantedTables;

  constructor(
    /** What `export()` of the schema gave; `null` without one. */
    readonly exported: string | null,
    tables: TableNames,
  ) {
    const schema: ExportedSchema =
      exported === null ? { tables: [], schemaValidation: false } : (JSON.parse(exported) as ExportedSchema);
    this.indexes = new Map(
      schema.tables.map(({ tableName, indexes }) => [
        tableName,
        indexes.map(({ indexDescriptor, fields }) => ({
          name: indexDescriptor,
          fields: withoutCreationTime(fields),
        })),
      ]),
    );
    for (const { tableName, documentType } of schema.tables) {
      if (!schema.schemaValidation || !documentType) continue;
      this.#checks.set(tableName, {
        type: JSON.stringify(documentType),
        inspect: compileValidator(documentType, tables),
      });
    }
  }

  /** Checks a document that is about to be written. */
  readonly check: DocumentCheck = (tableName, value) => {
    const problem = this.#checks.get(tableName)?.inspect(value) ?? null;
    return (
      problem &&
      `Failed to insert or update a document in table "${tableName}" because it does not match the schema: ${problem}`
    );
  };

  /** The checks that documents have to pass which fit another schema, or (`null`) nobody has checked. */
  checksAfter(other: Schema | null): Map<string, Inspect> {
    const checks = new Map<string, Inspect>();
    for (const [table, { type, inspect }] of this.#checks) {
      if (!other || other.#checks.get(table)?.type !== type) checks.set(table, inspect);
    }
    return checks;
  }
}

/** Schemas export an index's fields with the implicit `_creationTime` or without, depending on the version. */
function withoutCreationTime(fields: readonly string[]): string[] {
  return fields.at(-1) === "_creationTime" ? fields.slice(0, -1) : [...fields];
}
