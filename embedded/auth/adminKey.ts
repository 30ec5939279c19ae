import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { AuthError } from "./authError";
import { parseActingAs, type UserIdentity } from "./identity";
import { parseJson } from "./json";

/** What a request claims to be. Neither token nor key has been checked. */
export type Credentials =
  | { readonly kind: "none" }
  | { readonly kind: "user"; readonly token: string }
  | { readonly kind: "admin"; readonly key: string; readonly actingAs?: UserIdentity };

/**
 * Reads an `Authorization` header: `Bearer {jwt}`, `Convex {admin key}` or `Convex {admin key}:{base64 JSON}`,
 * where the JSON is the identity as which the admin wants to act. Schemes are matched without regard to case.
 *
 * @param header undefined if the request has none
 * @param adminKeyParameter the `adminKey` parameter of the URL, which counts only without a header
 * @throws AuthError 400
 */
export function parseAuthorization(header: string | undefined, adminKeyParameter?: string): Credentials {
  if (header === undefined) {
    return adminKeyParameter === undefined ? { kind: "none" } : { kind: "admin", key: adminKeyParameter };
  }
  if (!/^[\t\x20-\x7e]*$/.test(header)) throw malformedHeader();
  if (header.length < 7) {
    throw new AuthError("InvalidHeaderFailure", 400, "Invalid authentication header");
  }
  const scheme = header.slice(0, 7).toLowerCase();
  const rest = header.slice(7);
  if (scheme === "convex ") return parseAdminKey(rest);
  if (scheme === "bearer " && rest !== "") return { kind: "user", token: rest.trim() };
  throw new AuthError("InvalidAdminKey", 400, "Invalid admin key");
}

function parseAdminKey(written: string): Credentials {
  const key = withoutTypePrefix(written);
  const colon = key.indexOf(":");
  if (colon === -1) return { kind: "admin", key };
  const actingAs = decodeActingAs(key.slice(colon + 1));
  if (actingAs === undefined) throw malformedHeader();
  return { kind: "admin", key: key.slice(0, colon), actingAs };
}

function decodeActingAs(base64: string): UserIdentity | undefined {
  try {
    return parseActingAs(parseJson(Buffer.from(base64, "base64").toString("utf8")));
  } catch {
    return undefined;
  }
}

/** `prod:name|secret` is `name|secret`: the dashboard and the CLI write the kind of deployment in front. */
function withoutTypePrefix(key: string): string {
  const bar = key.indexOf("|");
  const colon = key.indexOf(":");
  return colon !== -1 && colon < bar ? key.slice(colon + 1) : key;
}

function malformedHeader(): AuthError {
  return new AuthError("HeaderParseFailure", 400, "Malformed Authorization header.");
}

/** A new random admin key of 256 bits, `{instance name}|{hex}`. */
export function newAdminKey(instanceName: string): string {
  return `${instanceName}|${randomBytes(32).toString("hex")}`;
}

/** Whether a key can be sent in a header as {@link parseAuthorization} reads it. */
export function isUsableAdminKey(key: string): boolean {
  return /^[\x21-\x7e]+$/.test(key) && !withoutTypePrefix(key).includes(":");
}

/**
 * Whether a given key is the deployment's. How long this takes says nothing about the expected key: digests of
 * equal length are compared, in constant time.
 */
export function isAdminKey(given: string, expected: string): boolean {
  const digest = (key: string) => createHash("sha256").update(withoutTypePrefix(key)).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
