import * as z from "zod";
import { endpoint } from "./endpoint";
import { addErrors, addOutcome, addPolicy, participantEntry, skippedEntry } from "./entries";
import { id } from "./ids";
import {
  description,
  duration,
  emptyTimeoutMs,
  lobby,
  locked,
  maxParticipants,
  meetingType,
  scheduledAt,
  title,
} from "./meetings";
import { MAX_BATCH, participantRole } from "./participants";
import { runOptions } from "./runOptions";

const tag = "Meetings";
const success = z.boolean();
const ofMeeting = z.strictObject({ meetingId: id("meetings") });
const done = z.strictObject({ success });

const meetingId = "meeting_123example";
const userId = "user_456example";

export const createMeeting = endpoint({
  path: "meetings/lifecycle/createMeeting",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Creates a scheduled meeting with the caller as its host. Without `maxParticipants` the places follow from the type: one-on-one 2, small-group 25, large-meeting 1,000, webinar 10,000, none 100; the host takes one. `organizerId`, if given, must be the caller.",
  args: z
    .strictObject({
      title,
      description: description.exactOptional(),
      scheduledAt: scheduledAt.exactOptional(),
      duration: duration.exactOptional().describe("Planned duration in milliseconds; 1,800,000 if absent"),
      meetingType: meetingType.exactOptional(),
      maxParticipants: maxParticipants.exactOptional(),
      lobby: lobby.exactOptional(),
      emptyTimeoutMs: emptyTimeoutMs.exactOptional(),
      organizerId: id("users").exactOptional(),
    })
    .refine(
      ({ meetingType, maxParticipants }) => meetingType !== "one-on-one" || (maxParticipants ?? 2) <= 2,
      {
        path: ["maxParticipants"],
        message: "A one-on-one meeting has at most 2 places",
      },
    ),
  returns: z.strictObject({ meetingId: id("meetings"), maxParticipants }),
  errors: ["FORBIDDEN", "SCHEDULED_IN_PAST"],
  example: {
    args: { title: "Weekly planning", duration: 1_800_000, meetingType: "small-group" },
    value: { meetingId, maxParticipants: 25 },
  },
});

export const updateMeeting = endpoint({
  path: "meetings/lifecycle/updateMeeting",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Only a host can change a meeting, as long as it is not over. What is absent stays, null removes. More places go to those who wait for one; when the lobby is switched off, whoever waits in it is let in. In a locked meeting only hosts and those who are there already can join. The planned time of a meeting that has been started stays.",
  args: z.strictObject({
    meetingId: id("meetings"),
    title: title.exactOptional(),
    description: description.nullable().exactOptional(),
    scheduledAt: scheduledAt.nullable().exactOptional(),
    duration: duration.exactOptional(),
    maxParticipants: maxParticipants
      .exactOptional()
      .describe("Places in the meeting, the host's included; no fewer than there are people in it"),
    lobby: lobby.exactOptional(),
    locked: locked.exactOptional(),
    emptyTimeoutMs: emptyTimeoutMs.nullable().exactOptional(),
  }),
  returns: z.null(),
  errors: [
    "MEETING_NOT_FOUND",
    "FORBIDDEN",
    "MEETING_CLOSED",
    "MEETING_ALREADY_ACTIVE",
    "SCHEDULED_IN_PAST",
    "TOO_FEW_PLACES",
    "ONE_ON_ONE_FULL",
  ],
  example: { args: { meetingId, title: "Weekly planning", maxParticipants: 40 }, value: null },
});

export const addParticipant = endpoint({
  path: "meetings/lifecycle/addParticipant",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Only a host of the meeting can add a person. A person who has left gets their place back, invited anew with the role given.",
  args: z.strictObject({ meetingId: id("meetings"), userId: id("users"), role: participantRole }),
  returns: z.strictObject({ participantId: id("meetingParticipants"), success }),
  errors: [
    "MEETING_NOT_FOUND",
    "FORBIDDEN",
    "MEETING_CLOSED",
    "USER_NOT_FOUND",
    "USER_INACTIVE",
    "BANNED",
    "ALREADY_PARTICIPANT",
    "LAST_HOST",
    "MEETING_FULL",
    "ONE_ON_ONE_FULL",
  ],
  example: {
    args: { meetingId, userId, role: "participant" },
    value: { participantId: "participant_456example", success: true },
  },
});

