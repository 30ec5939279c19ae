import * as contract from "../contract/tenantsQueries";
import { authedQuery } from "../functions";
import { findTenant, tenantNameOf, tenantView } from "../model/tenants";

/** The caller's own tenant; null until something of it is needed. */
export const getTenant = authedQuery(contract.getTenant, async (ctx) => {
  const tenant = await findTenant(ctx.db, tenantNameOf(ctx.identity, ctx.user));
  return tenant && tenantView(tenant);
});
