import * as z from "zod";
import { storedCapabilities } from "./capabilities";
import { id } from "./ids";
import { attributes } from "./participantData";
import { participantRole } from "./participants";

const timeAt = z.number().describe("Milliseconds since the epoch");

/** `refresh`: gives new join tokens to one device. `control`: lets an application act for a host. */
const tokenKind = z.enum(["refresh", "control"]);
export type TokenKind = z.infer<typeof tokenKind>;

/** Fields of the table `meetingTokens`. A token's text is its key and a secret, of which only the hash is kept. */
export const tokenFields = {
  kind: tokenKind,
  /** Names the row. A refresh token keeps it while its secret changes with each use. */
  key: z.string(),
  /** SHA-256 of the secret, in hex. */
  hash: z.string(),
  meetingId: id("meetings"),
  participantId: id("meetingParticipants"),
  /** That of the participant when the token was issued: when theirs is another, this one is dead. */
  tokenVersion: z.int(),
  expiresAt: z.number(),
};

/** A token as a client sends it. */
export const opaqueToken = z.string().min(1).max(200);

/** The longest join token that is looked at; ours have about 600 characters, and up to 65,536 for the attributes. */
export const joinToken = z.string().min(1).max(70_000);

/** With what a device joins the meeting's room on the media server. */
const connectionInfo = z.strictObject({
  roomId: z.string().describe("The room on the media server: the meeting's id"),
  url: z.string().describe("Of the media server"),
  participantId: id("meetingParticipants").describe("The identity under which the room knows the person"),
  streamToken: z.string().describe("Join token for the media server"),
  streamTokenExpiresAt: timeAt,
  refreshToken: z
    .string()
    .describe("Gives the next join token and the next refresh token, once: `refreshJoinToken`"),
  refreshTokenExpiresAt: timeAt,
});

export const connection = z.strictObject({
  success: z.literal(true),
  videoProvider: z.literal("livekit"),
  connectionInfo,
  role: participantRole,
  capabilities: storedCapabilities.describe(
    "What the person may do now, by role, own capabilities and block",
  ),
});
export type Connection = z.infer<typeof connection>;

const inactive = <Reason extends string>(...reasons: [Reason, ...Reason[]]) =>
  z.strictObject({ active: z.literal(false), reason: z.enum(reasons) });

/** What a join token is worth now. `revoked`: its bearer is no longer who it says, or the meeting is over. */
export const joinTokenCheck = z.union([
  z.strictObject({
    active: z.literal(true),
    meetingId: id("meetings"),
    participantId: id("meetingParticipants"),
    role: participantRole,
    capabilities: storedCapabilities,
    expiresAt: timeAt,
  }),
  inactive("invalid", "expired", "revoked"),
]);
export type JoinTokenCheck = z.infer<typeof joinTokenCheck>;

/** What a control token is worth now. */
export const controlTokenCheck = z.union([
  z.strictObject({
    active: z.literal(true),
    meetingId: id("meetings"),
    participantId: id("meetingParticipants"),
    expiresAt: timeAt,
  }),
  inactive("invalid", "expired", "revoked"),
]);

export type ControlTokenCheck = z.infer<typeof controlTokenCheck>;

/** What a token for the media server says of its bearer: what the model knows, before it is put into LiveKit's words. */
export const tokenBearer = z.strictObject({
  meetingId: id("meetings"),
  participantId: id("meetingParticipants"),
  name: z.string().exactOptional(),
  role: participantRole,
  capabilities: storedCapabilities.exactOptional(),
  blockedUntil: z.number().exactOptional(),
  attributes: attributes.exactOptional(),
  tokenVersion: z.int(),
});
export type TokenBearer = z.infer<typeof tokenBearer>;
