import * as z from "zod";
import { storedCapabilities } from "./capabilities";
import { id } from "./ids";
import { attributes, department, level, name, nickname, readIndex } from "./participantData";

/** What a person may do in a meeting. Has nothing to do with the person's role in an organization. */
export const participantRole = z.enum(["host", "co-host", "participant", "observer"]);
export type ParticipantRole = z.infer<typeof participantRole>;

/** `waiting`: in the lobby, until a host admits or refuses the person. */
export const presence = z.enum(["invited", "waiting", "joined", "left"]);
export type Presence = z.infer<typeof presence>;

const timeAt = z.number();

/** Who somebody in a meeting is: a user, or a guest who has no account. Exactly one of the two is there. */
export const personFields = {
  userId: id("users").exactOptional(),
  guestId: id("guests").exactOptional().describe("A person without an account"),
};

/** What a meeting's people may see of one another. */
const visibleFields = {
  meetingId: id("meetings"),
  ...personFields,
  role: participantRole,
  presence,
  joinedAt: timeAt.exactOptional().describe("Last joined, milliseconds since the epoch"),
  leftAt: timeAt.exactOptional().describe("Left, milliseconds since the epoch"),
  displayName: name.exactOptional().describe("The name shown in this meeting instead of the person's own"),
  nickname: nickname.exactOptional(),
  capabilities: storedCapabilities.exactOptional().describe("Absent: what the role gives"),
  attributes: attributes.exactOptional(),
  level: level.exactOptional(),
  department: department.exactOptional(),
  readIndex: readIndex.exactOptional(),
  blockedUntil: timeAt.exactOptional().describe("May send nothing until then, milliseconds since the epoch"),
};

/** Fields of the table `meetingParticipants`. */
export const participantFields = {
  ...visibleFields,
  /** The first history marker that the person may see; all of them if absent. */
  historyFrom: z.int().exactOptional(),
  /** Counts up whenever tokens that were issued for this participant must die; 0 if absent. */
  tokenVersion: z.int().exactOptional(),
};

/** Names of the fields on which depends what a participant sees of the meeting. */
export const placeField = z.enum(["role", "presence", "historyFrom"]);
export type PlaceField = z.infer<typeof placeField>;

export const participant = z.strictObject({
  _id: id("meetingParticipants"),
  _creationTime: z.number(),
  ...visibleFields,
});

/** The most people one request may name. */
export const MAX_BATCH = 1000;

/** The most people whom a meeting can have for one request to change all of them. */
export const MAX_AT_ONCE = 1000;
