/** How a request names the people who are to be added to a meeting, and what it is told of those who are not. */
import * as z from "zod";
import { externalId, phone, sip } from "./guests";
import { id } from "./ids";
import { participantData } from "./participantData";
import { type ParticipantRole, participantRole } from "./participants";
import { text } from "./text";
import { email } from "./users";

/** The ways to name somebody, of which an entry has exactly one. */
export const naming = {
  userId: id("users").exactOptional(),
  externalId: externalId
    .exactOptional()
    .describe(
      "The application's own id of a person without an account; a guest is made of whoever is not known yet",
    ),
  guestId: id("guests").exactOptional(),
  email: email.exactOptional().describe("Verified address of a user, or address of a guest"),
  orgId: text()
    .min(1)
    .max(256)
    .exactOptional()
    .describe("All active members of the organization of the caller's token"),
};

const namings = Object.keys(naming) as (keyof typeof naming)[];

/** How many of the fields are given. It is asked of each of many entries. */
export function countGiven<Field extends string>(
  named: Partial<Record<Field, unknown>>,
  fields: readonly Field[],
): number {
  let given = 0;
  for (const field of fields) if (named[field] !== undefined) given++;
  return given;
}

const fields = {
  role: participantRole,
  ...naming,
  ...participantData,
  phone: phone.exactOptional().describe("Of a new guest"),
  sip: sip.exactOptional().describe("Of a new guest"),
  hideHistory: z
    .boolean()
    .exactOptional()
    .describe("The person sees only the history markers that are set after they were added"),
};

/** People to be added, and as what: one person, or an organization. */
export const participantEntry = z.strictObject(fields).refine(
  (entry) => {
    const given = countGiven(entry, namings);
    return given === 1 || (given === 2 && entry.externalId !== undefined && entry.email !== undefined);
  },
  {
    path: ["userId"],
    message: `Exactly one of ${namings.join(", ")} is required; a new guest may have an email as well`,
  },
);

/** Whoever is added without a role gets that of the row they have, or becomes a participant. */
export type ParticipantEntry = Omit<z.output<typeof participantEntry>, "role" | "orgId"> & {
  role?: ParticipantRole;
};
export type ParticipantsEntry = z.output<typeof participantEntry>;

/** Why a person was not added: the stable code and the words for people. */
export const skipReasons = {
  user_not_found: "User not found",
  guest_not_found: "Guest not found",
  user_inactive: "User is deactivated",
  banned: "Banned from the meeting",
  duplicate: "Listed more than once in this request",
  already_participant: "Already a participant",
  already_waiting: "Already on the waitlist",
  last_host: "The last host of the meeting stays its host",
  meeting_full: "Meeting is full",
  one_on_one_full: "A one-on-one meeting has two places",
} as const;

export type SkipCode = keyof typeof skipReasons;

/** Somebody as a request has named them, be that right or wrong. */
export const namedFields = {
  userId: id("users").exactOptional(),
  guestId: id("guests").exactOptional(),
  externalId: text().exactOptional(),
  email: text().exactOptional(),
};

/** An entry that was skipped, named as the request named it. */
export const skippedEntry = z.strictObject({
  ...namedFields,
  reason: z.string(),
  code: z.enum(Object.keys(skipReasons) as [SkipCode, ...SkipCode[]]),
});
export type SkippedEntry = z.infer<typeof skippedEntry>;

/** What becomes of those who are there, who cannot be added, and for whom there is no place. */
export const addPolicy = {
  onExisting: z
    .enum(["skip", "update", "return"])
    .exactOptional()
    .describe(
      "People who are in the meeting: skip them with a reason (as if absent), give them the role and data of the entry, or return their participant ids and change nothing",
    ),
  onInvalid: z
    .enum(["perItem", "failAll"])
    .exactOptional()
    .describe("People who cannot be added: skip each with a reason (as if absent), or fail and add nobody"),
  onFull: z
    .enum(["perItem", "failAll", "waitlist"])
    .exactOptional()
    .describe(
      "No place is left: skip each with a reason (as if absent), fail and add nobody, or put them on the waitlist",
    ),
};

/** What has become of those who were not skipped. */
export const addOutcome = {
  added: z.array(id("meetingParticipants")),
  updated: z
    .array(id("meetingParticipants"))
    .exactOptional()
    .describe("With `onExisting: update`: who was there and has got the role and data of the entry"),
  existing: z
    .array(id("meetingParticipants"))
    .exactOptional()
    .describe("With `onExisting: return`: who was there"),
  waitlisted: z
    .array(id("waitlist"))
    .exactOptional()
    .describe("With `onFull: waitlist`: who waits for a place"),
};

/** What the request as a whole can fail with where the policy says so: what is wrong with the first person. */
export const addErrors = [
  "USER_NOT_FOUND",
  "GUEST_NOT_FOUND",
  "USER_INACTIVE",
  "BANNED",
  "ALREADY_PARTICIPANT",
  "LAST_HOST",
  "MEETING_FULL",
  "ONE_ON_ONE_FULL",
] as const;
