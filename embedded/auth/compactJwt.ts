import { isJsonObject, type Json, type JsonObject } from "../values/json";
import { parseJson } from "./json";

/** A token taken apart. Nothing in it is verified yet. */
export interface CompactJwt {
  /** undefined if the first part is not a JSON object; it then cannot be verified either. */
  readonly header: JsonObject | undefined;
  readonly claims: JsonObject;
  readonly registered: RegisteredClaims;
}

/** Times in whole seconds since the epoch, audiences always as a list. */
export interface RegisteredClaims {
  readonly iss: string | undefined;
  readonly sub: string | undefined;
  readonly aud: readonly string[];
  readonly exp: number | undefined;
  readonly nbf: number | undefined;
  readonly iat: number | undefined;
}

/**
 * A limit to the work that an unverified token can cause. Real tokens have about 1 KiB; Node refuses larger
 * headers long before, but a token also arrives in a socket's message.
 */
const MAX_TOKEN_CHARACTERS = 64 * 1024;

/** @returns undefined if the token's payload cannot be read, or if a registered claim has the wrong type */
export function parseCompactJwt(token: string): CompactJwt | undefined {
  if (token.length > MAX_TOKEN_CHARACTERS) return undefined;
  const [headerPart, payloadPart, signature, ...more] = token.split(".", 4);
  // An empty signature is a token's that is not signed: it is well-formed, and refused later.
  if (signature === undefined || more.length > 0 || !/^[\w-]*$/.test(signature)) return undefined;
  const claims = decodePart(payloadPart);
  if (claims === undefined) return undefined;
  const registered = readRegistered(claims);
  return registered && { header: decodePart(headerPart), claims, registered };
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function decodePart(part: string | undefined): JsonObject | undefined {
  // Buffer skips characters that are not base64url, which would give one token many spellings.
  if (part === undefined || !/^[\w-]+$/.test(part)) return undefined;
  try {
    const value = parseJson(utf8.decode(Buffer.from(part, "base64url")));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function readRegistered(claims: JsonObject): RegisteredClaims | undefined {
  // A claim of null counts as absent.
  const claim = (name: string) => claims[name] ?? undefined;
  const [iss, sub, jti] = [claim("iss"), claim("sub"), claim("jti")];
  const [exp, nbf, iat] = [claim("exp"), claim("nbf"), claim("iat")];
  const aud = audiences(claims["aud"] ?? []);
  if (!isText(iss) || !isText(sub) || !isText(jti) || aud === undefined) return undefined;
  if (!isSeconds(exp) || !isSeconds(nbf) || !isSeconds(iat)) return undefined;
  return { iss, sub, aud, exp: whole(exp), nbf: whole(nbf), iat: whole(iat) };
}

function isText(value: Json | undefined): value is string | undefined {
  return value === undefined || typeof value === "string";
}

/** The last second that a Date can hold. */
const MAX_SECONDS = 8.64e12;

function isSeconds(value: Json | undefined): value is number | undefined {
  return value === undefined || (typeof value === "number" && value >= 0 && value <= MAX_SECONDS);
}

function whole(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds);
}

function audiences(value: Json): readonly string[] | undefined {
  if (typeof value === "string") return [value];
  if (!Array.isArray(value)) return undefined;
  const list: Json[] = value;
  return list.every((audience) => typeof audience === "string") ? list : undefined;
}
