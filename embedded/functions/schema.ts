import { createHash } from "node:crypto";
import type { ValidatorJSON } from "convex/values";
import type { JsonObject } from "../values/json";
import type { Inspect, WantedTables } from "../transaction/indexBuild";
import { DocumentFields } from "../transaction/documentText";
import type { DocumentRules } from "../transaction/transaction";
import { compileValidator, type TableNames } from "./validate";
import { fieldRules } from "./validation/measure";

/** What `defineSchema(...).export()` gives, as far as it matters here. */
type ExportedSchema = {
  tables: {
    tableName: string;
    indexes: { indexDescriptor: string; fields: string[] }[];
    documentType: ValidatorJSON | null;
  }[];
  schemaValidation: boolean;
};

/** By the name of the table: digests of what its documents have to be, by which schemas are compared. */
export type DocumentTypes = Readonly<Record<string, string>>;

/** The schema of the app or of a component. Without one, every table and document is allowed and no index is declared. */
export class Schema implements DocumentRules {
  readonly #checks = new Map<string, Inspect>();
  readonly #fields = new Map<string, DocumentFields>();
  /** Of the tables whose documents are checked. */
  readonly types: DocumentTypes;
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
    const types: Record<string, string> = {};
    for (const { tableName, documentType } of schema.tables) {
      if (!schema.schemaValidation || !documentType) continue;
      types[tableName] = createHash("sha256").update(JSON.stringify(documentType)).digest("base64");
      this.#checks.set(tableName, compileValidator(documentType, tables));
      const rules = fieldRules(documentType, tables);
      const fields = rules && DocumentFields.of(rules);
      if (fields) this.#fields.set(tableName, fields);
    }
    this.types = types;
  }

  check(tableName: string, value: JsonObject): string | null {
    const problem = this.#checks.get(tableName)?.(value) ?? null;
    return (
      problem &&
      `Failed to insert or update a document in table "${tableName}" because it does not match the schema: ${problem}`
    );
  }

  fields(tableName: string): DocumentFields | undefined {
    return this.#fields.get(tableName);
  }

  /** The checks that documents have to pass which are known to fit these types. */
  checksAfter(fitting: DocumentTypes): Map<string, Inspect> {
    return new Map([...this.#checks].filter(([table]) => fitting[table] !== this.types[table]));
  }
}

/** Schemas export an index's fields with the implicit `_creationTime` or without, depending on the version. */
function withoutCreationTime(fields: readonly string[]): string[] {
  return fields.at(-1) === "_creationTime" ? fields.slice(0, -1) : [...fields];
}
