/** Access tokens and control tokens, as rows. */
import type { Doc, Id } from "../../_generated/dataModel";
import type { MutationCtx } from "../../_generated/server";
import { findByAccount, type Principal } from "../../model/accessKeys";
import type { KeptToken } from "../../model/opaqueTokens";
import { sameSecret, sha256 } from "../../model/secrets";
import { refuse } from "./errors";

export const ACCESS_TOKEN_MS = 12 * 60 * 60_000;
export const CONTROL_TOKEN_MS = 30 * 60_000;

/** With this type of client an account has many access tokens, with each other one. */
const API_CLIENT = 72;
const MAX_API_TOKENS = 64;
const MAX_CONTROL_TOKENS = 64;

type Token = Doc<"huaweiTokens">;

/** Whom a request comes from, and by what its rate is counted. */
export interface Caller extends Principal {
  account?: string;
  rateKey: string;
}

/** The account whose password this is. */
export async function requireAccount(
  ctx: MutationCtx,
  account: string,
  password: string,
): Promise<Doc<"accessKeys">> {
  const [found, hash] = await Promise.all([findByAccount(ctx.db, account), sha256(password)]);
  if (!sameSecret(hash, found?.passwordHash ?? "") || !found) {
    refuse("wrongAccountOrPassword", "Incorrect account or password");
  }
  return found;
}

/** Keeps a new access token. Of those of the same owner the oldest dies if there would be too many. */
export async function keepAccessToken(
  ctx: MutationCtx,
  { tenantId, account }: Doc<"accessKeys">,
  clientType: number,
  kept: KeptToken,
): Promise<number> {
  const limit = clientType === API_CLIENT ? MAX_API_TOKENS : 1;
  const expiresAt = Date.now() + ACCESS_TOKEN_MS;
  const fields = { kind: "access" as const, tenantId, owner: `${account} ${clientType}`, account, expiresAt };
  await keep(ctx, { ...fields, ...kept }, limit);
  return expiresAt;
}

/** Keeps a new control token of a meeting. */
export async function keepControlToken(
  ctx: MutationCtx,
  { _id: meetingId, tenantId }: { _id: Id<"meetings">; tenantId: Id<"tenants"> },
  account: string | undefined,
  kept: KeptToken,
): Promise<number> {
  const expiresAt = Date.now() + CONTROL_TOKEN_MS;
  const fields = { kind: "control" as const, tenantId, owner: meetingId, meetingId, expiresAt };
  await keep(ctx, { ...fields, ...kept, ...(account !== undefined && { account }) }, MAX_CONTROL_TOKENS);
  return expiresAt;
}

/** Makes a control token good for another half hour. */
export async function renewControlToken(ctx: MutationCtx, token: Token): Promise<number> {
  const expiresAt = Date.now() + CONTROL_TOKEN_MS;
  await ctx.db.patch("huaweiTokens", token._id, { expiresAt });
  return expiresAt;
}

/** The caller of an access token that was sent. */
export async function requireAccessToken(
  ctx: MutationCtx,
  sent: KeptToken,
): Promise<{ caller: Caller; token: Token }> {
  const token = await findToken(ctx, "access", sent);
  const key = token?.account === undefined ? null : await findByAccount(ctx.db, token.account);
  if (!token || !key) refuse("authenticationFailed", "The access token is invalid or has expired");
  const { tenantId, accessKeyId, account } = key;
  return { caller: { tenantId, accessKeyId, account, rateKey: account }, token };
}

/** The control token that was sent, if it is good; null else. */
export async function findControlToken(
  ctx: MutationCtx,
  sent: KeptToken,
): Promise<{ caller: Caller; token: Token & { meetingId: Id<"meetings"> } } | null> {
  const token = await findToken(ctx, "control", sent);
  if (token?.meetingId === undefined) return null;
  const { meetingId, account } = token;
  if (account === undefined)
    return { caller: callerByPassword(token.tenantId, meetingId), token: { ...token, meetingId } };
  const key = await findByAccount(ctx.db, account);
  if (!key) return null;
  const { tenantId, accessKeyId } = key;
  return { caller: { tenantId, accessKeyId, account, rateKey: account }, token: { ...token, meetingId } };
}

/** Who has opened a meeting with nothing but its host password. */
export function callerByPassword(tenantId: Id<"tenants">, meetingId: Id<"meetings">): Caller {
  return { tenantId, accessKeyId: "host password", rateKey: meetingId };
}

/** Makes a token useless. */
export async function deleteToken(ctx: MutationCtx, token: Token): Promise<void> {
  await ctx.db.delete("huaweiTokens", token._id);
}

/**
 * Deletes tokens that have expired, the longest ago first.
 *
 * @returns how many were deleted, at most `limit`.
 */
export async function deleteExpired(ctx: MutationCtx, limit: number): Promise<number> {
  const expired = await ctx.db
    .query("huaweiTokens")
    .withIndex("by_expires_at", (q) => q.lt("expiresAt", Date.now()))
    .take(limit);
  await Promise.all(expired.map((token) => deleteToken(ctx, token)));
  return expired.length;
}

async function keep(
  ctx: MutationCtx,
  fields: Omit<Token, "_id" | "_creationTime">,
  limit: number,
): Promise<void> {
  const { kind, owner } = fields;
  const tokens = await ctx.db
    .query("huaweiTokens")
    .withIndex("by_owner", (q) => q.eq("kind", kind).eq("owner", owner))
    .take(limit);
  const [oldest] = tokens;
  if (oldest && tokens.length === limit) await deleteToken(ctx, oldest);
  await ctx.db.insert("huaweiTokens", fields);
}

async function findToken(ctx: MutationCtx, kind: Token["kind"], sent: KeptToken): Promise<Token | null> {
  const token = await ctx.db
    .query("huaweiTokens")
    .withIndex("by_key", (q) => q.eq("key", sent.key))
    .unique();
  if (token?.kind !== kind || !sameSecret(token.hash, sent.hash)) return null;
  return token.expiresAt > Date.now() ? token : null;
}
