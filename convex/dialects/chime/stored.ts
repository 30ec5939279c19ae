import { id } from "../../contract/ids";
import * as z from "zod";
import { meetingDetails, tag, transcriptionConfiguration } from "./wire";

/**
 * Fields of the table `chimeMeetings`: what applications have said of a meeting over this wire and nobody else asks for. A meeting
 * that was made otherwise has a row once there is something to keep.
 */
export const chimeMeetingFields = {
  meetingId: id("meetings"),
  details: meetingDetails.exactOptional(),
  tags: z.array(tag).exactOptional(),
  /** How the meeting is to be transcribed; absent if it is not to be. */
  transcription: transcriptionConfiguration.exactOptional(),
};
