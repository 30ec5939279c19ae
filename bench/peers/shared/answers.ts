import { errorStatus, type ErrorCode } from "../../../convex/contract/errors";
import { skipReasons, type SkipCode } from "../../../convex/contract/entries";

/** A request that can't be served, with the code that the contract has for it. */
export class Refusal extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string = code) {
    super(message);
    this.code = code;
  }

  get status(): number {
    return errorStatus[this.code];
  }
}

export type Skipped = { readonly userId: string; readonly code: SkipCode; readonly reason: string };

export function skipped(userId: string, code: SkipCode): Skipped {
  return { userId, code, reason: skipReasons[code] };
}

/** The body of an answer to addMultipleParticipants. */
export function added(ids: readonly string[], left: readonly Skipped[]): string {
  return success({ added: ids, skipped: left, success: true });
}

export function success(value: unknown): string {
  return JSON.stringify({ status: "success", value });
}

export function failure({ code, message }: Refusal): string {
  return JSON.stringify({ status: "error", errorMessage: message, errorData: { code, message } });
}

/** What an unexpected error is for the client; the server says it on standard error. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  console.error(error);
  return new Refusal("INTERNAL_ERROR");
}
