import * as z from "zod";
import { endpoint } from "./endpoint";
import { id } from "./ids";
import { examplePage, examplePaginationOpts, pageOf, paginationOpts } from "./pagination";
import { publicUser, user } from "./users";

const tag = "Users";

const publicExample = { _id: "user_456example", displayName: "Ada Lovelace", isActive: true };
const example = {
  ...publicExample,
  _creationTime: 1_767_225_600_000,
  workosUserId: "user_01EXAMPLE",
  email: "ada@example.com",
  orgId: "org_01EXAMPLE",
  orgRole: "member",
};

export const getCurrentUser = endpoint({
  path: "users/queries/getCurrentUser",
  kind: "query",
  tag,
  access: "identity",
  description: "The caller's own user, or null if `upsertUser` has not been called yet.",
  args: z.strictObject({}),
  returns: user.nullable(),
  errors: [],
  example: { args: {}, value: example },
});

export const getUserById = endpoint({
  path: "users/queries/getUserById",
  kind: "query",
  tag,
  access: "user",
  description:
    "A user: everything about oneself and the people of one's own organization, else name, picture and whether active; null if unknown.",
  args: z.strictObject({ userId: id("users") }),
  returns: z.union([user, publicUser, z.null()]),
  errors: [],
  example: { args: { userId: "user_456example" }, value: publicExample },
});

export const listActiveUsersInOrg = endpoint({
  path: "users/queries/listActiveUsersInOrg",
  kind: "query",
  tag,
  access: "user",
  description: "A page of the active people in the organization of the caller's token.",
  args: z.strictObject({ paginationOpts }),
  returns: pageOf(user),
  errors: ["FORBIDDEN"],
  example: {
    args: { paginationOpts: examplePaginationOpts },
    value: examplePage(example),
  },
});
