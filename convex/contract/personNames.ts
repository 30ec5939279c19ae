/** How a request names people to whom something is to be done, and what it is told of those to whom it was not done. */
import * as z from "zod";
import { countGiven, namedFields, naming } from "./entries";
import { id } from "./ids";

const { orgId: _, ...personNaming } = naming;

const nameFields = {
  participantId: id("meetingParticipants").exactOptional(),
  ...personNaming,
  externalId: personNaming.externalId.describe("The application's own id of a person without an account"),
};

/** The ways to name somebody, one of which is to be given. */
export const personNameFields = nameFields;

const ways = Object.keys(nameFields) as (keyof typeof nameFields)[];

/** How many ways to name somebody are used. */
export function waysUsed(named: Partial<Record<keyof typeof nameFields, unknown>>): number {
  return countGiven(named, ways);
}

export const onePerson = {
  path: ["participantId"],
  message: `Exactly one of ${ways.join(", ")} is required`,
};

/** One person, by exactly one of the ways. */
export const personName = z.strictObject(nameFields).refine((name) => waysUsed(name) === 1, onePerson);
export type PersonName = z.output<typeof personName>;

/** Why nothing was done to a person: the stable code and the words for people. */
export const changeSkipReasons = {
  participant_not_found: "Not in the meeting",
  user_not_found: "User not found",
  guest_not_found: "Guest not found",
  duplicate: "Listed more than once in this request",
  invalid_capabilities: "Content can only be received where video is received",
  last_host: "The last host of the meeting stays its host",
  not_banned: "Not banned from the meeting",
  not_waiting: "Not waiting",
} as const;
export type ChangeSkipCode = keyof typeof changeSkipReasons;

/** A person to whom nothing was done, named as the request named them. */
export const skippedPerson = z.strictObject({
  participantId: id("meetingParticipants").exactOptional(),
  waitlistId: id("waitlist").exactOptional(),
  ...namedFields,
  reason: z.string(),
  code: z.enum(Object.keys(changeSkipReasons) as [ChangeSkipCode, ...ChangeSkipCode[]]),
});
export type SkippedPerson = z.infer<typeof skippedPerson>;

/** What a request is told besides of those to whom something was done. */
export const changeOutcome = { skipped: z.array(skippedPerson), success: z.boolean() };
