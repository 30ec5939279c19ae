import { failureText, type Failure } from "./failure";

/**
 * What clients are told of a call that has ended: all of it or, in production, neither messages nor traces nor what was logged.
 * The data of a `ConvexError` is meant for clients, and they always get it.
 */
export class Disclosure {
  constructor(private readonly isRedacted: boolean) {}

  errorMessage(failure: Failure, requestId: string): string {
    const title = `[Request ID: ${requestId}] Server Error`;
    return this.isRedacted ? title : `${title}\n${failureText(failure)}`;
  }

  /** The body of an HTTP action's 500. */
  httpError(failure: Failure, requestId: string): object {
    const title = `[Request ID: ${requestId}] Server Error`;
    const { message, data } = failure;
    return {
      ...(this.isRedacted ? { code: title } : { code: `${title}: ${message}`, trace: failureText(failure) }),
      ...(data === undefined ? {} : { data }),
    };
  }

  logLines(lines: readonly string[]): readonly string[] {
    return this.isRedacted ? [] : lines;
  }
}
