import type { ValidatorJSON } from "convex/values";
import { rangeOfPrefix, tablePrefix } from "../transaction/keys";
import { reindex, type WantedIndex } from "../transaction/reindex";
import type { Database } from "../transaction/database";
import type { DocumentCheck } from "../transaction/transaction";
import type { JsonObject } from "../values/json";
import { compileValidator, type Validate } from "./validate";

/** What `defineSchema(...).export()` gives, as far as it matters here. */
type ExportedSchema = {
  tables: {
    tableName: string;
    indexes: { indexDescriptor: string; fields: string[] }[];
    documentType: ValidatorJSON | null;
  }[];
  schemaValidation: boolean;
};

/** An app's schema. Without one, every table and document is allowed and no index is declared. */
export class Schema {
  readonly #checks: ReadonlyMap<string, Validate>;
  readonly #indexes: ReadonlyMap<string, readonly WantedIndex[]>;

  constructor(
    exported: string | null,
    private readonly database: Database,
  ) {
    const schema: ExportedSchema =
      exported === null ? { tables: [], schemaValidation: false } : (JSON.parse(exported) as ExportedSchema);
    const names = { tableName: (number: number) => database.catalog.tableByNumber(number)?.name };
    const checks = new Map<string, Validate>();
    const indexes = new Map<string, readonly WantedIndex[]>();
    for (const { tableName, documentType, indexes: declared } of schema.tables) {
      indexes.set(
        tableName,
        declared.map(({ indexDescriptor, fields }) => ({
          name: indexDescriptor,
          fields: withoutCreationTime(fields),
        })),
      );
      if (schema.schemaValidation && documentType)
        checks.set(tableName, compileValidator(documentType, names));
    }
    this.#checks = checks;
    this.#indexes = indexes;
  }

  /** Checks a document that is about to be written. */
  readonly check: DocumentCheck = (tableName, value) => {
    const problem = this.#checks.get(tableName)?.(value) ?? null;
    return (
      problem &&
      `Failed to insert or update a document in table "${tableName}" because it does not match the schema: ${problem}`
    );
  };

  /**
   * Makes the database fit the schema: checks the documents that are there, creates tables, builds new indexes and drops
   * those that are gone. Throws, and changes nothing, when a document does not match.
   */
  async apply(): Promise<void> {
    this.#checkStored();
    await reindex(this.database, this.#indexes);
  }

  #checkStored(): void {
    for (const [tableName, check] of this.#checks) {
      const table = this.database.catalog.table(tableName);
      if (!table) continue;
      const { start, end } = rangeOfPrefix(tablePrefix(table.number));
      const rows = this.database.scan(start, end, "asc");
      for (let row = rows.next(); !row.done; row = rows.next()) {
        const { _id, _creationTime, ...value } = JSON.parse(row.value[1]) as JsonObject;
        const problem = check(value);
        if (problem !== null) {
          throw new SchemaMismatchError(
            `Document with ID "${_id as string}" in table "${tableName}" does not match the schema: ${problem}`,
          );
        }
      }
    }
  }
}

/** Stored documents do not fit a new schema. The message is Convex's. */
export class SchemaMismatchError extends Error {
  override readonly name = "SchemaMismatchError";
}

/** Schemas export an index's fields with the implicit `_creationTime` or without, depending on the version. */
function withoutCreationTime(fields: readonly string[]): string[] {
  return fields.at(-1) === "_creationTime" ? fields.slice(0, -1) : [...fields];
}
