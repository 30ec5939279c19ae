import * as z from "zod";
import { accessKey, accessKeyLabel, MAX_ACCESS_KEYS, newCredentials } from "./accessKeys";
import { endpoint } from "./endpoint";

const tag = "Tenants";

const who =
  "Only for admins of the organization of the token; without an organization the tenant is the caller's alone.";

const DAY_MS = 86_400_000;

const accessKeyId = z.string().max(200).describe("As it was shown when the set was made");

const example = {
  tenant: "org_01EXAMPLE",
  accessKeyId: "AKCMEXAMPLE",
  secretAccessKey: "secret_example",
  chalkApiKey: "ck_live_example",
  huaweiAccount: "cm_example",
  huaweiPassword: "password_example",
};

export const createAccessKey = endpoint({
  path: "tenants/accessKeys/createAccessKey",
  kind: "action",
  tag,
  access: "user",
  description: `Makes a set of credentials with which applications call for the caller's tenant over the wires of other systems. Its secrets are shown this once. A tenant has at most ${MAX_ACCESS_KEYS} sets that are good. ${who}`,
  args: z.strictObject({ label: accessKeyLabel.exactOptional() }),
  returns: newCredentials,
  errors: ["FORBIDDEN", "TOO_MANY_ACCESS_KEYS", "NOT_CONFIGURED"],
  example: { args: { label: "Billing" }, value: example },
});

export const listAccessKeys = endpoint({
  path: "tenants/accessKeys/listAccessKeys",
  kind: "query",
  tag,
  access: "user",
  description: `The sets of credentials of the caller's tenant, the oldest first, without their secrets. Revoked ones are listed until new ones need their place: there are at most ${MAX_ACCESS_KEYS} in all. ${who}`,
  args: z.strictObject({}),
  returns: z.array(accessKey),
  errors: ["FORBIDDEN"],
  example: {
    args: {},
    value: [
      {
        _id: "accesskey_123example",
        _creationTime: 1_767_225_600_000,
        label: "Billing",
        accessKeyId: example.accessKeyId,
        account: example.huaweiAccount,
      },
    ],
  },
});

export const rotateAccessKey = endpoint({
  path: "tenants/accessKeys/rotateAccessKey",
  kind: "action",
  tag,
  access: "user",
  description: `Makes a set of credentials that takes the place of another one, which stays good for as long as \`graceMs\` says. ${who}`,
  args: z.strictObject({
    accessKeyId,
    graceMs: z
      .int()
      .min(0)
      .max(30 * DAY_MS)
      .exactOptional()
      .describe("For how long the old set is good, milliseconds; 86,400,000 if absent"),
  }),
  returns: newCredentials,
  errors: ["FORBIDDEN", "ACCESS_KEY_NOT_FOUND", "TOO_MANY_ACCESS_KEYS", "NOT_CONFIGURED"],
  example: { args: { accessKeyId: example.accessKeyId, graceMs: 0 }, value: example },
});

export const revokeAccessKey = endpoint({
  path: "tenants/accessKeys/revokeAccessKey",
  kind: "mutation",
  tag,
  access: "user",
  description: `Makes a set of credentials useless at once. ${who}`,
  args: z.strictObject({ accessKeyId }),
  returns: z.null(),
  errors: ["FORBIDDEN", "ACCESS_KEY_NOT_FOUND"],
  example: { args: { accessKeyId: example.accessKeyId }, value: null },
});
