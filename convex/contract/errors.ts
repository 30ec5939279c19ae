import * as z from "zod";

/** Every error code that a client can meet, with the HTTP status that goes with it. The list is closed. */
export const errorStatus = {
  /** The arguments do not fit the contract; `issues` says where. */
  INVALID_ARGUMENT: 400,
  /** No bearer token, or one that is expired, malformed or not ours. */
  UNAUTHENTICATED: 401,
  WEBHOOK_SIGNATURE_INVALID: 401,
  /** A refresh or control token that is unknown, or expired. */
  TOKEN_INVALID: 401,
  /** The token was good, but its bearer may no longer use it, or it was used before. */
  TOKEN_REVOKED: 401,
  /** The token is good, but `users/mutations/upsertUser` has not been called yet. */
  USER_NOT_PROVISIONED: 403,
  /** The caller is deactivated. */
  USER_DEACTIVATED: 403,
  FORBIDDEN: 403,
  /** The person is banned from the meeting. */
  BANNED: 403,
  /** The person has to be admitted from the lobby first. */
  NOT_ADMITTED: 403,
  NOT_FOUND: 404,
  FUNCTION_NOT_FOUND: 404,
  MEETING_NOT_FOUND: 404,
  PARTICIPANT_NOT_FOUND: 404,
  USER_NOT_FOUND: 404,
  GUEST_NOT_FOUND: 404,
  TENANT_NOT_FOUND: 404,
  /** There is no such invitation, or it is not the caller's, or its link has been replaced by a newer one. */
  INVITATION_NOT_FOUND: 404,
  ACCESS_KEY_NOT_FOUND: 404,
  WEBHOOK_ENDPOINT_NOT_FOUND: 404,
  WEBHOOK_DELIVERY_NOT_FOUND: 404,
  JOB_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  /** The meeting is concluded or cancelled. */
  MEETING_CLOSED: 409,
  MEETING_ALREADY_ACTIVE: 409,
  MEETING_NOT_ACTIVE: 409,
  /** A host lets nobody in who is not there already. */
  MEETING_LOCKED: 409,
  /** An active meeting is ended, not cancelled. */
  MEETING_ACTIVE: 409,
  ALREADY_PARTICIPANT: 409,
  USER_ALREADY_DEACTIVATED: 409,
  /** Another guest of the tenant has the external id. */
  GUEST_EXISTS: 409,
  TENANT_EXISTS: 409,
  /** The meeting is not in the version that the change was made for. */
  VERSION_CONFLICT: 409,
  /** Somebody has read further already. */
  READ_INDEX_BACKWARD: 409,
  /** The invitation has been accepted, declined or revoked. */
  INVITATION_CLOSED: 409,
  /** Another invitation to the address is pending. */
  ALREADY_INVITED: 409,
  INVITATION_EXPIRED: 410,
  /** The key was used for another request. */
  IDEMPOTENCY_CONFLICT: 409,
  WEBHOOK_ENDPOINT_DISABLED: 409,
  WEBHOOK_DELIVERY_NOT_DEAD: 409,
  /** Another job of the meeting is running. */
  JOB_RUNNING: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  /** The change would leave the meeting without a host. */
  LAST_HOST: 422,
  MEETING_FULL: 422,
  ONE_ON_ONE_FULL: 422,
  /** The person to be added is deactivated. */
  USER_INACTIVE: 422,
  SCHEDULED_IN_PAST: 422,
  EXPIRES_IN_PAST: 422,
  /** Fewer places than there are people in the meeting. */
  TOO_FEW_PLACES: 422,
  /** The capabilities as they would be do not fit together. */
  INVALID_CAPABILITIES: 422,
  /** There are more people in the meeting than one request can see to. */
  MEETING_TOO_LARGE: 422,
  /** The meeting has as many bans as it can have. */
  TOO_MANY_BANS: 422,
  /** The meeting has as many pending invitations as it can have. */
  TOO_MANY_INVITATIONS: 422,
  TOO_MANY_ACCESS_KEYS: 422,
  /** The organization has more people than one request may add. */
  ORGANIZATION_TOO_LARGE: 422,
  /** The text is no list of people in the format, or, where that is to fail the whole, a line of it is wrong. */
  IMPORT_UNREADABLE: 422,
  /** The list has more people than one request may add. */
  IMPORT_TOO_LARGE: 422,
  /** The tenant has as many active meetings as it may have. */
  TOO_MANY_ACTIVE_MEETINGS: 422,
  /** Webhooks go to https URLs of public host names only. */
  WEBHOOK_URL_NOT_ALLOWED: 422,
  TOO_MANY_WEBHOOK_ENDPOINTS: 422,
  /** `retryAfterMs` says when to try again. */
  RATE_LIMITED: 429,
  INTERNAL_ERROR: 500,
  /** The deployment lacks a setting, or has a wrong one. */
  NOT_CONFIGURED: 503,
} as const;

export type ErrorCode = keyof typeof errorStatus;

const errorCodes = Object.keys(errorStatus) as [ErrorCode, ...ErrorCode[]];

/** Enough to mend a request by; a batch that is wrong in every entry has thousands. */
const MAX_ISSUES = 20;

/** What is wrong with one argument. `path` is empty for the arguments as a whole, else like `participants.3.role`. */
const issue = z.object({ path: z.string(), message: z.string() });

/** The data of every `ConvexError` thrown here, and `errorData` of every failed HTTP answer. */
export const errorData = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  issues: z
    .array(issue)
    .exactOptional()
    .describe(`With INVALID_ARGUMENT: what is wrong, the first ${MAX_ISSUES} things`),
  retryAfterMs: z
    .number()
    .exactOptional()
    .describe("With RATE_LIMITED: milliseconds to wait before the next attempt"),
});

export type ErrorData = z.infer<typeof errorData>;

/** What an error may say besides its code and message. */
export type ErrorDetails = Omit<ErrorData, "code" | "message">;

/** The first issue in words, and the first of them as data. */
export function describeIssues(error: z.core.$ZodError): {
  message: string;
  issues: z.infer<typeof issue>[];
} {
  const issues = error.issues
    .slice(0, MAX_ISSUES)
    .map(({ path, message }) => ({ path: path.join("."), message }));
  const [first] = issues;
  return {
    message:
      first && first.path !== ""
        ? `${first.path}: ${first.message}`
        : (first?.message ?? "Invalid arguments"),
    issues,
  };
}
