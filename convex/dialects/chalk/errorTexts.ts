/** What this wire says when something cannot be done: texts, each with its HTTP status. */
import type { WireError } from "../../contract/wire";

export const errorStatus = {
  "missing authorization header": 401,
  "invalid authorization header format": 401,
  "invalid token": 401,
  "token has expired": 401,
  "invalid API key format": 401,
  "invalid API key": 401,
  "invalid refresh token": 401,
  "refresh token has expired": 401,
  "join token has expired": 401,
  "invalid join token": 400,
  "host role required": 403,
  forbidden: 403,
  "participants cannot update their own role": 403,
  "access denied: tenant mismatch": 403,
  "banned from the room": 403,
  "room is locked": 403,
  "room not found": 404,
  "participant not found": 404,
  "not found": 404,
  "invalid participant id": 400,
  "invalid status filter": 400,
  "invalid JSON": 400,
  "no participants provided": 400,
  "room is not active": 400,
  "room is full": 400,
  "a room keeps at least one host": 400,
  "too many active rooms": 400,
  "user is deactivated": 400,
  "scheduled_start_at must be in the future": 400,
  "scheduled_end_at must be after scheduled_start_at": 400,
  "participant already in room": 409,
  "request body too large": 413,
  "too many requests": 429,
  "internal server error": 500,
  "service unavailable": 503,
} as const;

export type ErrorText = keyof typeof errorStatus;

/** The errors that an operation which needs credentials can give, for its documentation. */
export function wireErrors(...more: ErrorText[]): WireError[] {
  return openErrors(
    "missing authorization header",
    "invalid authorization header format",
    "invalid token",
    "token has expired",
    "invalid API key format",
    "invalid API key",
    ...more,
  );
}

/** The errors that an operation without credentials can give. */
export function openErrors(...more: ErrorText[]): WireError[] {
  const texts: ErrorText[] = [
    "invalid JSON",
    "request body too large",
    "too many requests",
    "internal server error",
    "service unavailable",
    ...more,
  ];
  return texts.map((name) => ({ name, status: errorStatus[name] }));
}
