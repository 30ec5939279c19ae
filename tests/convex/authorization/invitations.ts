import { api } from "../../../convex/_generated/api";
import type { Id } from "../../../convex/_generated/dataModel";
import { hosts, type Rows, type Stage, users } from "./stage";

/** An invitation to the meeting, by the stage on which it was made. */
const made = new WeakMap<Stage, Id<"invitations">>();

async function invite(stage: Stage): Promise<void> {
  const { host, meetingId } = stage;
  const { results } = await host.as.mutation(api.meetings.invitations.inviteParticipants, {
    meetingId,
    invitations: [{ email: "grace@example.com" }],
  });
  const [invited] = results;
  if (invited?.invitationId) made.set(stage, invited.invitationId);
}

/** Lets a minute pass, after which an invitation can be sent again. */
async function inviteLongAgo(stage: Stage): Promise<void> {
  await invite(stage);
  const invitationId = made.get(stage);
  if (invitationId) await stage.app.run((ctx) => ctx.db.patch("invitations", invitationId, { sentAt: 0 }));
}

const ofInvitation = (stage: Stage) => ({ meetingId: stage.meetingId, invitationId: made.get(stage) });

/** Nobody on the stage has the address or the secret. */
const nobodyInvited = {
  ...users,
  observer: "INVITATION_NOT_FOUND",
  participant: "INVITATION_NOT_FOUND",
  "co-host": "INVITATION_NOT_FOUND",
  host: "INVITATION_NOT_FOUND",
  "other host": "INVITATION_NOT_FOUND",
  admin: "INVITATION_NOT_FOUND",
  outsider: "INVITATION_NOT_FOUND",
} as const;

const ofAnswer = (stage: Stage) => ({ invitationId: made.get(stage) });

export const meetingsInvitations: Rows = {
  "meetings/invitations/inviteParticipants": {
    expected: hosts,
    args: ({ meetingId }) => ({ meetingId, invitations: [{ email: "grace@example.com" }] }),
  },
  "meetings/invitations/resendInvitation": { expected: hosts, args: ofInvitation, prepare: inviteLongAgo },
  "meetings/invitations/revokeInvitation": { expected: hosts, args: ofInvitation, prepare: invite },
  "meetings/invitations/listInvitations": {
    expected: hosts,
    args: ({ meetingId }) => ({ meetingId, paginationOpts: { numItems: 5, cursor: null } }),
  },
  "meetings/invitations/listOwnInvitations": { expected: users, args: () => ({}) },
  "meetings/invitations/acceptInvitation": { expected: nobodyInvited, args: ofAnswer, prepare: invite },
  "meetings/invitations/declineInvitation": { expected: nobodyInvited, args: ofAnswer, prepare: invite },
};
