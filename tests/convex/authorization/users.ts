import { allAdmins, type Expected, type Rows, type Stage, users } from "./stage";

/** For the admins of the organization of the user to whom it is done. */
const admins: Expected = { ...allAdmins, outsider: "FORBIDDEN" };

const ofNewcomer = ({ newcomer }: Stage) => ({ userId: newcomer.id });

export const usersMutations: Rows = {
  "users/mutations/upsertUser": {
    // In the name of the stranger.
    expected: {
      ...admins,
      stranger: "ok",
      deactivated: "FORBIDDEN",
      admin: "FORBIDDEN",
    },
    args: () => ({ workosUserId: "stranger", email: "stranger@example.com" }),
  },
  "users/mutations/updateUserProfile": {
    expected: admins,
    args: (stage) => ({ ...ofNewcomer(stage), displayName: "Ada" }),
  },
  "users/mutations/deactivateUser": { expected: admins, args: ofNewcomer },
  "users/mutations/updateLastSeen": { expected: users, args: () => ({}) },
};

export const usersQueries: Rows = {
  "users/queries/getCurrentUser": {
    expected: { ...users, stranger: "ok", deactivated: "ok" },
    args: () => ({}),
  },
  "users/queries/getUserById": { expected: users, args: ofNewcomer },
  "users/queries/listActiveUsersInOrg": {
    expected: users,
    args: () => ({ paginationOpts: { numItems: 5, cursor: null } }),
  },
};
