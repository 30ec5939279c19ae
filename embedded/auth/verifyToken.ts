import { compactVerify } from "jose";
import { AuthError, invalidAuthHeader } from "./authError";
import { badClaims, jwksFailed, noProvider, undecodable } from "./authMessages";
import { parseCompactJwt, type CompactJwt } from "./compactJwt";
import { FetchDocumentError } from "./fetchDocument";
import { customJwtIdentity, oidcIdentity, type Identity } from "./identity";
import { createKeySource, type KeySource } from "./jwks";
import { RecentMap } from "../values/recentMap";
import type { AuthProvider, CustomJwtProvider, OidcProvider } from "./providers";
import { FRESH_MS } from "./refreshing";

export interface TokenVerifier {
  /**
   * The owner of a user token. Answered from memory if the same token was verified before; the expiry is checked
   * every time, and after some minutes the signature again, so that a withdrawn key is noticed.
   * @throws AuthError 401, or 400, 403, 404, 429, 503 where an OIDC provider's discovery failed
   */
  verify(token: string): Promise<Identity>;
  /** The owner of a token that was verified before and can still be used, without waiting; else undefined. */
  peek(token: string): Identity | undefined;
}

export interface TokenVerifierOptions {
  /** The time in ms since the epoch; `Date.now` by default. */
  readonly now?: () => number;
  /** Keep configured providers and key ids out of messages, as a production deployment does. */
  readonly redactErrors?: boolean;
}

interface Verified {
  readonly identity: Identity;
  /** From this time on (ms since the epoch) the token is verified anew, or refused. */
  readonly usableUntilMs: number;
}

interface Context {
  readonly now: () => number;
  readonly redactErrors: boolean;
  readonly source: KeySource;
}

const CACHED_TOKENS = 10_000;

/** How far the issuer's clock and ours may differ for a custom JWT. OIDC tokens get no leeway, as in Convex. */
const LEEWAY_SECONDS = 5;

/** @param providers in the order in which they are tried; the first that matches issuer and audience decides */
export function createTokenVerifier(
  providers: readonly AuthProvider[],
  options: TokenVerifierOptions = {},
): TokenVerifier {
  const now = options.now ?? Date.now;
  const context = { now, redactErrors: options.redactErrors ?? false, source: createKeySource(now) };
  const verified = new RecentMap<string, Verified & { readonly token: string }>(CACHED_TOKENS);
  const pending = new Map<string, Promise<Identity>>();

  async function verifyAndKeep(token: string): Promise<Identity> {
    try {
      const result = await verifyToken(token, providers, context);
      verified.set(shortKey(token), { ...result, token });
      return result.identity;
    } finally {
      pending.delete(token);
    }
  }

  function peek(token: string): Identity | undefined {
    const key = shortKey(token);
    const known = verified.get(key);
    if (known?.token !== token) return undefined;
    if (now() < known.usableUntilMs) return known.identity;
    verified.delete(key);
    return undefined;
  }

  return {
    peek,
    async verify(token) {
      const known = peek(token);
      if (known !== undefined) return known;
      const shared = pending.get(token);
      if (shared !== undefined) return shared;
      const verification = verifyAndKeep(token);
      pending.set(token, verification);
      return verification;
    },
  };
}

/**
 * By what a verified token is found: its end, which is part of its signature. A map hashes all of a key at each lookup, and a
 * token is long; to compare it with the one that was found costs little.
 */
function shortKey(token: string): string {
  return token.slice(-32);
}

async function verifyToken(
  token: string,
  providers: readonly AuthProvider[],
  context: Context,
): Promise<Verified> {
  const jwt = parseCompactJwt(token);
  if (jwt === undefined) {
    throw invalidAuthHeader(
      "Could not parse JWT payload. Check that the token is a valid JWT format with three base64-encoded " +
        "parts separated by dots.",
    );
  }
  const { iss, aud } = jwt.registered;
  if (iss === undefined) {
    throw invalidAuthHeader(
      "Missing issuer claim ('iss') in JWT payload. The JWT must include an 'iss' claim that matches one of " +
        "your configured auth providers.",
    );
  }
  // A made-up issuer at worst points to the wrong provider, whose keys then do not fit.
  const provider = providers.find((candidate) => matches(candidate, iss, aud));
  if (provider === undefined) throw noProvider(providers, context.redactErrors);
  return provider.kind === "oidc"
    ? verifyOidc(token, jwt, iss, provider, context)
    : verifyCustomJwt(token, jwt, iss, provider, context);
}

/**
 * Issuers are equal up to trailing slashes, and some tokens leave `https://` out; the audience counts only
 * where the provider names one.
 */
function matches(provider: AuthProvider, issuer: string, audiences: readonly string[]): boolean {
  if (provider.applicationId !== undefined && !audiences.includes(provider.applicationId)) return false;
  const hasScheme = issuer.startsWith("https://") || issuer.startsWith("http://");
  const written = hasScheme ? issuer : `https://${issuer}`;
  return trimTrailingSlashes(provider.issuer) === trimTrailingSlashes(written);
}

/** A loop, because a regular expression would take quadratic time for a hostile issuer of many slashes. */
function trimTrailingSlashes(url: string): string {
  let end = url.length;
  while (end > 0 && url[end - 1] === "/") end -= 1;
  return url.slice(0, end);
}

