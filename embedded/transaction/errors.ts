/**
 * What a function did is not allowed or not possible: its message is written for the developer of the app, in
 * Convex's words, and reaches the function as an `Error` with this message.
 */
export class DeveloperError extends Error {
  override readonly name = "DeveloperError";
}

/**
 * A cursor that does not belong to the query it was given to. React clients recognise it by `data` and start the
 * pagination anew.
 */
export class InvalidCursorError extends DeveloperError {
  readonly data = { isConvexSystemError: true, paginationError: "InvalidCursor" };
  constructor() {
    super(
      "InvalidCursor: Tried to run a query starting from a cursor, but it looks like this cursor is from a different query.",
    );
  }
}
