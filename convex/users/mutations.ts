import * as contract from "../contract/usersMutations";
import { authedMutation, identityMutation } from "../functions";
import { deactivate, noteSeen, updateProfile, upsertOwnUser } from "../model/profiles";

/** Creates or updates the caller's own user, after each sign-in; gives its id. FORBIDDEN: for somebody else. */
export const upsertUser = identityMutation(contract.upsertUser, (ctx, args) =>
  upsertOwnUser(ctx, ctx.identity, args),
);

/** Changes a profile, one's own or as an admin of the organization. */
export const updateUserProfile = authedMutation(contract.updateUserProfile, (ctx, args) =>
  updateProfile(ctx, args),
);

/** Deactivates a user, oneself or as an admin of the organization. */
export const deactivateUser = authedMutation(contract.deactivateUser, async (ctx, { userId }) => {
  await deactivate(ctx, userId);
  return null;
});

/** Notes that the caller is there, exact to a minute. */
export const updateLastSeen = authedMutation(contract.updateLastSeen, async (ctx) => {
  await noteSeen(ctx, ctx.user);
  return null;
});
