import { ConvexError } from "convex/values";
import * as z from "zod";
import type { SkipCode } from "../../contract/entries";
import { type ErrorCode, errorData } from "../../contract/errors";
import type { WireError } from "../../contract/wire";
import { isInvalidCursor } from "../../http/responses";

/** The errors of this wire, with their HTTP statuses: those of the operations, and those of all AWS services. */
export const exceptionStatus = {
  BadRequestException: 400,
  ConflictException: 409,
  ForbiddenException: 403,
  LimitExceededException: 400,
  NotFoundException: 404,
  ResourceNotFoundException: 404,
  ServiceFailureException: 500,
  ServiceUnavailableException: 503,
  ThrottlingException: 429,
  TooManyTagsException: 400,
  UnauthorizedException: 401,
  UnprocessableEntityException: 422,
  IncompleteSignatureException: 403,
  InvalidSignatureException: 403,
  RequestEntityTooLargeException: 413,
  UnknownOperationException: 404,
} as const;
export type Exception = keyof typeof exceptionStatus;

const exceptions = Object.keys(exceptionStatus) as [Exception, ...Exception[]];

const refusal = z.object({ exception: z.enum(exceptions), message: z.string() });

/** What a client is told. */
export interface Refusal extends z.infer<typeof refusal> {
  retryAfterMs?: number;
}

/** Ends the request with an error of this wire. */
export function refuse(exception: Exception, message: string): never {
  throw new ConvexError<z.infer<typeof refusal>>({ exception, message });
}

/** What every code of ours is on this wire. Codes that no operation here can give are faults. */
const exceptionOf: Partial<Record<ErrorCode, Exception>> = {
  MEETING_TOO_LARGE: "BadRequestException",
  LAST_HOST: "ForbiddenException",
  MEETING_NOT_FOUND: "NotFoundException",
  IDEMPOTENCY_CONFLICT: "ConflictException",
  TOO_MANY_ACTIVE_MEETINGS: "LimitExceededException",
  PAYLOAD_TOO_LARGE: "RequestEntityTooLargeException",
  RATE_LIMITED: "ThrottlingException",
  NOT_CONFIGURED: "ServiceUnavailableException",
};

/** Why a person could not be added. */
export const exceptionOfSkip: Record<SkipCode, Exception> = {
  user_not_found: "NotFoundException",
  guest_not_found: "NotFoundException",
  user_inactive: "UnprocessableEntityException",
  banned: "ForbiddenException",
  duplicate: "ConflictException",
  already_participant: "ConflictException",
  already_waiting: "ConflictException",
  last_host: "ForbiddenException",
  meeting_full: "LimitExceededException",
  one_on_one_full: "LimitExceededException",
};

/** What was thrown, in the words of this wire; null for a fault, of which nobody is told more. */
export function refusalOf(error: unknown): Refusal | null {
  if (!(error instanceof ConvexError)) return null;
  const own = refusal.safeParse(error.data).data;
  if (own) return own;
  if (isInvalidCursor(error.data)) {
    return { exception: "BadRequestException", message: "next-token: Not a token of this list" };
  }
  const { code, message, retryAfterMs } = errorData.partial().safeParse(error.data).data ?? {};
  const exception = code && exceptionOf[code];
  if (exception === undefined || message === undefined) return null;
  // What a deployment lacks is the concern of those who run it.
  if (exception === "ServiceUnavailableException") return { exception, message: "Try again later" };
  return { exception, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** The `ErrorCode` or `Code` of an exception: its name without the ending. */
export function shortName(exception: Exception): string {
  return exception.replace(/Exception$/, "");
}

/** The errors that an operation can give, for its documentation. */
export function wireErrors(...more: Exception[]): WireError[] {
  const names: Exception[] = [
    "BadRequestException",
    "ServiceFailureException",
    "ServiceUnavailableException",
    "ThrottlingException",
    "UnauthorizedException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "RequestEntityTooLargeException",
    ...more,
  ];
  return names.map((name) => ({ name, status: exceptionStatus[name] }));
}
