import * as z from "zod";
import { endpoint } from "./endpoint";
import { id } from "./ids";
import { text } from "./text";
import { avatarUrl, bio, displayName, email } from "./users";

const tag = "Users";

export const upsertUser = endpoint({
  path: "users/mutations/upsertUser",
  kind: "mutation",
  tag,
  access: "identity",
  description:
    "Creates or updates the caller's own user: to be called once after each sign-in. The organization and the role in it are taken from the token. What WorkOS has reported by webhook is not overwritten.",
  args: z.strictObject({
    workosUserId: text().min(1).max(256).describe("Must be the subject of the token"),
    email,
    displayName: displayName.exactOptional(),
  }),
  returns: id("users"),
  errors: ["FORBIDDEN", "USER_DEACTIVATED"],
  example: {
    args: { workosUserId: "user_01EXAMPLE", email: "ada@example.com", displayName: "Ada Lovelace" },
    value: "user_456example",
  },
});

export const updateUserProfile = endpoint({
  path: "users/mutations/updateUserProfile",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Changes the fields given of a person's profile: one's own, or, for an admin of the organization, that of one of its people.",
  args: z.strictObject({
    userId: id("users"),
    displayName: displayName.exactOptional(),
    avatarUrl: avatarUrl.exactOptional(),
    bio: bio.exactOptional(),
  }),
  returns: id("users"),
  errors: ["FORBIDDEN", "USER_NOT_FOUND"],
  example: {
    args: { userId: "user_456example", displayName: "Ada Lovelace" },
    value: "user_456example",
  },
});

export const deactivateUser = endpoint({
  path: "users/mutations/deactivateUser",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Deactivates oneself, or, for an admin of the organization, one of its people: the user can do nothing from then on, cannot be added to a meeting and is put out of those that are going on.",
  args: z.strictObject({ userId: id("users") }),
  returns: z.null(),
  errors: ["FORBIDDEN", "USER_NOT_FOUND", "USER_ALREADY_DEACTIVATED"],
  example: { args: { userId: "user_456example" }, value: null },
});

export const updateLastSeen = endpoint({
  path: "users/mutations/updateLastSeen",
  kind: "mutation",
  tag,
  access: "user",
  description: "Notes that the caller is there. Stored at most once a minute.",
  args: z.strictObject({}),
  returns: z.null(),
  errors: [],
  example: { args: {}, value: null },
});
