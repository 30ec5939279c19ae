import * as z from "zod";
import { attributes } from "../../contract/participantData";
import { id } from "../../contract/ids";
import { text } from "../../contract/text";

/** A person as this wire names them. */
const personName = z.strictObject({ id: z.string(), str: text().exactOptional() });

/**
 * Fields of the table `volcengineConversations`: what applications say of a conversation over this wire and a meeting has no place
 * for. A meeting that was made otherwise has a row once there is something to keep.
 */
export const conversationFields = {
  meetingId: id("meetings"),
  inboxType: z.int().exactOptional(),
  avatarUrl: text().exactOptional(),
  notice: text().exactOptional(),
  ext: attributes.exactOptional(),
  /** Who made it. */
  creator: personName.exactOptional(),
  /** Whose it is; absent: the organizer's, or else the first host's. */
  owner: personName.exactOptional(),
};
