import * as z from "zod";
import { id } from "./ids";
import { attributes, participantData } from "./participantData";
import { participantRole, personFields } from "./participants";

const { attributes: _, ...dataInList } = participantData;

/** Fields of the table `waitlist`: who will be added when a place frees, the longest waiting first. */
export const waitlistFields = {
  meetingId: id("meetings"),
  ...personFields,
  role: participantRole,
  data: z.strictObject(dataInList),
  attributesId: id("waitlistAttributes").exactOptional(),
  hideHistory: z.boolean().exactOptional(),
};

/** Fields of the table `waitlistAttributes`. */
export const waitlistAttributesFields = { attributes };

export const waitlistEntry = z.strictObject({
  _id: id("waitlist"),
  _creationTime: z.number(),
  ...personFields,
  role: participantRole,
});
