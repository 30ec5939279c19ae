/**
 * Which schemas the stored documents are known to fit. It is written with the commit that puts a schema into force, and from then on
 * every write is checked against that one: so a start with the same schema need not read a single document.
 */
import type { Database } from "../transaction/database";
import { metaKey } from "../transaction/keys";
import type { ComponentPath } from "./loadedApp";
import type { DocumentTypes, Schema } from "./schema";

type Fitting = Readonly<Record<ComponentPath, DocumentTypes>>;

const KEY = metaKey("fittingSchemas");

/** What the documents of a component are known to fit. */
export function fittingTypes(database: Database, path: ComponentPath): DocumentTypes {
  const fitting = JSON.parse(database.get(KEY) ?? "{}") as Fitting;
  return fitting[path] ?? {};
}

/** What is to be written when all documents fit these schemas; nothing if that is known. */
export function fittingWrites(
  database: Database,
  components: ReadonlyMap<ComponentPath, { readonly schema: Schema }>,
): [string, string][] {
  const fitting: Fitting = Object.fromEntries(
    [...components].map(([path, { schema }]) => [path, schema.types]),
  );
  const text = JSON.stringify(fitting);
  return text === database.get(KEY) ? [] : [[KEY, text]];
}

/** From now on documents are written that nothing checks. */
export function forgetFitting(database: Database): void {
  if (database.get(KEY) !== undefined) database.commit([[KEY, null]]);
}
