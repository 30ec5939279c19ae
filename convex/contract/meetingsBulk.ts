/** Endpoints of `meetings/lifecycle` that change many people's places at once. */
import * as z from "zod";
import { banTerms } from "./bans";
import { endpoint } from "./endpoint";
import { id } from "./ids";
import { MAX_BATCH } from "./participants";
import { personNameFields, skippedPerson } from "./personNames";
import { runOptions } from "./runOptions";

const tag = "Meetings";
const meetingId = "meeting_123example";

const listOf = <Item extends z.ZodType>(item: Item) => z.array(item).max(MAX_BATCH).exactOptional();

/** The lists in which a request can name people, in the order in which they are gone through. */
const nameLists = {
  participantIds: listOf(personNameFields.participantId.unwrap()),
  userIds: listOf(personNameFields.userId.unwrap()),
  guestIds: listOf(personNameFields.guestId.unwrap()),
  externalIds: listOf(personNameFields.externalId.unwrap()),
  emails: listOf(personNameFields.email.unwrap()),
};

export const removeMultipleParticipants = endpoint({
  path: "meetings/lifecycle/removeMultipleParticipants",
  kind: "mutation",
  tag,
  access: "user",
  description: `Only a host can remove people: up to ${MAX_BATCH}, named in any of the lists. Says of each who was skipped why; the last host stays. The places go to those who wait for one. With \`ban\` whoever is removed cannot come back.`,
  args: z
    .strictObject({
      meetingId: id("meetings"),
      ...nameLists,
      ban: z.strictObject(banTerms).exactOptional().describe("Bans whoever is removed"),
      ...runOptions,
    })
    .refine(
      ({ participantIds = [], userIds = [], guestIds = [], externalIds = [], emails = [] }) =>
        participantIds.length + userIds.length + guestIds.length + externalIds.length + emails.length <=
        MAX_BATCH,
      `At most ${MAX_BATCH} people at once`,
    ),
  returns: z.strictObject({
    removed: z.array(id("meetingParticipants")),
    skipped: z.array(skippedPerson),
    success: z.boolean(),
  }),
  errors: [
    "MEETING_NOT_FOUND",
    "FORBIDDEN",
    "MEETING_CLOSED",
    "EXPIRES_IN_PAST",
    "TOO_MANY_BANS",
    "IDEMPOTENCY_CONFLICT",
  ],
  example: {
    args: { meetingId, userIds: ["user_456example", "user_789example"] },
    value: {
      removed: ["participant_456example"],
      skipped: [{ userId: "user_789example", reason: "Not in the meeting", code: "participant_not_found" }],
      success: true,
    },
  },
});
