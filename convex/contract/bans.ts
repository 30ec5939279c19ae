import * as z from "zod";
import { id } from "./ids";
import { personFields } from "./participants";
import { text } from "./text";

const banReason = text().trim().min(1).max(500);

/** For how long and why. */
export const banTerms = {
  expiresAt: z
    .int()
    .min(0)
    .max(8.64e15)
    .exactOptional()
    .describe("Over at this time, milliseconds since the epoch; never if absent"),
  reason: banReason.exactOptional().describe("For the hosts; the person is not told"),
};

/** Fields of the table `bans`: who may not be in a meeting. A ban that is over stays until it is lifted or cleaned up. */
export const banFields = {
  meetingId: id("meetings"),
  ...personFields,
  ...banTerms,
};

export const ban = z.strictObject({ _id: id("bans"), _creationTime: z.number(), ...banFields });

/** What a request that bans people can fail with besides. */
export const banErrors = ["EXPIRES_IN_PAST", "TOO_MANY_BANS"] as const;