export const addMultipleParticipants = endpoint({
  path: "meetings/lifecycle/addMultipleParticipants",
  kind: "mutation",
  tag,
  access: "user",
  description: `Only the meeting host can add participants. Validates each user and skips those who
are already participants or don't exist. Returns lists of successfully added participants
and skipped entries with reasons. Updates the meeting's participant count automatically.`,
  args: z.strictObject({
    meetingId: id("meetings"),
    participants: z.array(participantEntry).max(MAX_BATCH),
    ...addPolicy,
    ...runOptions,
  }),
  returns: z.strictObject({ ...addOutcome, skipped: z.array(skippedEntry), success }),
  errors: [
    "MEETING_NOT_FOUND",
    "FORBIDDEN",
    "MEETING_CLOSED",
    ...addErrors,
    "ORGANIZATION_TOO_LARGE",
    "IDEMPOTENCY_CONFLICT",
  ],
  example: {
    args: {
      meetingId,
      participants: [
        { userId, role: "participant" },
        { userId: "user_789example", role: "participant" },
        { userId: "user_012example", role: "observer" },
      ],
    },
    value: {
      added: ["participant_456example", "participant_789example"],
      skipped: [{ userId: "user_012example", reason: "User not found", code: "user_not_found" }],
      success: true,
    },
  },
});

export const removeParticipant = endpoint({
  path: "meetings/lifecycle/removeParticipant",
  kind: "mutation",
  tag,
  access: "user",
  description: "Only a host can remove a person, which frees the place. The last host cannot be removed.",
  args: z.strictObject({ meetingId: id("meetings"), userId: id("users") }),
  returns: z.null(),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "MEETING_CLOSED", "PARTICIPANT_NOT_FOUND", "LAST_HOST"],
  example: { args: { meetingId, userId }, value: null },
});

export const updateParticipantRole = endpoint({
  path: "meetings/lifecycle/updateParticipantRole",
  kind: "mutation",
  tag,
  access: "user",
  description: "Only a host can change a role. The last host stays host.",
  args: z.strictObject({ meetingId: id("meetings"), userId: id("users"), newRole: participantRole }),
  returns: z.null(),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "MEETING_CLOSED", "PARTICIPANT_NOT_FOUND", "LAST_HOST"],
  example: { args: { meetingId, userId, newRole: "co-host" }, value: null },
});

export const startMeeting = endpoint({
  path: "meetings/lifecycle/startMeeting",
  kind: "mutation",
  tag,
  access: "user",
  description: "Only a host can start a meeting: it becomes active and can be joined.",
  args: ofMeeting,
  returns: done,
  errors: [
    "MEETING_NOT_FOUND",
    "FORBIDDEN",
    "MEETING_ALREADY_ACTIVE",
    "MEETING_CLOSED",
    "TOO_MANY_ACTIVE_MEETINGS",
  ],
  example: { args: { meetingId }, value: { success: true } },
});

export const endMeeting = endpoint({
  path: "meetings/lifecycle/endMeeting",
  kind: "mutation",
  tag,
  access: "user",
  description: "Only a host can end an active meeting: it is concluded for good.",
  args: ofMeeting,
  returns: z.strictObject({
    success,
    duration: z.number().describe("Milliseconds from the start to the end"),
  }),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "MEETING_NOT_ACTIVE"],
  example: { args: { meetingId }, value: { success: true, duration: 1_742_000 } },
});

export const cancelMeeting = endpoint({
  path: "meetings/lifecycle/cancelMeeting",
  kind: "mutation",
  tag,
  access: "user",
  description: "Only a host can cancel a meeting, and only before it is started.",
  args: ofMeeting,
  returns: z.null(),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "MEETING_ACTIVE", "MEETING_CLOSED"],
  example: { args: { meetingId }, value: null },
});

export const joinMeeting = endpoint({
  path: "meetings/lifecycle/joinMeeting",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Joins an active meeting to which the caller has been added. Who has left may join again; joining twice changes nothing. In a meeting with a lobby whoever is not a host waits there first. Where the tenant lets people join early, the first of them starts the meeting.",
  args: ofMeeting,
  returns: z.strictObject({
    success,
    waiting: z.literal(true).exactOptional().describe("In the lobby, until a host admits the caller"),
    shouldStartRecording: z
      .literal(true)
      .exactOptional()
      .describe("For hosts whose tenant wants all of its meetings to be recorded"),
  }),
  errors: [
    "MEETING_NOT_FOUND",
    "FORBIDDEN",
    "BANNED",
    "MEETING_LOCKED",
    "MEETING_NOT_ACTIVE",
    "MEETING_CLOSED",
    "TOO_MANY_ACTIVE_MEETINGS",
  ],
  example: { args: { meetingId }, value: { success: true } },
});

export const leaveMeeting = endpoint({
  path: "meetings/lifecycle/leaveMeeting",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Leaves a meeting, or declines the invitation to it. The place is kept; leaving twice changes nothing.",
  args: ofMeeting,
  returns: done,
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "MEETING_CLOSED"],
  example: { args: { meetingId }, value: { success: true } },
});
