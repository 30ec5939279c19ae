/** The shapes of LiveKit's RoomService in the JSON of protobuf, in camel case. Unknown fields are ignored. */
import * as z from "zod";
import { description, maxParticipants, MAX_DURATION_MS, title } from "../../contract/meetings";
import { attributes, name } from "../../contract/participantData";
import { text } from "../../contract/text";

/** In a meeting with more people LiveKit's list, which has no pages, would take too long. */
export const MAX_LISTED = 2000;

const room = text().min(1).max(300).describe("A room's name, or the id of a meeting in the Connvo API");
const identity = text()
  .min(1)
  .max(300)
  .describe("A participant id, as join tokens have it, or the person's external id");

const unset = z.literal(0);

export const createRoom = z.object({
  name: title,
  emptyTimeout: z
    .union([
      unset,
      z
        .int()
        .min(1)
        .max(MAX_DURATION_MS / 1000),
    ])
    .exactOptional()
    .describe("Seconds; less than a minute is a minute"),
  maxParticipants: z.union([unset, maxParticipants]).exactOptional(),
  metadata: description.exactOptional().describe("The description of the meeting"),
});
export const listRooms = z.object({ names: z.array(room).max(1000).exactOptional() });
export const ofRoom = z.object({ room });
export const ofParticipant = z.object({ room, identity });

/** Protobuf's JSON names the values of enumerations, or numbers them. */
const SOURCES = ["UNKNOWN", "CAMERA", "MICROPHONE", "SCREEN_SHARE", "SCREEN_SHARE_AUDIO"] as const;
const source = z.preprocess((value) => (typeof value === "number" ? SOURCES[value] : value), z.enum(SOURCES));

const permission = z.object({
  canSubscribe: z.boolean().default(false),
  canPublish: z.boolean().default(false),
  canPublishData: z.boolean().default(false),
  canPublishSources: z.array(source).max(10).default([]).describe("All sources if empty"),
});
export type Permission = z.output<typeof permission>;

/** Of a name and metadata that are empty nothing is said. */
export const updateParticipant = ofParticipant.extend({
  metadata: text().max(4096).exactOptional(),
  name: z.union([z.literal(""), name]).exactOptional(),
  attributes: attributes
    .exactOptional()
    .describe("Are added to those that are there; an empty text removes one"),
  permission: permission.exactOptional(),
});

export const roomInfo = z.object({
  sid: z.string(),
  name: z.string(),
  emptyTimeout: z.int(),
  maxParticipants: z.int(),
  creationTime: z.string().describe("Seconds since the epoch"),
  metadata: z.string(),
  numParticipants: z.int().describe("Who is there, not who is invited"),
});
export type RoomInfo = z.infer<typeof roomInfo>;

export const participantInfo = z.object({
  sid: z.string(),
  identity: z.string(),
  state: z.enum(["JOINING", "ACTIVE", "DISCONNECTED"]),
  metadata: z.string(),
  joinedAt: z.string().describe("Seconds since the epoch; 0 before the person has come"),
  name: z.string(),
  attributes: z.record(z.string(), z.string()),
  permission: z.object({
    canSubscribe: z.boolean(),
    canPublish: z.boolean(),
    canPublishData: z.boolean(),
    canPublishSources: z.array(z.string()),
  }),
});
export type ParticipantInfo = z.infer<typeof participantInfo>;

export const nothing = z.object({});
export const rooms = z.object({ rooms: z.array(roomInfo) });
export const participants = z.object({ participants: z.array(participantInfo) });

/** What a token lets its bearer do. */
export const videoGrant = z.object({
  roomCreate: z.boolean().default(false),
  roomList: z.boolean().default(false),
  roomAdmin: z.boolean().default(false),
  room: z.string().default(""),
});
export type VideoGrant = z.output<typeof videoGrant>;
