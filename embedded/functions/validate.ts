import type { ValidatorJSON } from "convex/values";
import type { Json } from "../values/json";
import { compileAccept } from "./validation/accept";
import { checkValidator } from "./validation/check";
import { explain } from "./validation/explain";

/** How a validator of ids learns which table an id belongs to. */
export type TableNames = {
  /** The name of the table with the number, or undefined if there is none; system tables' names start with `_`. */
  tableName(tableNumber: number): string | undefined;
};

/** Null for a value that matches, else Convex's message of why not, over several lines. */
export type Validate = (value: Json | undefined) => string | null;

/**
 * Compiles a validator's JSON, as functions and schemas export it, to a check that allocates nothing for a value
 * that matches. `tables` is asked at each check: tables may come and go after compiling.
 *
 * @throws Error for what is not a legal validator.
 */
export function compileValidator(validator: ValidatorJSON, tables: TableNames): Validate {
  checkValidator(validator);
  const accept = compileAccept(validator, tables);
  return (value) => (accept(value) ? null : explain(validator, value, tables, ""));
}
