import { internal } from "../_generated/api";
import type { NewCredentials } from "../contract/accessKeys";
import * as contract from "../contract/tenantsAccessKeys";
import { authedAction, authedMutation, authedQuery } from "../functions";
import * as accessKeys from "../model/accessKeys";
import { ensureTenant, findTenant, requireAdministered } from "../model/tenants";

const DAY_MS = 86_400_000;

/** Makes a set of credentials of the caller's tenant; gives it with its secrets, this once. */
export const createAccessKey = authedAction(
  contract.createAccessKey,
  async (ctx, { label }): Promise<NewCredentials> => {
    const { credentials, kept } = await accessKeys.makeCredentials();
    const key = { ...kept, ...(label !== undefined && { label }) };
    return { tenant: await ctx.runMutation(internal.credentials.keepOwn, { key }), ...credentials };
  },
);

/** The sets of credentials of the caller's tenant. */
export const listAccessKeys = authedQuery(contract.listAccessKeys, async (ctx) => {
  const tenant = await findTenant(ctx.db, requireAdministered(ctx));
  return tenant ? accessKeys.listAccessKeys(ctx.db, tenant._id) : [];
});

/** Makes a set of credentials in the place of another one, which stays good for a while. */
export const rotateAccessKey = authedAction(
  contract.rotateAccessKey,
  async (ctx, { accessKeyId, graceMs = DAY_MS }): Promise<NewCredentials> => {
    const { credentials, kept: key } = await accessKeys.makeCredentials();
    const replaces = { accessKeyId, until: Date.now() + graceMs };
    return { tenant: await ctx.runMutation(internal.credentials.keepOwn, { key, replaces }), ...credentials };
  },
);

/** Makes a set of credentials useless. */
export const revokeAccessKey = authedMutation(contract.revokeAccessKey, async (ctx, { accessKeyId }) => {
  const tenant = await ensureTenant(ctx, requireAdministered(ctx));
  await accessKeys.revokeAccessKey(ctx, tenant._id, accessKeyId, Date.now());
  return null;
});
