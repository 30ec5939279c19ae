/** Errors in Volcengine's words. */
import type { ErrorCode } from "../../contract/errors";
import { ConvexError } from "convex/values";
import { errorData } from "../../contract/errors";

/** Errors of the gateway, which have a number too. */
const gatewayErrors = {
  UndefinedError: { CodeN: 100001, status: 500 },
  MissingParameter: { CodeN: 100002, status: 400 },
  MissingAuthenticationToken: { CodeN: 100003, status: 401 },
  MissingRequestInfo: { CodeN: 100004, status: 400 },
  MissingSignature: { CodeN: 100005, status: 401 },
  InvalidTimestamp: { CodeN: 100006, status: 403 },
  ServiceNotFound: { CodeN: 100007, status: 404 },
  InvalidActionOrVersion: { CodeN: 100008, status: 404 },
  InvalidAccessKey: { CodeN: 100009, status: 401 },
  SignatureDoesNotMatch: { CodeN: 100010, status: 401 },
  AccessDenied: { CodeN: 100013, status: 403 },
} as const;

/**
 * Errors of the operations, as the service names those of its other operations: what it says of conversations is not
 * published.
 */
const operationErrors = {
  InvalidParameter: { status: 400 },
  "InvalidParameter.BodyIsEmpty": { status: 400 },
  "InvalidParameter.Unmarshal": { status: 400 },
  "InvalidParameter.SizeOverLimit": { status: 400 },
  "InvalidParameter.UserCountOverLimit": { status: 400 },
  "InvalidParameter.NotExistConversation": { status: 404 },
  "InvalidParameter.NotExistParticipant": { status: 404 },
  "InvalidParameter.IllegalConversationType": { status: 400 },
  "InvalidParameter.ConversationDestroyed": { status: 400 },
  "FlowLimitExceeded.QPSOverLimit": { status: 429 },
} as const;

const wireErrors = { ...gatewayErrors, ...operationErrors };
export type WireErrorCode = keyof typeof wireErrors;

/** An error as the answer says it. */
export interface Refusal {
  code: WireErrorCode;
  message: string;
}

/** All errors, for the documentation. */
export function listErrors(): { status: number; name: string }[] {
  return Object.entries(wireErrors).map(([name, { status }]) => ({ name, status }));
}

export function statusOf(code: WireErrorCode): number {
  return wireErrors[code].status;
}

/** The `Error` of an answer. */
export function describeError({ code, message }: Refusal): { CodeN?: number; Code: string; Message: string } {
  const CodeN = code in gatewayErrors ? gatewayErrors[code as keyof typeof gatewayErrors].CodeN : undefined;
  return { ...(CodeN !== undefined && { CodeN }), Code: code, Message: message };
}

/** Ends a request with an error of this wire. */
export function refuse(code: WireErrorCode, message: string): never {
  throw new ConvexError({ volcengine: code, message });
}

/** What codes of ours are on this wire; others that an operation can give are InvalidParameter. */
const codes: Partial<Record<ErrorCode, WireErrorCode>> = {
  MEETING_NOT_FOUND: "InvalidParameter.NotExistConversation",
  MEETING_CLOSED: "InvalidParameter.ConversationDestroyed",
  ONE_ON_ONE_FULL: "InvalidParameter.UserCountOverLimit",
  PAYLOAD_TOO_LARGE: "InvalidParameter.SizeOverLimit",
  RATE_LIMITED: "FlowLimitExceeded.QPSOverLimit",
  // A signature that stands for another body: it was made in a query, without the body.
  IDEMPOTENCY_CONFLICT: "SignatureDoesNotMatch",
};

/** What an error is called here; undefined if it is a fault. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof ConvexError)) return undefined;
  const data: unknown = error.data;
  if (isRefusal(data)) return { code: data.volcengine, message: data.message };
  const known = errorData.safeParse(data).data;
  // What a deployment lacks is the concern of those who run it.
  if (known?.code === "NOT_CONFIGURED") return undefined;
  return known && { code: codes[known.code] ?? "InvalidParameter", message: known.message };
}

function isRefusal(data: unknown): data is { volcengine: WireErrorCode; message: string } {
  return typeof data === "object" && data !== null && "volcengine" in data;
}
