import * as contract from "../contract/usersQueries";
import { authedQuery, identityQuery } from "../functions";
import { organizationOf } from "../model/caller";
import { fail } from "../model/errors";
import { ownView, publicView } from "../model/profiles";
import { findById, findByWorkosId } from "../model/users";

/** The caller's own user, deactivated or not; null before `upsertUser`. */
export const getCurrentUser = identityQuery(contract.getCurrentUser, async (ctx) => {
  const user = await findByWorkosId(ctx.db, ctx.identity.subject);
  return user && ownView(user);
});

/** A user: in full for oneself and one's organization, else the public part; null if unknown. */
export const getUserById = authedQuery(contract.getUserById, async (ctx, { userId }) => {
  const user = await findById(ctx.db, userId);
  const { orgId } = organizationOf(ctx.identity);
  const isOwn = user?._id === ctx.user._id || (orgId !== undefined && user?.orgId === orgId);
  return user && (isOwn ? ownView(user) : publicView(user));
});

/** A page of the active people in the organization of the caller's token. FORBIDDEN: a token without one. */
export const listActiveUsersInOrg = authedQuery(
  contract.listActiveUsersInOrg,
  async (ctx, { paginationOpts }) => {
    const { orgId } = organizationOf(ctx.identity);
    if (orgId === undefined) fail("FORBIDDEN", "The token names no organization");
    const result = await ctx.db
      .query("users")
      .withIndex("by_org_and_active", (q) => q.eq("orgId", orgId).eq("isActive", true))
      .paginate(paginationOpts);
    return { ...result, page: result.page.map(ownView) };
  },
);
