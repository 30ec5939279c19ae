import * as z from "zod";
import { id } from "./ids";
import { participantData } from "./participantData";
import { participantRole, personFields } from "./participants";

/** Fields of the table `waitlist`: who will be added when a place frees, the longest waiting first. */
export const waitlistFields = {
  meetingId: id("meetings"),
  ...personFields,
  role: participantRole,
  data: z.strictObject(participantData),
  hideHistory: z.boolean().exactOptional(),
};

export const waitlistEntry = z.strictObject({
  _id: id("waitlist"),
  _creationTime: z.number(),
  ...personFields,
  role: participantRole,
});
