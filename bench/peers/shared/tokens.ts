import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from "jose";
import { Refusal } from "./answers";

const CACHED_TOKENS = 10_000;

/** The subject of a bearer token; a promise only for one that has not been verified before. Throws {@link Refusal}. */
export type Verify = (authorization: string | undefined) => string | Promise<string>;

/**
 * Verifies RS256 tokens as the embedded runtime does: signature and issuer once a token, the expiry every time. The key
 * set is that of `WORKOS_JWKS_URL`, a data: URL.
 */
export function createVerify(environment: NodeJS.ProcessEnv): Verify {
  const [, base64 = ""] = (environment["WORKOS_JWKS_URL"] ?? "").split("base64,");
  const keys = createLocalJWKSet(JSON.parse(Buffer.from(base64, "base64").toString()) as JSONWebKeySet);
  const issuer = `https://api.workos.com/user_management/${environment["WORKOS_CLIENT_ID"]}`;
  const verified = new Map<string, { readonly subject: string; readonly expiresAtMs: number }>();

  const verifyAnew = async (token: string) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ["RS256"],
        issuer,
        requiredClaims: ["sub", "exp"],
      });
      const { sub: subject = "", exp = 0 } = payload;
      if (verified.size >= CACHED_TOKENS) verified.clear();
      verified.set(token, { subject, expiresAtMs: exp * 1000 });
      return subject;
    } catch {
      throw new Refusal("UNAUTHENTICATED");
    }
  };

  return (authorization) => {
    if (!authorization?.startsWith("Bearer ")) throw new Refusal("UNAUTHENTICATED");
    const token = authorization.slice("Bearer ".length);
    const known = verified.get(token);
    return known && Date.now() < known.expiresAtMs ? known.subject : verifyAnew(token);
  };
}
