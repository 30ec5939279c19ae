import * as contract from "../contract/meetingsInvitations";
import { authedMutation, authedQuery, hostMutation } from "../functions";
import { requireHost } from "../model/access";
import * as answers from "../model/invitationAnswers";
import * as invitations from "../model/invitations";

/** Invites up to 500 people by e-mail, phone, SIP or SMS, for a host, and says what has become of each. */
export const inviteParticipants = hostMutation(
  contract.inviteParticipants,
  "change",
  async (edit, args, { user }) => ({ results: await invitations.invite(edit, args, user._id) }),
);

/** Sends an invitation again, for a host. */
export const resendInvitation = hostMutation(
  contract.resendInvitation,
  "change",
  async (edit, { invitationId }) => {
    await invitations.resend(edit, await invitations.requireInvitation(edit, invitationId));
    return null;
  },
);

/** Takes an invitation back, for a host. */
export const revokeInvitation = hostMutation(
  contract.revokeInvitation,
  "change",
  async (edit, { invitationId }) => {
    await invitations.revoke(edit, await invitations.requireInvitation(edit, invitationId));
    return null;
  },
);

/** A page of the invitations to a meeting, for its hosts. */
export const listInvitations = authedQuery(contract.listInvitations, async (ctx, args) => {
  const { meeting } = await requireHost(ctx.db, args.meetingId, ctx.user);
  return invitations.listInvitationsOf(ctx.db, meeting._id, args.state, args.paginationOpts);
});

/** The pending invitations to the caller's verified address. */
export const listOwnInvitations = authedQuery(contract.listOwnInvitations, (ctx) =>
  answers.listOwn(ctx.db, ctx.user.verifiedEmail),
);

/** Accepts an invitation by the secret of its link, or one to the caller's address. */
export const acceptInvitation = authedMutation(contract.acceptInvitation, (ctx, args) =>
  answers.accept(ctx, args),
);

/** Declines an invitation. */
export const declineInvitation = authedMutation(contract.declineInvitation, async (ctx, args) => {
  await answers.decline(ctx, args);
  return null;
});
