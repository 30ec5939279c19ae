import * as contract from "../contract/tenantsMutations";
import { authedMutation } from "../functions";
import { changeConfig, ensureTenant, requireAdministered } from "../model/tenants";

/** Changes policies of the caller's own tenant; gives the whole configuration. */
export const updateTenantConfig = authedMutation(contract.updateTenantConfig, async (ctx, { config }) =>
  changeConfig(ctx, await ensureTenant(ctx, requireAdministered(ctx)), config),
);
