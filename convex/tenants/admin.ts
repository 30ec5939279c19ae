/** Tenants, for the deployment's administrators: `npx convex run tenants/admin:create '{"name": "acme"}'`. */
import { zodToConvex } from "convex-helpers/server/zod4";
import { paginationOptsValidator } from "convex/server";
import { v } from "convex/values";
import { internalMutation, internalQuery } from "../_generated/server";
import { tenantName } from "../contract/accessKeys";
import { configChanges } from "../contract/tenants";
import { fail } from "../model/errors";
import { parse } from "../model/parse";
import { changeConfig, createTenant, tenantView } from "../model/tenants";

/** Makes a tenant of its own name; gives its id. */
export const create = internalMutation({
  args: { name: zodToConvex(tenantName), config: v.optional(zodToConvex(configChanges)) },
  returns: v.id("tenants"),
  handler: async (ctx, { name, config = {} }) => {
    const tenant = await createTenant(ctx, parse(tenantName, name));
    await changeConfig(ctx, tenant, parse(configChanges, config));
    return tenant._id;
  },
});

/** Changes limits and policies of any tenant; null brings a default back. */
export const setConfig = internalMutation({
  args: { tenantId: v.string(), config: zodToConvex(configChanges) },
  handler: async (ctx, { tenantId: given, config }) => {
    const tenantId = ctx.db.normalizeId("tenants", given);
    const tenant = tenantId && (await ctx.db.get("tenants", tenantId));
    if (!tenant) fail("TENANT_NOT_FOUND", "There is no such tenant");
    return changeConfig(ctx, tenant, parse(configChanges, config));
  },
});

/** A page of all tenants: `'{"paginationOpts": {"numItems": 50, "cursor": null}}'`. */
export const list = internalQuery({
  args: { paginationOpts: paginationOptsValidator },
  handler: async ({ db }, { paginationOpts }) => {
    const result = await db.query("tenants").paginate(paginationOpts);
    return { ...result, page: result.page.map((tenant) => ({ ...tenantView(tenant), key: tenant.key })) };
  },
});
