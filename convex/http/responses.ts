import { ConvexError } from "convex/values";
import * as z from "zod";
import { type ErrorData, errorData, errorStatus } from "../contract/errors";

/** A JSON answer, or an empty one if there is no body. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  if (body === undefined) return new Response(null, { status, headers });
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json", ...headers },
  });
}

/** Tells a client in whole seconds when to try again. */
export function retryAfter(ms: number): { "Retry-After": string } {
  return { "Retry-After": String(Math.ceil(ms / 1000)) };
}

/** The answer for what a function returned. */
export function successResponse(value: unknown): Response {
  return json({ status: "success", value });
}

/** The answer for what was thrown: its own code and status if it is one of ours, else INTERNAL_ERROR and no more. */
export function errorResponse(error: unknown): Response {
  const known = knownError(error);
  if (!known) logFault(error);
  return failureResponse(known ?? UNKNOWN_ERROR);
}

/** The answer for an error of the contract. */
export function failureResponse(data: ErrorData, headers: Record<string, string> = {}): Response {
  return json({ status: "error", errorMessage: data.message, errorData: data }, errorStatus[data.code], {
    ...headers,
    ...headersFor(data),
  });
}

function knownError(error: unknown): ErrorData | undefined {
  if (!(error instanceof ConvexError)) return undefined;
  return isInvalidCursor(error.data) ? INVALID_CURSOR : errorData.safeParse(error.data).data;
}

/** Is this what Convex throws when a page is asked for with a cursor that is not one of this list? */
export function isInvalidCursor(data: unknown): boolean {
  return invalidCursor.safeParse(data).success;
}

const invalidCursor = z.object({
  isConvexSystemError: z.literal(true),
  paginationError: z.literal("InvalidCursor"),
});

const INVALID_CURSOR: ErrorData = {
  code: "INVALID_ARGUMENT",
  message: "paginationOpts.cursor: Not a cursor of this list with these filters",
  issues: [{ path: "paginationOpts.cursor", message: "Not a cursor of this list with these filters" }],
};

const UNKNOWN_ERROR: ErrorData = { code: "INTERNAL_ERROR", message: "Something went wrong on the server" };

/** Logs where it happened and not the message, which may quote personal data. */
export function logFault(error: unknown): void {
  const frames = error instanceof Error ? (error.stack ?? "").split("\n").filter(isFrame) : [];
  console.error(["Unexpected error in an HTTP action", ...frames].join("\n"));
}

function isFrame(line: string): boolean {
  return line.trimStart().startsWith("at ");
}

function headersFor({ code, retryAfterMs }: ErrorData): Record<string, string> {
  return {
    ...(errorStatus[code] === 401 && { "WWW-Authenticate": "Bearer" }),
    ...(retryAfterMs !== undefined && retryAfter(retryAfterMs)),
  };
}
