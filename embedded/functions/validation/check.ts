import type { ValidatorJSON } from "convex/values";
import { identifierProblem } from "../../values/fields";
import { isBytes, isObject } from "../../values/json";
import { printValidator } from "./print";

/**
 * Rejects a validator that Convex would not deploy.
 *
 * @throws Error with Convex's message.
 */
export function checkValidator(validator: ValidatorJSON): void {
  switch (validator.type) {
    case "array":
      checkValidator(validator.value);
      return;
    case "union":
      validator.value.forEach(checkValidator);
      return;
    case "record":
      checkValidator(validator.keys);
      checkRecordKeys(validator.keys);
      checkValidator(validator.values.fieldType);
      // The types rule it out; what is sent to deploy is not bound by them.
      if (validator.values.optional as boolean) throw new Error("Records cannot have optional values");
      return;
    case "object":
      for (const [name, field] of Object.entries(validator.value)) {
        const problem = identifierProblem(name);
        if (problem !== null) throw new Error(problem);
        try {
          checkValidator(field.fieldType);
        } catch (error) {
          throw new Error(`Invalid validator for key \`${name}\`: ${(error as Error).message}`, {
            cause: error,
          });
        }
      }
      return;
    case "id": {
      const problem = identifierProblem(validator.tableName);
      if (problem !== null) throw new Error(problem);
      return;
    }
    case "literal": {
      const { value } = validator;
      if (value === null || Array.isArray(value) || isObject(value) || isBytes(value)) {
        throw new Error(`Value ${JSON.stringify(value)} is not a valid literal.`);
      }
      return;
    }
    case "null":
    case "number":
    case "bigint":
    case "commitTs":
    case "boolean":
    case "string":
    case "bytes":
    case "any":
      return;
    default:
      throw new Error(
        `Unknown validator type ${JSON.stringify((validator satisfies never as { type: unknown }).type)}`,
      );
  }
}

function checkRecordKeys(keys: ValidatorJSON): void {
  if (!isStringLike(keys)) {
    throw new Error(
      `Records can only have string keys. Your validator contains a record with key typed as \`${printValidator(keys)}\`, which is not a subtype of \`v.string()\``,
    );
  }
  if (hasLiteral(keys)) throw new Error("Records cannot have string literal keys");
}

function isStringLike(validator: ValidatorJSON): boolean {
  switch (validator.type) {
    case "string":
    case "id":
      return true;
    case "literal":
      return typeof validator.value === "string";
    case "union":
      return validator.value.every(isStringLike);
    default:
      return false;
  }
}

function hasLiteral(validator: ValidatorJSON): boolean {
  return validator.type === "literal" || (validator.type === "union" && validator.value.some(hasLiteral));
}
