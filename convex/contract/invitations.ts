import * as z from "zod";
import { skipReasons } from "./entries";
import { phone, sip } from "./guests";
import { id } from "./ids";
import { participantData } from "./participantData";
import { participantRole } from "./participants";
import { text } from "./text";
import { email } from "./users";

const timeAt = z.number();
const DAY_MS = 24 * 60 * 60_000;

/** How an invitation reaches the person. */
export const channel = z.enum(["email", "phone", "sip", "sms"]);
export type Channel = z.infer<typeof channel>;

/** What the person will join with, by the names of Huawei Cloud Meeting. */
export const terminalType = z.enum([
  "normal",
  "terminal",
  "outside",
  "mobile",
  "ideahub",
  "board",
  "hwvision",
]);

export const invitationState = z.enum(["pending", "accepted", "declined", "revoked", "expired"]);
export type InvitationState = z.infer<typeof invitationState>;

export const onFullAtAcceptance = z.enum(["fail", "waitlist"]);

/** The addresses that an entry may have, of which it has exactly one. */
const addresses = {
  email: email.exactOptional(),
  phone: phone.exactOptional().describe("Number to be called"),
  sip: sip.exactOptional().describe("SIP address to be called"),
  sms: phone.exactOptional().describe("Number for a text message"),
};
const channels = Object.keys(addresses) as (keyof typeof addresses)[];

/** Somebody to be invited, and as what. */
export const invitationEntry = z
  .strictObject({
    ...addresses,
    terminalType: terminalType.exactOptional().describe("`normal` if absent"),
    role: participantRole.exactOptional().describe("`participant` if absent"),
    ...participantData,
    hideHistory: z
      .boolean()
      .exactOptional()
      .describe("The person sees only the history markers that are set after they accept"),
  })
  .refine((entry) => channels.filter((field) => entry[field] !== undefined).length === 1, {
    path: ["email"],
    message: `Exactly one of ${channels.join(", ")} is required`,
  });
export type InvitationEntry = z.output<typeof invitationEntry>;

export const MIN_EXPIRY_MS = 60_000;
export const MAX_EXPIRY_MS = 30 * DAY_MS;
export const DEFAULT_EXPIRY_MS = 7 * DAY_MS;

/** What hosts see of an invitation. */
const visibleFields = {
  meetingId: id("meetings"),
  channel,
  address: text(),
  terminalType,
  role: participantRole,
  data: z.strictObject(participantData),
  hideHistory: z.boolean().exactOptional(),
  onFull: onFullAtAcceptance,
  state: invitationState,
  expiresAt: timeAt.describe("Milliseconds since the epoch"),
  sentAt: timeAt.describe("When it was last put into the outbox, milliseconds since the epoch"),
  invitedBy: id("users").exactOptional(),
  acceptedBy: id("users").exactOptional().describe("Need not be whoever the address belongs to"),
};

/** Fields of the table `invitations`. */
export const invitationFields = {
  ...visibleFields,
  /** SHA-256 of the secret in the newest link; absent until the link is made. */
  tokenHash: z.string().exactOptional(),
  /** The newest message. Links of older ones are no good any more. */
  messageId: id("outbox").exactOptional(),
};

export const invitation = z.strictObject({
  _id: id("invitations"),
  _creationTime: z.number(),
  ...visibleFields,
});

/** What the invited see before they answer. */
export const ownInvitation = z.strictObject({
  _id: id("invitations"),
  meetingId: id("meetings"),
  title: text(),
  scheduledAt: timeAt.exactOptional(),
  role: participantRole,
  expiresAt: timeAt,
});

/** The most invitations of a meeting that can be pending at a time, and that one request may ask for. */
export const MAX_PENDING = 2000;
export const MAX_INVITED_AT_ONCE = 500;

/**
 * The most of a person's invitations that `listOwnInvitations` gives, and that it reads to find them: Convex lets a query read
 * 16 MiB, of which 500 meetings are up to 8.
 */
export const MAX_OWN_LISTED = 100;
export const MAX_OWN_SCANNED = 500;
export const MAX_OWN_SCANNED_BYTES = 5 * 1024 * 1024;

/** Why somebody was not invited: the stable code and the words for people. */
export const inviteSkipReasons = {
  ...skipReasons,
  already_invited: "Already invited",
  too_many_invitations: "The meeting has as many pending invitations as it can have",
} as const;
export type InviteSkipCode = keyof typeof inviteSkipReasons;

export const inviteResult = z.strictObject({
  status: z.enum(["invited", "added", "waitlisted", "skipped"]),
  invitationId: id("invitations").exactOptional(),
  participantId: id("meetingParticipants").exactOptional(),
  waitlistId: id("waitlist").exactOptional(),
  code: z
    .enum(Object.keys(inviteSkipReasons) as [InviteSkipCode, ...InviteSkipCode[]])
    .exactOptional()
    .describe("Why the person was skipped"),
  reason: z.string().exactOptional().describe("The same in words"),
});
export type InviteResult = z.infer<typeof inviteResult>;
