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

/** What a client gets to know of an error: of those that it is not to blame for only that there was one, or that the disk is. */
export function apiErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(500, "InternalServerError", describeRefusal(error) ?? COULD_NOT_COMPLETE);
}
