import { createHash, generateKeyPair, randomBytes, randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { SignJWT, exportJWK, importJWK, calculateJwkThumbprint, type CryptoKey, type JWK } from "jose";

/** The client id for which development tokens are issued. */
const DEVELOPMENT_CLIENT_ID = "client_development";

const FILE_NAME = "development-issuer.json";

/** The key file can't be used. The message is one line for the user; the file is left as it is. */
export class DevelopmentKeyError extends Error {
  override readonly name = "DevelopmentKeyError";
}

/** What a development token says about its owner. */
export interface DevelopmentToken {
  /** The WorkOS user id, `user_...`. */
  readonly subject: string;
  /** The e-mail address, which WorkOS puts into tokens if a JWT template of the project says so. */
  readonly email?: string;
  /** The WorkOS organization id, `org_...`. */
  readonly organizationId?: string;
  /** The role in that organization. */
  readonly role?: string;
  /**
   * Which of WorkOS's two issuers the token names: "api" is `https://api.workos.com`, "client" (the default)
   * is `https://api.workos.com/user_management/<client id>`.
   */
  readonly issuerForm?: "api" | "client";
  /** 300 by default, as WorkOS does it. */
  readonly expiresInSeconds?: number;
  /** The time of issue in ms since the epoch; the present by default. */
  readonly nowMs?: number;
}

/** A stand-in for WorkOS AuthKit: it signs access tokens of the real shape with a key of its own. */
export interface DevelopmentIssuer {
  /** What a deployment's environment needs so that the app's `auth.config.ts` accepts these tokens. */
  readonly environment: { readonly WORKOS_CLIENT_ID: string; readonly WORKOS_JWKS_URL: string };
  sign(token: DevelopmentToken): Promise<string>;
}

/**
 * The development issuer of a data folder. Its key is made at the first call, which takes some 0.1 to 0.3 s,
 * and kept in `development-issuer.json`, readable by the owner alone.
 *
 * @throws DevelopmentKeyError if the file is there but cannot be used
 */
export async function loadDevelopmentIssuer(folder: string): Promise<DevelopmentIssuer> {
  const path = join(folder, FILE_NAME);
  const text = (await readIfPresent(path)) ?? (await createKeyFile(folder, path));
  const { privateKey, publicJwk, keyId } = await importKey(text).catch((error: unknown) => {
    throw unusable(path, error);
  });
  const keySet = Buffer.from(JSON.stringify({ keys: [publicJwk] })).toString("base64");
  return {
    environment: {
      WORKOS_CLIENT_ID: DEVELOPMENT_CLIENT_ID,
      WORKOS_JWKS_URL: `data:application/json;base64,${keySet}`,
    },
    sign: (token) => sign(token, privateKey, keyId),
  };
}

function sign(token: DevelopmentToken, key: CryptoKey, keyId: string): Promise<string> {
  const issuedAt = Math.floor((token.nowMs ?? Date.now()) / 1000);
  const base = "https://api.workos.com";
  const claims = {
    iss: token.issuerForm === "api" ? base : `${base}/user_management/${DEVELOPMENT_CLIENT_ID}`,
    sub: token.subject,
    sid: `session_${crockford(randomBytes(16))}`,
    jti: crockford(randomBytes(16)),
    iat: issuedAt,
    exp: issuedAt + (token.expiresInSeconds ?? 300),
    ...(token.email === undefined ? {} : { email: token.email }),
    ...(token.organizationId === undefined ? {} : { org_id: token.organizationId }),
    ...(token.role === undefined ? {} : { role: token.role }),
  };
  return new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: keyId }).sign(key);
}

/** The WorkOS user id of an e-mail address: always the same one, whatever case the address is written in. */
export function userIdForEmail(email: string): string {
  const digest = createHash("sha256").update(email.trim().toLowerCase()).digest();
  return `user_${crockford(digest.subarray(0, 16))}`;
}

/** 16 bytes as the 26 Crockford base-32 characters of a ULID. */
function crockford(bytes: Uint8Array): string {
  const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  let rest = BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
  let text = "";
  for (let i = 0; i < 26; i += 1) {
    text = alphabet.charAt(Number(rest & 31n)) + text;
    rest >>= 5n;
  }
  return text;
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw unusable(path, error);
  }
}

/** Makes the key file whole or not at all. @returns its text, or the text of another process that was faster */
async function createKeyFile(folder: string, path: string): Promise<string> {
  const text = await newKeyText();
  await mkdir(folder, { recursive: true });
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    // A link, other than a rename, fails if there is a file already: two first starts agree on one key.
    await link(temporary, path);
  } catch (error) {
    if (hasCode(error, "EEXIST")) {
      await unlink(temporary);
      return readFile(path, "utf8");
    }
    // Some file systems have no links.
    await rename(temporary, path);
    return text;
  }
  await unlink(temporary);
  return text;
}

async function newKeyText(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const jwk = await exportJWK(privateKey);
  const kid = `development_${await calculateJwkThumbprint(jwk)}`;
  const about = "The key of this deployment's development tokens. Not used once WORKOS_CLIENT_ID is set.";
  return `${JSON.stringify({ about, privateKey: { ...jwk, kid, alg: "RS256", use: "sig" } }, null, 2)}\n`;
}

async function importKey(text: string): Promise<{ privateKey: CryptoKey; publicJwk: JWK; keyId: string }> {
  const jwk = (JSON.parse(text) as { privateKey?: JWK } | null)?.privateKey;
  if (jwk?.kty !== "RSA" || jwk.n === undefined || jwk.e === undefined || typeof jwk.kid !== "string") {
    throw new Error("it holds no RSA key");
  }
  const { n, e, kid } = jwk;
  const privateKey = await importJWK(jwk, "RS256");
  if (privateKey instanceof Uint8Array || privateKey.type !== "private") {
    throw new Error("it holds no private key");
  }
  return { privateKey, publicJwk: { kty: "RSA", use: "sig", alg: "RS256", kid, n, e }, keyId: kid };
}

function unusable(path: string, error: unknown): DevelopmentKeyError {
  // JSON.parse quotes the text, which here is a private key.
  const reason =
    error instanceof SyntaxError ? "it is not JSON" : error instanceof Error ? error.message : "unknown";
  const [line = ""] = reason.split("\n");
  return new DevelopmentKeyError(
    `The development issuer's key file ${path} cannot be used: ${line}. ` +
      "Restore it, or move it away to have a new key made (tokens signed with the old key stop working).",
  );
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
