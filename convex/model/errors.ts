import { ConvexError } from "convex/values";
import type { ErrorCode, ErrorData, ErrorDetails } from "../contract/errors";

/**
 * Ends the request with a `ConvexError`, and with it the transaction: nothing is written.
 *
 * @param message For people; clients decide by `code`.
 */
export function fail(code: ErrorCode, message: string, details: ErrorDetails = {}): never {
  throw new ConvexError<ErrorData>({ code, message, ...details });
}
