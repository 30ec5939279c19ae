import * as z from "zod";
import { endpoint } from "./endpoint";
import { id } from "./ids";
import { connection, controlTokenCheck, joinToken, joinTokenCheck, opaqueToken } from "./tokens";

const tag = "Meetings";

const meetingId = "meeting_123example";
const participantId = "participant_456example";
const expiresAt = 1_767_225_600_000;
const capabilities = { audio: "SendReceive", video: "SendReceive", content: "SendReceive" };
const connectionExample = {
  success: true,
  videoProvider: "livekit",
  connectionInfo: {
    roomId: meetingId,
    url: "wss://media.example.com",
    participantId,
    streamToken: "join_token_example",
    streamTokenExpiresAt: expiresAt,
    refreshToken: "refresh_token_example",
    refreshTokenExpiresAt: expiresAt,
  },
  role: "participant",
  capabilities,
};

export const getMeetingConnectionInfo = endpoint({
  path: "meetings/lifecycle/getMeetingConnectionInfo",
  kind: "action",
  tag,
  access: "user",
  description:
    "Room, address and a fresh join token of an active meeting, for a person in it. In a meeting with a lobby whoever is not a host must have been admitted. A host may ask for a guest of the meeting, who has no account to ask with.",
  args: z.strictObject({
    meetingId: id("meetings"),
    participantId: id("meetingParticipants").exactOptional().describe("A guest; the caller if absent"),
  }),
  returns: connection,
  errors: [
    "MEETING_NOT_FOUND",
    "FORBIDDEN",
    "PARTICIPANT_NOT_FOUND",
    "MEETING_NOT_ACTIVE",
    "BANNED",
    "NOT_ADMITTED",
    "MEETING_LOCKED",
    "MEETING_FULL",
  ],
  example: { args: { meetingId }, value: connectionExample },
});

export const refreshJoinToken = endpoint({
  path: "meetings/lifecycle/refreshJoinToken",
  kind: "action",
  tag,
  access: "anyone",
  description:
    "A fresh join token for the bearer of a refresh token, who needs no account, and the next refresh token. Everything is checked again: the person is still in the meeting, in the same role, with the same capabilities, neither banned nor deactivated, and there is a place. A refresh token works once: using it a second time ends all that have come of it.",
  args: z.strictObject({ refreshToken: opaqueToken }),
  returns: connection,
  errors: ["TOKEN_INVALID", "TOKEN_REVOKED", "NOT_ADMITTED", "MEETING_LOCKED", "MEETING_FULL"],
  example: { args: { refreshToken: "refresh_token_example" }, value: connectionExample },
});

export const checkJoinToken = endpoint({
  path: "meetings/tokens/checkJoinToken",
  kind: "action",
  tag,
  access: "anyone",
  description:
    "Says whether a join token is good now, for a media server or another service that was shown it. A token dies before its time when its bearer is removed, banned or deactivated, gets another role, other capabilities or a block, and when the meeting ends.",
  args: z.strictObject({ token: joinToken }),
  returns: joinTokenCheck,
  errors: [],
  example: {
    args: { token: "join_token_example" },
    value: { active: true, meetingId, participantId, role: "participant", capabilities, expiresAt },
  },
});

export const createControlToken = endpoint({
  path: "meetings/tokens/createControlToken",
  kind: "action",
  tag,
  access: "user",
  description:
    "A token by which an application can act for the caller, a host of the active meeting, for 30 minutes. It dies with the caller's account or host role, and with the meeting.",
  args: z.strictObject({ meetingId: id("meetings") }),
  returns: z.strictObject({
    controlToken: z.string(),
    expiresAt: z.number().describe("Milliseconds since the epoch"),
  }),
  errors: ["MEETING_NOT_FOUND", "FORBIDDEN", "MEETING_NOT_ACTIVE"],
  example: { args: { meetingId }, value: { controlToken: "control_token_example", expiresAt } },
});

export const checkControlToken = endpoint({
  path: "meetings/tokens/checkControlToken",
  kind: "action",
  tag,
  access: "anyone",
  description: "Says whether a control token is good now, and for which meeting and host.",
  args: z.strictObject({ controlToken: opaqueToken }),
  returns: controlTokenCheck,
  errors: [],
  example: {
    args: { controlToken: "control_token_example" },
    value: { active: true, meetingId, participantId, expiresAt },
  },
});
