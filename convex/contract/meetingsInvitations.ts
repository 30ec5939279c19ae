import * as z from "zod";
import { endpoint } from "./endpoint";
import { idempotencyKey } from "./idempotency";
import { id } from "./ids";
import {
  DEFAULT_EXPIRY_MS,
  invitation,
  invitationEntry,
  invitationState,
  inviteResult,
  MAX_EXPIRY_MS,
  MAX_INVITED_AT_ONCE,
  MAX_OWN_LISTED,
  MAX_OWN_SCANNED,
  MAX_OWN_SCANNED_BYTES,
  MIN_EXPIRY_MS,
  onFullAtAcceptance,
  ownInvitation,
} from "./invitations";
import { examplePage, examplePaginationOpts, pageOf, paginationOpts } from "./pagination";

const tag = "Meetings";
const meetingId = "meeting_123example";
const invitationId = "invitation_123example";

/** One invitation, for the hosts of the meeting. */
const ofInvitation = z.strictObject({ meetingId: id("meetings"), invitationId: id("invitations") });
const invitationErrors = [
  "MEETING_NOT_FOUND",
  "FORBIDDEN",
  "MEETING_CLOSED",
  "INVITATION_NOT_FOUND",
  "INVITATION_CLOSED",
] as const;

export const inviteParticipants = endpoint({
  path: "meetings/invitations/inviteParticipants",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Invites people by e-mail, phone, SIP or SMS. Only for hosts. An invitation holds no place: who accepts when the meeting is full waits or is refused, as `onFull` says. An e-mail invitation becomes a participant by itself when somebody signs up with that verified address; whoever opens the link of a message can accept it.",
  args: z.strictObject({
    meetingId: id("meetings"),
    invitations: z.array(invitationEntry).max(MAX_INVITED_AT_ONCE),
    onKnown: z
      .enum(["invite", "add"])
      .exactOptional()
      .describe(
        "People whose address is that of a user: invite them like others (as if absent), or add them at once",
      ),
    onFull: onFullAtAcceptance.exactOptional().describe("`fail` if absent"),
    expiresInMs: z
      .int()
      .min(MIN_EXPIRY_MS)
      .max(MAX_EXPIRY_MS)
      .exactOptional()
      .describe(`For so many milliseconds they can be accepted; ${DEFAULT_EXPIRY_MS} (7 days) if absent`),
    dryRun: z.boolean().exactOptional().describe("Gives the same answer, but writes and sends nothing"),
    idempotencyKey: idempotencyKey.exactOptional(),
  }),
  returns: z.strictObject({
    results: z.array(inviteResult).describe("What has become of each, in the order of the request"),
  }),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "MEETING_CLOSED", "IDEMPOTENCY_CONFLICT"],
  example: {
    args: {
      meetingId,
      invitations: [
        { email: "grace@example.com", displayName: "Grace Hopper" },
        { sip: "board7@pbx.example.com", terminalType: "ideahub", role: "observer" },
        { email: "ada@example.com" },
      ],
      onFull: "waitlist",
    },
    value: {
      results: [
        { status: "invited", invitationId },
        { status: "invited", invitationId: "invitation_124example" },
        { status: "skipped", code: "already_participant", reason: "Already a participant" },
      ],
    },
  },
});

export const resendInvitation = endpoint({
  path: "meetings/invitations/resendInvitation",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Sends a pending or expired invitation again, with a new link and as much time as a new one has; the link of the message before is no good any more. Only for hosts, and once a minute.",
  args: ofInvitation,
  returns: z.null(),
  errors: [...invitationErrors, "ALREADY_INVITED", "TOO_MANY_INVITATIONS"],
  example: { args: { meetingId, invitationId }, value: null },
});

export const revokeInvitation = endpoint({
  path: "meetings/invitations/revokeInvitation",
  kind: "mutation",
  tag,
  access: "user",
  description: "Takes a pending invitation back: it can be accepted no more. Only for hosts.",
  args: ofInvitation,
  returns: z.null(),
  errors: [...invitationErrors, "INVITATION_EXPIRED"],
  example: { args: { meetingId, invitationId }, value: null },
});

export const listInvitations = endpoint({
  path: "meetings/invitations/listInvitations",
  kind: "query",
  tag,
  access: "user",
  description: "A page of the invitations to a meeting, if wished only those of one state. Only for hosts.",
  args: z.strictObject({
    meetingId: id("meetings"),
    state: invitationState.exactOptional(),
    paginationOpts,
  }),
  returns: pageOf(invitation),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN"],
  example: {
    args: { meetingId, state: "pending", paginationOpts: examplePaginationOpts },
    value: examplePage({
      _id: invitationId,
      _creationTime: 1_767_225_600_000,
      meetingId,
      channel: "email",
      address: "grace@example.com",
      terminalType: "normal",
      role: "participant",
      data: { displayName: "Grace Hopper" },
      onFull: "waitlist",
      state: "pending",
      expiresAt: 1_767_830_400_000,
      sentAt: 1_767_225_600_000,
      invitedBy: "user_123example",
    }),
  },
});

export const listOwnInvitations = endpoint({
  path: "meetings/invitations/listOwnInvitations",
  kind: "query",
  tag,
  access: "user",
  description: `The pending invitations to the caller's verified e-mail address, the oldest ${MAX_OWN_LISTED} to meetings that are not over. Where very many are pending, it looks through the oldest ${MAX_OWN_SCANNED}, or ${MAX_OWN_SCANNED_BYTES} bytes, of them.`,
  args: z.strictObject({}),
  returns: z.array(ownInvitation),
  errors: [],
  example: {
    args: {},
    value: [
      {
        _id: invitationId,
        meetingId,
        title: "Weekly planning",
        role: "participant",
        expiresAt: 1_767_830_400_000,
      },
    ],
  },
});

/** Which invitation is answered: by the secret of its link, or by its id if it is to the caller's verified address. */
const answer = z
  .strictObject({
    token: z.string().min(1).max(128).exactOptional().describe("What the link of the message ends with"),
    invitationId: id("invitations").exactOptional().describe("One to the caller's verified e-mail address"),
  })
  .refine(({ token, invitationId }) => (token === undefined) !== (invitationId === undefined), {
    path: ["token"],
    message: "Exactly one of token and invitationId is required",
  });

export const acceptInvitation = endpoint({
  path: "meetings/invitations/acceptInvitation",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Accepts an invitation: the caller becomes a participant, or waits for a place where the invitation provides for that. For whoever has the secret of the link, and for the person of the address.",
  args: answer,
  returns: z.strictObject({
    meetingId: id("meetings"),
    participantId: id("meetingParticipants").exactOptional(),
    waiting: z.literal(true).exactOptional().describe("On the waitlist, as the meeting is full"),
  }),
  errors: [
    "INVITATION_NOT_FOUND",
    "INVITATION_CLOSED",
    "INVITATION_EXPIRED",
    "MEETING_CLOSED",
    "BANNED",
    "LAST_HOST",
    "MEETING_FULL",
    "ONE_ON_ONE_FULL",
  ],
  example: {
    args: { token: "kR0…" },
    value: { meetingId, participantId: "participant_456example" },
  },
});

export const declineInvitation = endpoint({
  path: "meetings/invitations/declineInvitation",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Declines an invitation for good. For whoever has the secret of the link, and for the person of the address.",
  args: answer,
  returns: z.null(),
  errors: ["INVITATION_NOT_FOUND", "INVITATION_CLOSED", "INVITATION_EXPIRED"],
  example: { args: { token: "kR0…" }, value: null },
});
