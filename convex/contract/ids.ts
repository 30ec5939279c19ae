import * as z from "zod";
import { text } from "./text";

/** Id of a document of one table. The type only: at run time an id is a string. */
export type Id<Table extends string> = string & { __tableName: Table };

/** A zod schema for an id, in the type by which `convex-helpers` knows one, so that clients get typed ids. */
type IdSchema<Table extends string> = z.ZodCustom<Id<Table>, string> & z.core.$ZodRecordKey;

/** Which schemas are ids, and of which table. */
export const idTables = z.registry<{ table: string }>();

/**
 * An id as it arrives from a client: any text. Whether it names a document of `table` is decided by the model with
 * `ctx.db.normalizeId`, so that a malformed or foreign id gives the same error code, or the same reason of one list
 * entry, as an unknown one. So does one that is too long; what bounds its length is the size of a request.
 */
export function id<Table extends string>(table: Table): IdSchema<Table> {
  const schema = text().describe(idDescription(table));
  idTables.add(schema, { table });
  return schema as unknown as IdSchema<Table>;
}

function idDescription(table: string): string {
  return `ID from table "${table}"`;
}
