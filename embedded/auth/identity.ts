import { isJsonObject, type Json, type JsonObject } from "../values/json";
import { deepFreeze } from "./json";

/**
 * What `ctx.auth.getUserIdentity()` returns, as JSON. It is frozen and shared between requests: copy it before
 * handing it to code that may write to it.
 *
 * `issuer` and `subject` are always there for a verified token; an admin who acts as a user may leave them out.
 */
export interface UserIdentity {
  readonly tokenIdentifier: string;
  readonly issuer?: string;
  readonly subject?: string;
  readonly [claim: string]: Json | undefined;
}

/** A verified token's owner. */
export interface Identity {
  readonly attributes: UserIdentity;
  /** The token's `exp` in ms since the epoch. A connection that outlives it is no longer authenticated. */
  readonly expiresAtMs: number;
}

/** The claims of a verified token; the three that every identity needs are known to be there. */
export interface VerifiedClaims {
  readonly issuer: string;
  readonly subject: string;
  readonly all: JsonObject;
}

/** Registered claims are the token's own affairs and no part of the identity under their own names. */
const registered = new Set(["iss", "sub", "aud", "exp", "nbf", "iat", "jti"]);

/**
 * The identity of a custom JWT: every claim that is not registered, under its own name, a nested object as
 * `outer.inner` keys; arrays, numbers and null stay as they are. No claim is renamed (`given_name` stays).
 *
 * Convex lets a claim named `tokenIdentifier`, `issuer` or `subject` replace the real one. Here it cannot: some
 * issuers let users choose claims, and an identity must not be a matter of choice.
 */
export function customJwtIdentity(claims: VerifiedClaims): UserIdentity {
  const flat = new Map<string, Json>();
  const unregistered = Object.entries(claims.all).filter(([name]) => !registered.has(name));
  flatten(unregistered, "", flat);
  // Clerk's factor verification age changes at every refresh, which would re-run every query that reads it.
  flat.delete("fva");
  return withTokenIdentifier(claims, flat);
}

function flatten(claims: [string, Json][], prefix: string, into: Map<string, Json>): void {
  for (const [key, value] of claims) {
    if (isJsonObject(value)) flatten(Object.entries(value), `${prefix}${key}.`, into);
    else into.set(prefix + key, value);
  }
}

type StandardClaimKind = "text" | "flag" | "address" | "time";

/** OpenID Connect's standard claims: name in the identity and kind; a name of null means that it is dropped. */
const standardClaims: ReadonlyMap<string, readonly [name: string | null, kind: StandardClaimKind]> = new Map([
  ["name", ["name", "text"]],
  ["given_name", ["givenName", "text"]],
  ["family_name", ["familyName", "text"]],
  ["middle_name", [null, "text"]],
  ["nickname", ["nickname", "text"]],
  ["preferred_username", ["preferredUsername", "text"]],
  ["profile", ["profileUrl", "text"]],
  ["picture", ["pictureUrl", "text"]],
  ["website", ["websiteUrl", "text"]],
  ["email", ["email", "text"]],
  ["email_verified", ["emailVerified", "flag"]],
  ["gender", ["gender", "text"]],
  ["birthday", [null, "text"]],
  ["birthdate", ["birthday", "text"]],
  ["zoneinfo", ["timezone", "text"]],
  ["locale", ["language", "text"]],
  ["phone_number", ["phoneNumber", "text"]],
  ["phone_number_verified", ["phoneNumberVerified", "flag"]],
  ["address", ["address", "address"]],
  ["updated_at", ["updatedAt", "time"]],
]);

/** The protocol's own claims of an ID token, and Clerk's `fva`, which changes at every refresh. */
const oidcProtocolClaims = new Set([
  ...registered,
  "auth_time",
  "nonce",
  "acr",
  "amr",
  "azp",
  "at_hash",
  "c_hash",
  "fva",
]);

/**
 * The identity of an OIDC ID token: standard claims under Convex's names, all others as they are.
 * @returns undefined when a standard claim has a value of the wrong type, so that this is no OIDC token
 */
