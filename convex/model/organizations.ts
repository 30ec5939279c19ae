import type { Doc } from "../_generated/dataModel";

/** An organization of WorkOS and a person's role in it. */
export interface Organization {
  orgId?: string | undefined;
  orgRole?: string | undefined;
}

type Membership = Pick<
  Doc<"workosMemberships">,
  "orgId" | "orgRole" | "active" | "deleted" | "createdAt" | "membershipId"
>;

/**
 * The one organization that a user's row names: that of the person's session, unless WorkOS has said that they are not
 * in it any more; else the one they have been in the longest. Depends on what is known alone, not on the order in which
 * it became known.
 *
 * @param session What the person's token said at the last sign-in.
 */
export function chooseOrganization(memberships: readonly Membership[], session: Organization): Organization {
  const ofSession = memberships.filter(({ orgId }) => orgId === session.orgId);
  if (session.orgId !== undefined && ofSession.length === 0) return session;
  const longest = oldestActive(ofSession) ?? oldestActive(memberships);
  return { orgId: longest?.orgId, orgRole: longest?.orgRole };
}

function oldestActive(memberships: readonly Membership[]): Membership | undefined {
  return memberships
    .filter(({ active, deleted }) => active && !deleted)
    .toSorted((a, b) => a.createdAt - b.createdAt || (a.membershipId < b.membershipId ? -1 : 1))[0];
}
