/** Convex's words for what is wrong with a token, its provider or the provider's keys. */
import { AuthError, invalidAuthHeader } from "./authError";
import { FetchDocumentError } from "./fetchDocument";
import type { AuthProvider } from "./providers";

/** No key fits the token. `redact`: without the id of the one that it names. */
export function undecodable(keyId: string, redact: boolean, detail: string): AuthError {
  // Whoever made the token chose the id: only one that looks like an id is repeated.
  const showKeyId = !redact && /^[\w.:+/=-]{1,200}$/.test(keyId);
  return invalidAuthHeader(
    showKeyId
      ? `Could not decode token. The JWT's 'kid' (key ID) header is '${keyId}', does this key match any key ` +
          "in the provider's JWKS?"
      : "Could not decode token. The JWT's 'kid' (key ID) header doesn't match any key in the provider's " +
          "JWKS, or the JWT signature is invalid.",
    detail,
  );
}

/** A claim is not there that every token has. */
export function badClaims(detail: string): AuthError {
  return invalidAuthHeader(
    "Could not verify token claim. Check that the JWT contains valid claims and matches your auth provider " +
      "configuration.",
    detail,
  );
}

/** The token is of no provider. `redact`: without naming those that there are. */
export function noProvider(providers: readonly AuthProvider[], redact: boolean): AuthError {
  const text = "No auth provider found matching the given token";
  if (redact) return new AuthError("NoAuthProvider", 401, text);
  if (providers.length === 0) {
    return new AuthError(
      "NoAuthProvider",
      401,
      `${text} (no providers configured). Check convex/auth.config.ts.`,
    );
  }
  const described = providers.map((provider) =>
    provider.kind === "oidc"
      ? `OIDC(domain=${provider.issuer}, app_id=${provider.applicationId})`
      : `CustomJWT(issuer=${provider.issuer}, app_id=${provider.applicationId ?? "none"})`,
  );
  return new AuthError(
    "NoAuthProvider",
    401,
    `${text}. Check that your JWT's issuer and audience match one of your configured providers: ` +
      `[${described.join(", ")}]`,
  );
}

/** The keys of a provider could not be had. What is no {@link FetchDocumentError} is given as it is. */
export function jwksFailed(jwksUrl: string, error: unknown): unknown {
  if (!(error instanceof FetchDocumentError)) return error;
  const { failure } = error;
  // A data: URL is the key set itself, too long for a message.
  const where = jwksUrl.startsWith("data:") ? "data:..." : jwksUrl;
  switch (failure.kind) {
    case "dataUrl":
      return invalidAuthHeader(
        "Invalid JWKS data URL. Check that the data URL is properly formatted and contains valid " +
          "base64-encoded JSON.",
      );
    case "network":
      return invalidAuthHeader(
        `Could not fetch JWKS from URL '${where}': ${failure.reason}. Check that the URL is correct and ` +
          "accessible.",
      );
    case "status":
      return invalidAuthHeader(
        `Could not fetch JWKS from URL '${where}': HTTP ${failure.status} ` +
          `${failure.statusText || "Unknown"}. Check that the URL is correct and accessible.`,
      );
    case "contentType":
      return invalidAuthHeader(
        `Invalid Content-Type '${failure.contentType}' when fetching JWKS from '${where}'. Expected ` +
          "'application/json' or 'application/jwk-set+json'.",
      );
    case "body":
      return invalidAuthHeader(
        `Invalid JWKS response body from '${where}'. The response is not valid JSON or doesn't match the ` +
          "expected JWKS format.",
      );
  }
}