async function verifyCustomJwt(
  token: string,
  jwt: CompactJwt,
  issuer: string,
  provider: CustomJwtProvider,
  { source, now, redactErrors }: Context,
): Promise<Verified> {
  const keyId = stringOrUndefined(jwt.header?.["kid"]);
  const keySet = await source.keys(provider.jwks, keyId).catch((error: unknown) => {
    throw jwksFailed(provider.jwks, error);
  });
  if (keyId === undefined) {
    throw invalidAuthHeader("Could not decode token. JWT may be missing a 'kid' (key ID) header.");
  }
  // No header extension is understood here; one of them would change what the signature covers.
  if (jwt.header?.["crit"] !== undefined) throw undecodable(keyId, redactErrors, "crit");
  try {
    // The list of one algorithm is what keeps "none" and a public key used as an HMAC secret out.
    await compactVerify(token, keySet.resolve, { algorithms: [provider.algorithm] });
  } catch (error) {
    throw undecodable(keyId, redactErrors, errorCode(error));
  }
  const nowSeconds = Math.floor(now() / 1000);
  const { exp, nbf, iat, sub } = jwt.registered;
  if (exp !== undefined && nowSeconds - exp > LEEWAY_SECONDS) {
    throw invalidAuthHeader(`Could not validate token: Token expired ${nowSeconds - exp} seconds ago`);
  }
  for (const start of [nbf, iat]) {
    if (start !== undefined && start - nowSeconds > LEEWAY_SECONDS) {
      throw invalidAuthHeader(
        `Could not validate token: Token will be valid in ${start - nowSeconds} seconds`,
      );
    }
  }
  if (sub === undefined) throw badClaims("Missing subject");
  if (exp === undefined) throw badClaims("Missing expiry");
  const attributes = customJwtIdentity({ issuer, subject: sub, all: jwt.claims });
  return usable({ attributes, expiresAtMs: exp * 1000 }, (exp + LEEWAY_SECONDS + 1) * 1000, now());
}

async function verifyOidc(
  token: string,
  jwt: CompactJwt,
  issuer: string,
  provider: OidcProvider,
  { source, now }: Context,
): Promise<Verified> {
  const keyId = stringOrUndefined(jwt.header?.["kid"]);
  const keySet = await discoverKeys(source, provider, issuer, keyId);
  const { exp, iat, sub, aud } = jwt.registered;
  const attributes = sub === undefined ? undefined : oidcIdentity({ issuer, subject: sub, all: jwt.claims });
  if (attributes === undefined || exp === undefined || iat === undefined) {
    throw invalidAuthHeader("Could not parse as OIDC ID token. Token might not be an OIDC-compliant JWT.");
  }
  const unverifiable = (detail: string) =>
    new AuthError(
      "Unauthenticated",
      401,
      "Could not verify OIDC token claim. Check that the token signature is valid and the token hasn't expired.",
      detail,
    );
  if (!isIdTokenHeader(jwt)) throw unverifiable("unsupported header");
  // Convex trusts no other audience beside the application.
  if (aud.some((audience) => audience !== provider.applicationId)) throw unverifiable("untrusted audience");
  try {
    // Without a key id the only key that fits is taken; if several fit, jose refuses.
    await compactVerify(token, keySet.resolve, { algorithms: ["RS256", "EdDSA"] });
  } catch (error) {
    throw unverifiable(errorCode(error));
  }
  if (Math.floor(now() / 1000) >= exp) throw unverifiable("expired");
  return usable({ attributes, expiresAtMs: exp * 1000 }, exp * 1000, now());
}

async function discoverKeys(
  source: KeySource,
  provider: OidcProvider,
  issuer: string,
  keyId: string | undefined,
) {
  const failed = `Auth provider discovery of ${trimTrailingSlashes(provider.issuer)} failed`;
  try {
    const document = await source.discover(provider.issuer);
    if (document.issuer !== issuer) {
      throw new AuthError("AuthProviderDiscoveryFailed", 400, failed, "unexpected issuer in the document");
    }
    return await source.keys(document.jwksUri, keyId);
  } catch (error) {
    if (!(error instanceof FetchDocumentError)) throw error;
    const { failure } = error;
    if (failure.kind !== "status") {
      throw new AuthError("AuthProviderDiscoveryFailed", 400, failed, failure.kind);
    }
    const { status, statusText } = failure;
    throw new AuthError(
      "AuthProviderDiscoveryFailed",
      discoveryStatus(status),
      `${failed}: ${status} ${statusText}`.trimEnd(),
    );
  }
}

function discoveryStatus(status: number): AuthError["httpStatus"] {
  if (status === 401 || status === 403 || status === 404 || status === 429) return status;
  return status >= 500 ? 503 : 400;
}

/** An ID token's header names a JWT or nothing as its type, and has neither content type nor extensions. */
function isIdTokenHeader({ header }: CompactJwt): boolean {
  if (header === undefined || (header["cty"] ?? null) !== null || (header["crit"] ?? null) !== null) {
    return false;
  }
  const type = header["typ"] ?? null;
  return type === null || (typeof type === "string" && /^(?:application\/)?(?:jwt|jose)$/i.test(type));
}

function usable(identity: Identity, refusedFromMs: number, nowMs: number): Verified {
  return { identity, usableUntilMs: Math.min(refusedFromMs, nowMs + FRESH_MS) };
}

function stringOrUndefined(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** jose's code (ERR_JWS_SIGNATURE_VERIFICATION_FAILED, ...): its messages may quote what was sent. */
function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}
