/** The shapes of the Chalk rooms API, with their limits. Unknown fields are ignored, and so are those that are null. */
import * as z from "zod";
import { externalId as coreExternalId } from "../../contract/guests";
import { emptyTimeoutMs, maxParticipants, title } from "../../contract/meetings";
import { attributes, name } from "../../contract/participantData";
import { participantRole } from "../../contract/participants";
import { text } from "../../contract/text";

/** The most people of one bulk request, so that one transaction has time for them with their ids and stays. */
export const MAX_BULK = 250;

const MAX_LISTED = 1000;

/** How many rooms of one state a list goes back at most. */
export const MAX_ROOMS_LISTED = 500;
const MINUTE_MS = 60_000;

export const roomId = text()
  .max(300)
  .describe("A room's UUID, its name in any case, or the id of a meeting in the Connvo API");
export const participantId = z
  .string()
  .max(300)
  .describe("A participant's UUID, or `me` for the bearer of the token");
export const tenantId = z.string().max(100).describe("The claim `tenant_id` of a token, or `me`");

const secretText = (field: string) =>
  z.string(`${field} is required`).min(1, `${field} is required`).max(4096);

export const tokenRequest = z.object({ api_key: secretText("api_key") });
export const refreshRequest = z.object({ refresh_token: secretText("refresh_token") });
export const exchangeRequest = z.object({ join_token: secretText("join_token") });

const roomConfig = z.object({
  max_participants: z
    .union([z.literal(0), maxParticipants])
    .exactOptional()
    .describe("Places in the room; 0 or absent: what the tenant gives"),
  recording_enabled: z.boolean().exactOptional(),
  chat_enabled: z.boolean().exactOptional(),
});
export type RoomConfig = z.infer<typeof roomConfig>;

const roomName = z.union([z.literal("").transform(() => undefined), title]);

export const createRoom = z.object({
  name: roomName.exactOptional(),
  config: roomConfig.exactOptional(),
});

const instant = (field: string) =>
  z.iso.datetime({ offset: true, error: `${field} must be a time like 2026-01-06T10:00:00Z` });

export const scheduleRoom = z.object({
  name: roomName.exactOptional(),
  config: roomConfig.exactOptional(),
  scheduled_start_at: instant("scheduled_start_at"),
  scheduled_end_at: instant("scheduled_end_at").exactOptional(),
  allow_early_join_minutes: z.int().min(0, "allow_early_join_minutes must be >= 0").max(1440).exactOptional(),
});

export const updateRoom = z.object({ name: title.exactOptional(), config: roomConfig.exactOptional() });

export const listRooms = {
  status: z
    .string()
    .max(100)
    .exactOptional()
    .describe("scheduled, active, ended, or several with commas; active if absent"),
  limit: z.string().max(10).exactOptional().describe("1 to 100; 20 if absent"),
  offset: z
    .string()
    .max(10)
    .exactOptional()
    .describe(`0 if absent; a list goes back ${MAX_ROOMS_LISTED} rooms of a state`),
};

/** Text, numbers and whole structures by name; what is no text is kept as its JSON. */
const metadata = z
  .record(z.string(), z.unknown())
  .transform((given) =>
    Object.fromEntries(
      Object.entries(given).map(([key, value]) => [
        key,
        typeof value === "string" ? value : (JSON.stringify(value) ?? "null"),
      ]),
    ),
  )
  .pipe(attributes)
  .describe("By name. Values that are no texts come back as their JSON text");

const displayName = z.string("display_name is required").trim().min(1, "display_name is required").pipe(name);

/** Clients send an empty text for what they have not got. */
const optionalText = <Schema extends z.ZodType>(schema: Schema) =>
  z.union([z.literal("").transform(() => undefined), schema]).exactOptional();

export const newParticipant = z.object({
  display_name: displayName,
  external_user_id: optionalText(coreExternalId),
  role: optionalText(participantRole).describe("host, participant, co-host or observer"),
  metadata: metadata.exactOptional(),
});
export type NewParticipant = z.output<typeof newParticipant>;

/** Each is a new participant; what is wrong with one is said in its result. */
export const bulkRequest = z.object({
  participants: z
    // As texts, since what is wrong with an item may be what no argument of a function can be.
    .array(
      z.unknown().transform((item) => JSON.stringify(item) ?? "null"),
      "no participants provided",
    )
    .min(1, "no participants provided")
    .max(MAX_BULK, `at most ${MAX_BULK} participants are added at once`),
});

export const listParticipants = {
  active: z.string().max(10).exactOptional().describe("true: only who has not left"),
  limit: z.string().max(10).exactOptional().describe(`1 to ${MAX_LISTED}; ${MAX_LISTED} if absent`),
  cursor: z.string().max(4096).exactOptional().describe("next_cursor of the page before"),
};
export const MAX_PARTICIPANTS_LISTED = MAX_LISTED;

export const updateParticipant = z.object({
  display_name: name.exactOptional(),
  role: participantRole.exactOptional(),
});

