import * as z from "zod";
import { endpoint } from "./endpoint";
import { policyChanges, tenantConfig } from "./tenants";

const tag = "Tenants";

export const updateTenantConfig = endpoint({
  path: "tenants/mutations/updateTenantConfig",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Changes the policies given of the caller's own tenant; null brings a default back. Only for admins of the organization of the token; without an organization the tenant is the caller's alone. The limits in the answer are set by the deployment's administrator.",
  args: z.strictObject({ config: policyChanges }),
  returns: tenantConfig,
  errors: ["FORBIDDEN"],
  example: {
    args: { config: { earlyJoinMs: 600_000, duplicatePolicy: null } },
    value: { earlyJoinMs: 600_000, maxParticipantsPerMeeting: 250 },
  },
});
