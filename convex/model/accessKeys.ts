import { omit } from "convex-helpers";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import { MAX_ACCESS_KEYS, type NewCredentials } from "../contract/accessKeys";
import { fail } from "./errors";
import { randomSecret, randomText, seal, sha256 } from "./secrets";

/** Who calls with an access key: everything of one tenant, and nothing of another. */
export interface Principal {
  tenantId: Id<"tenants">;
  accessKeyId: string;
}

const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LOWER = "abcdefghijklmnopqrstuvwxyz234567";

/** Secrets of a new set, and what is kept of them. For actions; NOT_CONFIGURED without CREDENTIALS_KEY. */
export async function makeCredentials(): Promise<{
  credentials: Omit<NewCredentials, "tenant">;
  kept: Pick<Doc<"accessKeys">, "accessKeyId" | "sealedSecret" | "apiKeyHash" | "account" | "passwordHash">;
}> {
  const credentials = {
    accessKeyId: `AKCM${randomText(UPPER, 16)}`,
    secretAccessKey: randomSecret(),
    chalkApiKey: `ck_live_${randomSecret()}`,
    huaweiAccount: `cm_${randomText(LOWER, 12)}`,
    huaweiPassword: randomSecret(24),
  };
  const [sealedSecret, apiKeyHash, passwordHash] = await Promise.all([
    seal(credentials.secretAccessKey),
    sha256(credentials.chalkApiKey),
    sha256(credentials.huaweiPassword),
  ]);
  const { accessKeyId, huaweiAccount: account } = credentials;
  return { credentials, kept: { accessKeyId, sealedSecret, apiKeyHash, account, passwordHash } };
}

/** Keeps a new set of credentials, in the place of the one that was revoked first if there are many. TOO_MANY_ACCESS_KEYS. */
export async function insertAccessKey(
  ctx: MutationCtx,
  fields: Omit<Doc<"accessKeys">, "_id" | "_creationTime">,
): Promise<void> {
  const keys = await keysOf(ctx.db, fields.tenantId);
  if (keys.length >= MAX_ACCESS_KEYS) await ctx.db.delete("accessKeys", requireRevoked(keys)._id);
  await ctx.db.insert("accessKeys", fields);
}

/** The set that was revoked first; TOO_MANY_ACCESS_KEYS if all are good. */
function requireRevoked(keys: readonly Doc<"accessKeys">[]): Doc<"accessKeys"> {
  const [first] = keys
    .filter((key) => !unrevoked(key))
    .toSorted((a, b) => (a.revokedAt ?? 0) - (b.revokedAt ?? 0));
  return (
    first ?? fail("TOO_MANY_ACCESS_KEYS", `A tenant has at most ${MAX_ACCESS_KEYS} good sets of credentials`)
  );
}

/** A tenant's sets of credentials without anything secret, the oldest first. */
export async function listAccessKeys(db: DatabaseReader, tenantId: Id<"tenants">) {
  return (await keysOf(db, tenantId)).map((key) =>
    omit(key, ["tenantId", "sealedSecret", "apiKeyHash", "passwordHash"]),
  );
}

/**
 * Makes a set of credentials useless from a time on, unless it is so already. ACCESS_KEY_NOT_FOUND for those of other tenants
 * too.
 */
export async function revokeAccessKey(
  ctx: MutationCtx,
  tenantId: Id<"tenants">,
  accessKeyId: string,
  revokedAt: number,
): Promise<void> {
  const key = await findAccessKey(ctx.db, accessKeyId);
  if (!key || key.tenantId !== tenantId) fail("ACCESS_KEY_NOT_FOUND", "There is no such access key");
  await ctx.db.patch("accessKeys", key._id, { revokedAt: Math.min(revokedAt, key.revokedAt ?? Infinity) });
}

/** The set with this access key id, unless it has been revoked. */
export async function findAccessKey(
  db: DatabaseReader,
  accessKeyId: string,
): Promise<Doc<"accessKeys"> | null> {
  return unrevoked(
    await db
      .query("accessKeys")
      .withIndex("by_access_key_id", (q) => q.eq("accessKeyId", accessKeyId))
      .unique(),
  );
}

/** The set whose API key has this SHA-256, unless it has been revoked. */
export async function findByApiKeyHash(
  db: DatabaseReader,
  apiKeyHash: string,
): Promise<Doc<"accessKeys"> | null> {
  return unrevoked(
    await db
      .query("accessKeys")
      .withIndex("by_api_key_hash", (q) => q.eq("apiKeyHash", apiKeyHash))
      .unique(),
  );
}

/** The set with this account, unless it has been revoked. */
export async function findByAccount(db: DatabaseReader, account: string): Promise<Doc<"accessKeys"> | null> {
  return unrevoked(
    await db
      .query("accessKeys")
      .withIndex("by_account", (q) => q.eq("account", account))
      .unique(),
  );
}

function unrevoked(key: Doc<"accessKeys"> | null): Doc<"accessKeys"> | null {
  return key && (key.revokedAt ?? Infinity) > Date.now() ? key : null;
}

function keysOf(db: DatabaseReader, tenantId: Id<"tenants">): Promise<Doc<"accessKeys">[]> {
  return db
    .query("accessKeys")
    .withIndex("by_tenant", (q) => q.eq("tenantId", tenantId))
    .take(MAX_ACCESS_KEYS);
}
