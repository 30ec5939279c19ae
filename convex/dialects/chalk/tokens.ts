/** Tokens as they travel: JWTs signed with a key of the deployment. For actions. */
import { decodeJwt, errors, jwtVerify, SignJWT } from "jose";
import { internal } from "../../_generated/api";
import type { ActionCtx } from "../../_generated/server";
import type { JoinTokenCheck } from "../../contract/tokens";
import { randomSecret, sha256, derivedSecret } from "../../model/secrets";
import { readToken, type KeptToken } from "../../model/opaqueTokens";
import type { Credential, Grant } from "./context";
import { refuse } from "./errors";
import { type Claims, claims as claimsSchema } from "./wire";

const ISSUER = "chalk";
const ALGORITHM = "HS256";

export const ACCESS_TOKEN_SECONDS = 3600;

const API_KEY = /^ck_(live|test)_[\w-]{1,200}$/;
const MAX_TOKEN_LENGTH = 4096;

/** The SHA-256 of an API key, by which it is kept; `invalid API key format`. */
export function hashOfApiKey(apiKey: string): Promise<string> {
  return API_KEY.test(apiKey) ? sha256(apiKey) : refuse("invalid API key format");
}

/** An access token for the bearer of a grant. */
export function signAccess({ claims }: Grant): Promise<string> {
  const expiresAt = Math.floor(Date.now() / 1000) + ACCESS_TOKEN_SECONDS;
  return sign({ ...claims, type: "access", jti: randomSecret(16) }, expiresAt);
}

/** The refresh token of a grant. @param text The token that has been kept. */
export function signRefresh({ claims, refreshUntil = 0 }: Grant, text: string): Promise<string> {
  return sign({ ...claims, type: "refresh", jti: text }, Math.floor(refreshUntil / 1000));
}

/** The key and the hash of a refresh token; refused if it is none of ours, or too old. */
export async function readRefresh(token: string): Promise<KeptToken> {
  const claims = await verify(token, "refresh");
  if (claims === "expired") refuse("refresh token has expired");
  const kept = claims === "invalid" ? null : await readToken(claims.jti);
  return kept ?? refuse("invalid refresh token");
}

/** With what a request comes; refused without anything, and with a token that is none of ours, or too old. */
export async function readCredential(ctx: ActionCtx, { headers }: Request): Promise<Credential> {
  const apiKey = headers.get("X-API-Key");
  if (apiKey !== null) return { kind: "apiKey", hash: await hashOfApiKey(apiKey) };
  const header = headers.get("Authorization");
  if (!header) refuse("missing authorization header");
  const [, token] = /^bearer (\S+)$/i.exec(header) ?? refuse("invalid authorization header format");
  if (token === undefined || token.length > MAX_TOKEN_LENGTH) refuse("invalid token");
  if (token.startsWith("ck_")) return { kind: "apiKey", hash: await hashOfApiKey(token) };
  if (!isOurs(token)) return bearerOfJoinToken(ctx, token);
  const claims = await verify(token, "access");
  if (claims === "expired") refuse("token has expired");
  if (claims === "invalid") refuse("invalid token");
  const { access_key_id, meeting_id, participant_id, token_version } = claims;
  return {
    kind: "token",
    ...(access_key_id !== undefined && { accessKeyId: access_key_id }),
    ...(meeting_id !== undefined && { meetingId: meeting_id }),
    ...(participant_id !== undefined && { participantId: participant_id }),
    ...(token_version !== undefined && { tokenVersion: token_version }),
  };
}

/** Who has a join token of the media server may call for themselves. */
async function bearerOfJoinToken(ctx: ActionCtx, token: string): Promise<Credential> {
  const check: JoinTokenCheck = await ctx.runAction(internal.livekit.check, { token });
  if (!check.active) refuse(check.reason === "expired" ? "token has expired" : "invalid token");
  return { kind: "token", participantId: check.participantId };
}

async function sign(claims: Claims, expiresAt: number): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: ALGORITHM, typ: "JWT" })
    .setIssuer(ISSUER)
    .setIssuedAt()
    .setExpirationTime(expiresAt)
    .sign(await signingKey());
}

async function verify(token: string, type: Claims["type"]): Promise<Claims | "invalid" | "expired"> {
  try {
    const { payload } = await jwtVerify(token, await signingKey(), {
      issuer: ISSUER,
      algorithms: [ALGORITHM],
    });
    const claims = claimsSchema.safeParse(payload).data;
    return claims?.type === type ? claims : "invalid";
  } catch (error) {
    if (error instanceof errors.JWTExpired) return "expired";
    if (error instanceof errors.JOSEError) return "invalid";
    throw error;
  }
}

/** Says a token that it is one of this wire? Whether that is true is another question. */
function isOurs(token: string): boolean {
  try {
    return decodeJwt(token).iss === ISSUER;
  } catch {
    return refuse("invalid token");
  }
}

async function signingKey(): Promise<Uint8Array> {
  return new TextEncoder().encode(await derivedSecret("chalk tokens"));
}
