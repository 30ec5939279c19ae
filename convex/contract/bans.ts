import * as z from "zod";
import { id } from "./ids";
import { personFields } from "./participants";
import { text } from "./text";

export const banReason = text().trim().min(1).max(500);

/** Fields of the table `bans`: who may not be in a meeting. A ban that is over stays until it is lifted or cleaned up. */
export const banFields = {
  meetingId: id("meetings"),
  ...personFields,
  expiresAt: z
    .number()
    .exactOptional()
    .describe("Over at this time, milliseconds since the epoch; never if absent"),
  reason: banReason.exactOptional(),
};

export const ban = z.strictObject({ _id: id("bans"), _creationTime: z.number(), ...banFields });
