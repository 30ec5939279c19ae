import * as z from "zod";
import { id } from "../../contract/ids";

/**
 * Fields of the table `chalkRooms`: what applications have said of a meeting over this wire and nobody else asks for. A meeting
 * that was made otherwise has no row until there is something to keep.
 */
export const chalkRoomFields = {
  meetingId: id("meetings"),
  recordingEnabled: z.boolean().exactOptional(),
  chatEnabled: z.boolean().exactOptional(),
  allowEarlyJoinMinutes: z.int().exactOptional(),
  /** Is not found on this wire any more. */
  isDeleted: z.boolean().exactOptional(),
};

/**
 * Fields of the table `chalkTokens`: refresh tokens of tenants and of participants, and tokens of join links. A token's text is its
 * key and a secret, of which only the hash is kept.
 */
export const chalkTokenFields = {
  kind: z.enum(["refresh", "join"]),
  key: z.string(),
  hash: z.string(),
  tenantId: id("tenants"),
  /** With what it was made, for a tenant's session and for a join link. */
  accessKeyId: z.string().exactOptional(),
  meetingId: id("meetings").exactOptional(),
  participantId: id("meetingParticipants").exactOptional(),
  tokenVersion: z.int(),
  expiresAt: z.number(),
};
