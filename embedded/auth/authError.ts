/**
 * Every way in which a request's credentials can be refused, with Convex's codes, statuses and texts.
 *
 * A message may name the provider's URLs and the key id, never a token, a claim or an admin key: messages
 * travel to clients and into logs.
 */

export type AuthErrorCode =
  | "AuthProviderDiscoveryFailed"
  | "BadAdminKey"
  | "HeaderParseFailure"
  | "InvalidAdminKey"
  | "InvalidAuthHeader"
  | "InvalidHeaderFailure"
  | "NoAuthProvider"
  | "Unauthenticated";

/** 403, 404, 429 and 503 occur only where an OIDC provider's discovery document answered with such a status. */
export type AuthErrorStatus = 400 | 401 | 403 | 404 | 429 | 503;

/** A refusal that the HTTP layer answers as `{code, message}` and the socket as an AuthError. */
export class AuthError extends Error {
  override readonly name = "AuthError";
  readonly code: AuthErrorCode;
  readonly httpStatus: AuthErrorStatus;

  /** @param detail for the developer's log, kept as `cause` and not part of the message */
  constructor(code: AuthErrorCode, httpStatus: AuthErrorStatus, message: string, detail?: string) {
    super(message, detail === undefined ? undefined : { cause: detail });
    this.code = code;
    this.httpStatus = httpStatus;
  }
}

/** The token cannot be used at all: 401, as for nearly everything that is wrong with a token. */
export function invalidAuthHeader(message: string, detail?: string): AuthError {
  return new AuthError("InvalidAuthHeader", 401, message, detail);
}

/** An admin key was given and it is not this deployment's. */
export function badAdminKey(): AuthError {
  return new AuthError("BadAdminKey", 401, "The provided admin key was invalid for this instance");
}