const never = (field: string) =>
  z.literal(false, `${field} is not supported by this deployment`).exactOptional();

export const configChanges = z.object({
  force_recording: z.boolean().exactOptional(),
  allow_early_join: z.boolean().exactOptional(),
  empty_room_timeout_minutes: z
    .int()
    .min(1)
    .max(1440)
    .transform((minutes) => minutes * MINUTE_MS)
    .pipe(emptyTimeoutMs)
    .exactOptional(),
  duplicate_participant_policy: z.enum(["allow", "reject"]).exactOptional(),
  first_participant_is_host: z.boolean().exactOptional(),
  auto_start_recording: never("auto_start_recording"),
  transcription_enabled: never("transcription_enabled"),
});

const time = z.string().nullable();

const permissions = z.object({
  can_record: z.boolean(),
  can_screen_share: z.boolean(),
  can_kick: z.boolean(),
  can_mute: z.boolean(),
});
export type Permissions = z.infer<typeof permissions>;

const room = z.object({ id: z.string(), name: z.string(), status: z.enum(["scheduled", "active", "ended"]) });
export const roomAnswer = room.extend({
  tenant_id: z.string(),
  config: roomConfig,
  started_at: time,
  ended_at: time,
  created_at: z.string(),
  updated_at: z.string(),
  scheduled_start_at: time,
  scheduled_end_at: time,
  allow_early_join_minutes: z.int(),
  participant_count: z.int(),
});
export type Room = z.infer<typeof roomAnswer>;

export const roomsAnswer = z.object({
  rooms: z.array(roomAnswer),
  total: z.int(),
  limit: z.int(),
  offset: z.int(),
});

export const participantAnswer = z.object({
  id: z.string(),
  room_id: z.string(),
  cloudflare_participant_id: z
    .string()
    .describe("The identity under which the media server knows the person"),
  external_user_id: z.string().exactOptional(),
  display_name: z.string(),
  role: participantRole,
  joined_at: z.string(),
  left_at: time,
  created_at: z.string(),
  metadata: z.record(z.string(), z.string()),
});
export type Participant = z.infer<typeof participantAnswer>;

export const participantsAnswer = z.object({
  participants: z.array(participantAnswer),
  next_cursor: z.string().exactOptional(),
});

const tokenPair = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  token_type: z.literal("Bearer"),
  expires_in: z.int().describe("Seconds, of the access token"),
});
export const sessionAnswer = tokenPair;
export const participantTokens = tokenPair.extend({
  auth_token: z.string().describe("Join token of the media server, with which this API can be called too"),
});

export const addAnswer = participantTokens.extend({
  participant: participantAnswer,
  room,
  room_created: z.boolean(),
  tenant_config: z.object({
    transcription_enabled: z.boolean(),
    first_participant_is_host: z.boolean(),
    force_recording: z.boolean(),
    allow_early_join: z.boolean(),
  }),
  should_start_recording: z.boolean(),
});

/** As the request had them. */
const named = { external_user_id: z.string().exactOptional(), display_name: z.string().exactOptional() };
export const bulkAnswer = z.object({
  results: z.array(
    z.union([
      z.object({
        participant_id: z.string(),
        ...named,
        success: z.literal(true),
        access_token: z.string(),
        auth_token: z.string(),
      }),
      z.object({ ...named, success: z.literal(false), error: z.string() }),
    ]),
  ),
});

export const joinTokenAnswer = z.object({
  join_token: z.string().describe("Can be exchanged once, within 24 hours"),
});
export const exchangeAnswer = z.object({
  access_token: z.string(),
  expires_in: z.int(),
  room_id: z.string(),
  room_name: z.string(),
});

export const tenantAnswer = z.object({
  id: z.string(),
  name: z.string(),
  max_concurrent_rooms: z.int(),
  max_participants_per_room: z.int().nullable().describe("null: no bound but a room's own"),
  config: z.object({
    force_recording: z.boolean(),
    auto_start_recording: z.boolean(),
    allow_early_join: z.boolean(),
    empty_room_timeout_minutes: z.number(),
    duplicate_participant_policy: z.enum(["allow", "reject"]),
    first_participant_is_host: z.boolean(),
    transcription_enabled: z.boolean(),
  }),
});
export type Tenant = z.infer<typeof tenantAnswer>;

/** The claims of a token that is made for this API. */
export const claims = z.object({
  sub: z.string(),
  tenant_id: z.string(),
  room_id: z.string().exactOptional(),
  display_name: z.string().exactOptional(),
  role: z.string(),
  permissions,
  type: z.enum(["access", "refresh"]),
  jti: z.string(),
  /** Of whom the token speaks by our own ids: a set of credentials, or a row and its version. */
  access_key_id: z.string().exactOptional(),
  meeting_id: z.string().exactOptional(),
  participant_id: z.string().exactOptional(),
  token_version: z.int().exactOptional(),
});
export type Claims = z.infer<typeof claims>;