export function oidcIdentity(claims: VerifiedClaims): UserIdentity | undefined {
  const mapped = new Map<string, Json>();
  const custom = new Map<string, Json>();
  for (const [key, value] of Object.entries(claims.all)) {
    if (oidcProtocolClaims.has(key)) continue;
    const standard = standardClaims.get(key);
    if (standard === undefined) {
      // `name#fr` is the French name; Convex takes the one without a language and no other.
      if (!standardClaims.has(key.slice(0, Math.max(0, key.indexOf("#"))))) custom.set(key, value);
      continue;
    }
    if (value === null) continue;
    const [name, kind] = standard;
    const converted = convertStandardClaim(value, kind);
    if (converted === undefined) return undefined;
    if (name !== null && converted !== null) mapped.set(name, converted);
  }
  return withTokenIdentifier(claims, new Map([...custom, ...mapped]));
}

/** @returns undefined for a wrong type, null for a well-formed value that has nothing to show */
function convertStandardClaim(value: Json, kind: StandardClaimKind): Json | undefined {
  switch (kind) {
    case "text":
      return typeof value === "string" ? value : undefined;
    case "flag":
      return typeof value === "boolean" ? value : undefined;
    case "time":
      return isSeconds(value) ? rfc3339(value) : undefined;
    case "address": {
      if (!isJsonObject(value)) return undefined;
      const formatted = value["formatted"] ?? null;
      return formatted === null || typeof formatted === "string" ? formatted : undefined;
    }
  }
}

function isSeconds(value: Json): value is number {
  return typeof value === "number" && Number.isFinite(new Date(value * 1000).getTime());
}

/** Chrono's RFC 3339: an offset in place of `Z`, and no fraction where it is zero. */
function rfc3339(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/(?:\.000)?Z$/, "+00:00");
}

/** The names whose types Convex checks when an admin acts as a user. */
const actingAsTexts = [
  "tokenIdentifier",
  "issuer",
  "subject",
  ...identityNames("text"),
  "address",
  "updatedAt",
];
const actingAsFlags = identityNames("flag");

function identityNames(kind: StandardClaimKind): string[] {
  return [...standardClaims.values()].flatMap(([name, of]) => (name !== null && of === kind ? [name] : []));
}

/**
 * The user as whom an admin wants to act: any identity that has a `tokenIdentifier`, or an `issuer` and a
 * `subject` to make one of.
 * @returns undefined when the value is not such an identity
 */
export function parseActingAs(value: Json): UserIdentity | undefined {
  if (!isJsonObject(value)) return undefined;
  const absent = (name: string) => (value[name] ?? null) === null;
  if (actingAsTexts.some((name) => !absent(name) && typeof value[name] !== "string")) return undefined;
  if (actingAsFlags.some((name) => !absent(name) && typeof value[name] !== "boolean")) return undefined;
  const { tokenIdentifier, issuer, subject } = value;
  const made =
    typeof issuer === "string" && typeof subject === "string"
      ? tokenIdentifierOf(issuer, subject)
      : undefined;
  const identifier = typeof tokenIdentifier === "string" ? tokenIdentifier : made;
  if (identifier === undefined) return undefined;
  const known = new Set([...actingAsTexts, ...actingAsFlags]);
  const kept = Object.entries(value).filter(([name, inner]) => inner !== null || !known.has(name));
  return deepFreeze<JsonObject & UserIdentity>({
    ...Object.fromEntries(kept),
    tokenIdentifier: identifier,
  });
}

function tokenIdentifierOf(issuer: string, subject: string): string {
  return `${issuer}|${subject}`;
}

function withTokenIdentifier(
  { issuer, subject }: VerifiedClaims,
  claims: ReadonlyMap<string, Json>,
): UserIdentity {
  const own = { tokenIdentifier: tokenIdentifierOf(issuer, subject), issuer, subject };
  // fromEntries defines properties instead of assigning them, so that a claim named `__proto__` is only a name.
  const others = Object.fromEntries([...claims].filter(([name]) => !(name in own)));
  return deepFreeze<JsonObject & UserIdentity>({ ...own, ...others });
}
