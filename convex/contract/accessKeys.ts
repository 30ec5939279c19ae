import * as z from "zod";
import { id } from "./ids";

/** The most sets of credentials that are kept of a tenant, those included that were revoked last. */
export const MAX_ACCESS_KEYS = 100;

/** The name of a tenant that has been made by an administrator, or the id of a WorkOS organization. */
export const tenantName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
    "Must be up to 64 letters, digits, - and _, and not begin with - or _",
  );

export const accessKeyLabel = z.string().max(200).describe("For people, to tell sets of credentials apart");

/**
 * Fields of the table `accessKeys`: one set of credentials of a tenant, in the forms of all the systems whose wires are
 * served. A secret that signatures are checked with is encrypted, others are hashed.
 */
export const accessKeyFields = {
  tenantId: id("tenants"),
  label: accessKeyLabel.exactOptional(),
  accessKeyId: z.string(),
  /** Encrypted with CREDENTIALS_KEY. */
  sealedSecret: z.string(),
  apiKeyHash: z.string(),
  account: z.string(),
  passwordHash: z.string(),
  revokedAt: z
    .number()
    .exactOptional()
    .describe("Useless from then on, milliseconds since the epoch; may be in the future after a rotation"),
};

/** A set of credentials as its administrators see it once it has been made. */
export const accessKey = z.strictObject({
  _id: id("accessKeys"),
  _creationTime: z.number(),
  label: accessKeyFields.label,
  accessKeyId: z.string(),
  account: z.string(),
  revokedAt: accessKeyFields.revokedAt,
});

/** A set of credentials when it is made, the only time that its secrets are shown. */
export const newCredentials = z.strictObject({
  tenant: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  chalkApiKey: z.string(),
  huaweiAccount: z.string(),
  huaweiPassword: z.string(),
});
export type NewCredentials = z.infer<typeof newCredentials>;

/** Fields of the table `aliases`: what another system calls a document here. */
export const aliasFields = {
  tenantId: id("tenants"),
  /** The system and what it names, like `chime.meeting`. */
  kind: z.string(),
  alias: z.string(),
  /** Id of the document. */
  subject: z.string(),
};
