import { COULD_NOT_COMPLETE } from "../functions/failure";
import { describeRefusal } from "../storage/diskError";

/** A request is refused before any function runs. The answer is `{code, message}` with this status, as in Convex. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/**
 * The answer to a request that has failed: of errors that the client is not to blame for it says only that there was one, or that the
 * disk is, and `onFault` is told of them.
 */
export function refusalOf(
  error: unknown,
  onFault: (error: unknown) => void,
): { status: number; headers: Readonly<Record<string, string>>; json: string } {
  if (!(error instanceof ApiError)) onFault(error);
  const { status, code, message, headers } =
    error instanceof ApiError
      ? error
      : new ApiError(500, "InternalServerError", describeRefusal(error) ?? COULD_NOT_COMPLETE);
  return { status, headers, json: JSON.stringify({ code, message }) };
}
