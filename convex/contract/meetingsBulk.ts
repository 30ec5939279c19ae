/** Endpoints of `meetings/lifecycle` that change many people's places at once. */
import * as z from "zod";
import { banErrors, banTerms } from "./bans";
import { endpoint } from "./endpoint";
import { id } from "./ids";
import { addErrors, addOutcome, addPolicy, participantEntry, skippedEntry } from "./entries";
import { participantChange, participantChanges } from "./participantChanges";
import { MAX_AT_ONCE, MAX_BATCH } from "./participants";
import { capabilities } from "./capabilities";
import { changeOutcome, onePerson, personNameFields, waysUsed } from "./personNames";
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
    ...changeOutcome,
  }),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "MEETING_CLOSED", ...banErrors, "IDEMPOTENCY_CONFLICT"],
  example: {
    args: { meetingId, userIds: ["user_456example", "user_789example"] },
    value: {
      removed: ["participant_456example"],
      skipped: [{ userId: "user_789example", reason: "Not in the meeting", code: "participant_not_found" }],
      success: true,
    },
  },
});

export const updateParticipant = endpoint({
  path: "meetings/lifecycle/updateParticipant",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Changes a person in the meeting, or oneself if nobody is named. Hosts change everything of everybody; others only their own display name and nickname. What is absent stays, null removes. The last host stays host.",
  args: z
    .strictObject({ meetingId: id("meetings"), ...personNameFields, ...participantChanges })
    .refine((args) => waysUsed(args) <= 1, onePerson),
  returns: z.strictObject({ participantId: id("meetingParticipants"), success: z.boolean() }),
  errors: [
    "MEETING_NOT_FOUND",
    "FORBIDDEN",
    "MEETING_CLOSED",
    "PARTICIPANT_NOT_FOUND",
    "LAST_HOST",
    "INVALID_CAPABILITIES",
  ],
  example: {
    args: {
      meetingId,
      userId: "user_456example",
      nickname: "Countess",
      capabilities: { video: "None", content: "None" },
    },
    value: { participantId: "participant_456example", success: true },
  },
});

export const updateMultipleParticipants = endpoint({
  path: "meetings/lifecycle/updateMultipleParticipants",
  kind: "mutation",
  tag,
  access: "user",
  description: `Only a host can change several people: up to ${MAX_BATCH}. What is absent of an entry stays, null removes. Says of each who was skipped why; the last host stays host.`,
  args: z.strictObject({
    meetingId: id("meetings"),
    participants: z.array(participantChange).max(MAX_BATCH),
    ...runOptions,
  }),
  returns: z.strictObject({
    updated: z.array(id("meetingParticipants")),
    ...changeOutcome,
  }),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "MEETING_CLOSED", "IDEMPOTENCY_CONFLICT"],
  example: {
    args: {
      meetingId,
      participants: [
        { userId: "user_456example", role: "co-host", level: 2 },
        { externalId: "crm-7", department: null },
      ],
    },
    value: {
      updated: ["participant_456example"],
      skipped: [{ externalId: "crm-7", reason: "Not in the meeting", code: "participant_not_found" }],
      success: true,
    },
  },
});

export const updateCapabilitiesExcept = endpoint({
  path: "meetings/lifecycle/updateCapabilitiesExcept",
  kind: "mutation",
  tag,
  access: "user",
  description: `Only a host can give everybody in the meeting the same capabilities, but for up to 250 people who are named, of whom each must be in it. For meetings of up to ${MAX_AT_ONCE} people.`,
  args: z.strictObject({
    meetingId: id("meetings"),
    capabilities,
    exceptParticipantIds: z.array(id("meetingParticipants")).max(250).exactOptional(),
    ...runOptions,
  }),
  returns: z.strictObject({ updated: z.array(id("meetingParticipants")), success: z.boolean() }),
  errors: [
    "MEETING_NOT_FOUND",
    "FORBIDDEN",
    "MEETING_CLOSED",
    "PARTICIPANT_NOT_FOUND",
    "MEETING_TOO_LARGE",
    "IDEMPOTENCY_CONFLICT",
  ],
  example: {
    args: {
      meetingId,
      capabilities: { audio: "Receive", video: "Receive", content: "Receive" },
      exceptParticipantIds: ["participant_123example"],
    },
    value: { updated: ["participant_456example"], success: true },
  },
});

export const replaceParticipants = endpoint({
  path: "meetings/lifecycle/replaceParticipants",
  kind: "mutation",
  tag,
  access: "user",
  description: `Only a host can replace the list of the people in a meeting: whoever is not listed is removed, whoever is new is added, and whoever stays gets the role and data of their entry and keeps what it does not name. Refused if the meeting's \`version\` is not the one expected, as somebody else has changed the list meanwhile, and if no host would be left. Places that are left over go to those who wait. For meetings of up to ${MAX_AT_ONCE} people.`,
  args: z.strictObject({
    meetingId: id("meetings"),
    participants: z.array(participantEntry).max(MAX_BATCH),
    expectedVersion: z.int().min(0).describe("The meeting's `version`, 0 if it has none"),
    onInvalid: addPolicy.onInvalid,
    onFull: addPolicy.onFull,
    ...runOptions,
  }),
  returns: z.strictObject({
    added: addOutcome.added,
    updated: z.array(id("meetingParticipants")).describe("Who was there and is listed"),
    removed: z.array(id("meetingParticipants")),
    skipped: z.array(skippedEntry),
    waitlisted: addOutcome.waitlisted,
    version: z.int().describe("To be expected by the next request"),
    success: z.boolean(),
  }),
  errors: [
    "MEETING_NOT_FOUND",
    "FORBIDDEN",
    "MEETING_CLOSED",
    "VERSION_CONFLICT",
    "MEETING_TOO_LARGE",
    ...addErrors,
    "ORGANIZATION_TOO_LARGE",
    "IDEMPOTENCY_CONFLICT",
  ],
  example: {
    args: {
      meetingId,
      participants: [
        { userId: "user_123example", role: "host" },
        { userId: "user_789example", role: "participant" },
      ],
      expectedVersion: 4,
    },
    value: {
      added: ["participant_789example"],
      updated: ["participant_123example"],
      removed: ["participant_456example"],
      skipped: [],
      version: 6,
      success: true,
    },
  },
});
