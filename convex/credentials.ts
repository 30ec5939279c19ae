/** Sets of credentials of a tenant, for the deployment's administrators, `npx convex run credentials:issue '{"tenant": "acme"}'`, and for those of a tenant. */
import { zodToConvex } from "convex-helpers/server/zod4";
import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalAction, internalMutation, internalQuery } from "./_generated/server";
import { accessKeyFields, tenantName } from "./contract/accessKeys";
import {
  findAccessKey,
  insertAccessKey,
  listAccessKeys,
  makeCredentials,
  revokeAccessKey,
} from "./model/accessKeys";
import { requireIdentity, requireUser } from "./model/caller";
import { fail } from "./model/errors";
import { parse } from "./model/parse";
import { ensureTenant, findTenant, requireAdministered } from "./model/tenants";
import { tableFields } from "./validators";

const { tenantId: _, revokedAt: __, ...keptFields } = tableFields(accessKeyFields);

/**
 * Makes a set of credentials for a tenant, and the tenant if need be; the secrets are never shown again.
 * Fails with NOT_CONFIGURED (no CREDENTIALS_KEY) or TOO_MANY_ACCESS_KEYS.
 */
export const issue = internalAction({
  args: { tenant: zodToConvex(tenantName), label: v.optional(v.string()) },
  handler: async (ctx, { tenant: given, label }) => {
    const tenant = parse(tenantName, given);
    const { credentials, kept } = await makeCredentials();
    await ctx.runMutation(internal.credentials.keep, {
      tenant,
      key: { ...kept, ...(label !== undefined && { label }) },
    });
    return { tenant, ...credentials };
  },
});

/** Keeps what {@link issue} has made. */
export const keep = internalMutation({
  args: { tenant: v.string(), key: v.object(keptFields) },
  returns: v.null(),
  handler: async (ctx, { tenant, key }) => {
    const { _id: tenantId } = await ensureTenant(ctx, { kind: "custom", of: tenant });
    await insertAccessKey(ctx, { tenantId, ...key });
    return null;
  },
});

/**
 * Keeps a set that an administrator of the caller's tenant has made; gives the tenant's name. `replaces`: the set in whose place
 * it comes, and until when that one is good. Fails with FORBIDDEN, ACCESS_KEY_NOT_FOUND or TOO_MANY_ACCESS_KEYS.
 */
export const keepOwn = internalMutation({
  args: {
    key: v.object(keptFields),
    replaces: v.optional(v.object({ accessKeyId: v.string(), until: v.number() })),
  },
  returns: v.string(),
  handler: async (ctx, { key, replaces }) => {
    const identity = await requireIdentity(ctx);
    const user = await requireUser(ctx, identity);
    const { _id: tenantId, name } = await ensureTenant(ctx, requireAdministered({ identity, user }));
    if (replaces) await revokeAccessKey(ctx, tenantId, replaces.accessKeyId, replaces.until);
    await insertAccessKey(ctx, { tenantId, ...key });
    return name;
  },
});

/** What signatures made with an access key are checked against; null for keys that are unknown or revoked. */
export const find = internalQuery({
  args: { accessKeyId: v.string() },
  returns: v.union(v.null(), v.object({ tenantId: v.id("tenants"), sealedSecret: v.string() })),
  handler: async ({ db }, { accessKeyId }) => {
    const key = await findAccessKey(db, accessKeyId);
    return key && { tenantId: key.tenantId, sealedSecret: key.sealedSecret };
  },
});

/** A tenant's sets of credentials without their secrets. */
export const list = internalQuery({
  args: { tenant: v.string() },
  handler: async ({ db }, { tenant }) => {
    const found = await findTenant(db, { kind: "custom", of: tenant });
    return found ? listAccessKeys(db, found._id) : [];
  },
});

/** Makes a set of credentials useless. Fails with TENANT_NOT_FOUND or ACCESS_KEY_NOT_FOUND. */
export const revoke = internalMutation({
  args: { tenant: v.string(), accessKeyId: v.string() },
  returns: v.null(),
  handler: async (ctx, { tenant, accessKeyId }) => {
    const found = await findTenant(ctx.db, { kind: "custom", of: tenant });
    if (!found) fail("TENANT_NOT_FOUND", "There is no such tenant");
    await revokeAccessKey(ctx, found._id, accessKeyId, Date.now());
    return null;
  },
});
