import * as z from "zod";
import { id } from "./ids";
import { text } from "./text";

export const displayName = text().trim().min(1).max(200);
export const avatarUrl = z
  .url({ protocol: /^https$/ })
  .max(2048)
  .describe("An https URL");
export const bio = text().max(1000);
export const email = z.email().max(320);

/** What everybody who is signed in may see of a person. */
const publicFields = {
  displayName: displayName.exactOptional(),
  avatarUrl: avatarUrl.exactOptional(),
  isActive: z.boolean(),
};

const userFields = {
  ...publicFields,
  workosUserId: text(),
  email: text(),
  bio: bio.exactOptional(),
  orgId: text().exactOptional().describe("WorkOS organization"),
  orgRole: text().exactOptional().describe("Role in that organization; not a role in a meeting"),
  lastSeenAt: z.number().exactOptional().describe("Milliseconds since the epoch, exact to a minute"),
};

/** Fields of the table `users`: what the API shows, and what only the synchronisation with WorkOS needs. */
export const userRow = {
  ...userFields,
  /** Organization and role in the token of the person's last `upsertUser`: the choice among several organizations. */
  sessionOrgId: text().exactOptional(),
  sessionOrgRole: text().exactOptional(),
  /** Fields which the person has set here; WorkOS does not overwrite them. */
  editedFields: z.array(z.enum(["displayName", "avatarUrl"])).exactOptional(),
  /**
   * The address for which WorkOS has vouched, in lower case: the only one by which a person is found or given anything.
   * `email` is only what the person says. No two users have the same one.
   */
  verifiedEmail: text().exactOptional(),
};

const systemFields = { _id: id("users"), _creationTime: z.number() };

export const publicUser = z.strictObject({ _id: id("users"), ...publicFields });
export const user = z.strictObject({ ...systemFields, ...userFields });

export type User = z.infer<typeof user>;
export type PublicUser = z.infer<typeof publicUser>;
