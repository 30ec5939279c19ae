import * as z from "zod";
import { endpoint } from "./endpoint";
import { tenant } from "./tenants";

const tag = "Tenants";

export const getTenant = endpoint({
  path: "tenants/queries/getTenant",
  kind: "query",
  tag,
  access: "user",
  description:
    "The caller's own tenant with its configuration: that of the organization of the token, or the caller's alone. Null until its first meeting is created or its configuration is changed.",
  args: z.strictObject({}),
  returns: tenant.nullable(),
  errors: [],
  example: {
    args: {},
    value: {
      _id: "tenant_123example",
      _creationTime: 1_767_225_600_000,
      kind: "organization",
      name: "org_01EXAMPLE",
      config: { earlyJoinMs: 600_000 },
    },
  },
});
