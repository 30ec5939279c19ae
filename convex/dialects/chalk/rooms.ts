import type { Doc } from "../../_generated/dataModel";
import { cancelMeeting, endMeeting, insertMeeting, startMeeting } from "../../model/meetings";
import { MAX_DURATION_MS } from "../../contract/meetings";
import type { MeetingEdit } from "../../model/meetingEdit";
import { isClosed } from "../../model/meetingStates";
import { takeTenantToken } from "../../model/rateLimit";
import { updateMeeting } from "../../model/updateMeeting";
import { type Answer, type ChalkCtx, openRoom, requireHost, requireTenant } from "./context";
import { refuse, refuseInput } from "./errors";
import { keepJoinToken } from "./grants";
import { nameRoom, requireRoom, roomIdsOf } from "./names";
import type { InputOf } from "./operations";
import { isoTime } from "./people";
import { MAX_ROOMS_LISTED, type Room, type RoomConfig } from "./wire";

const MINUTE_MS = 60_000;
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

type Meeting = Doc<"meetings">;
type Stored = Doc<"chalkRooms">;
type Status = Room["status"];

const statesOf: Record<Status, Meeting["state"][]> = {
  scheduled: ["scheduled"],
  active: ["active"],
  ended: ["concluded", "cancelled"],
};

/** POST /rooms: a room that is open at once. */
export async function createRoom(ctx: ChalkCtx, { name, config }: InputOf<"CreateRoom">): Promise<Answer> {
  const edit = await insertRoom(ctx, { name, config });
  await startMeeting(edit);
  await edit.save();
  return { body: await describeRoom(ctx, edit.meeting) };
}

/** POST /rooms/schedule. */
export async function scheduleRoom(ctx: ChalkCtx, input: InputOf<"ScheduleRoom">): Promise<Answer> {
  const scheduledAt = Date.parse(input.scheduled_start_at);
  if (scheduledAt <= Date.now()) refuse("scheduled_start_at must be in the future");
  const duration =
    input.scheduled_end_at === undefined ? undefined : Date.parse(input.scheduled_end_at) - scheduledAt;
  if (duration !== undefined && duration <= 0) refuse("scheduled_end_at must be after scheduled_start_at");
  if (duration !== undefined && (duration > MAX_DURATION_MS || duration < MINUTE_MS)) {
    refuseInput("scheduled_end_at must be between a minute and a day after scheduled_start_at");
  }
  const edit = await insertRoom(ctx, { ...input, scheduledAt, duration });
  await edit.save();
  return { body: await describeRoom(ctx, edit.meeting) };
}

/** Makes a room that nobody is in yet. The edit is to be saved. */
export async function insertRoom(
  ctx: ChalkCtx,
  given: {
    name?: string | undefined;
    config?: RoomConfig | undefined;
    allow_early_join_minutes?: number | undefined;
    scheduledAt?: number;
    duration?: number | undefined;
  },
): Promise<MeetingEdit> {
  const { tenantId, accessKeyId } = requireTenant(ctx);
  const { name, config = {}, scheduledAt, duration, allow_early_join_minutes: allowEarlyJoinMinutes } = given;
  const tenant = (await ctx.db.get("tenants", tenantId)) as Doc<"tenants">;
  await takeTenantToken(ctx, tenant);
  const edit = await insertMeeting(
    ctx,
    tenant,
    { kind: "accessKey", id: accessKeyId },
    {
      title: name ?? "Room",
      ...(config.max_participants && { maxParticipants: config.max_participants }),
      ...(scheduledAt !== undefined && { scheduledAt }),
      ...(duration !== undefined && { duration }),
    },
  );
  if (name !== undefined) await nameRoom(ctx, edit.meeting._id, name);
  await keep(ctx, edit.meeting, {
    ...keptConfig(config),
    ...(allowEarlyJoinMinutes !== undefined && { allowEarlyJoinMinutes }),
  });
  return edit;
}

/** GET /rooms. */
export async function listRooms(ctx: ChalkCtx, input: InputOf<"ListRooms">): Promise<Answer> {
  const { tenantId } = requireTenant(ctx);
  const limit = wholeNumber(input.limit, DEFAULT_LIMIT, "limit", MAX_LIMIT);
  const offset = wholeNumber(input.offset, 0, "offset", Number.MAX_SAFE_INTEGER);
  const statuses = statusesOf(input.status);
  const found = await Promise.all(
    statuses.flatMap((status) =>
      statesOf[status].map((state) =>
        ctx.db
          .query("meetings")
          .withIndex("by_tenant_and_state", (q) => q.eq("tenantId", tenantId).eq("state", state))
          .order("desc")
          .take(MAX_ROOMS_LISTED),
      ),
    ),
  );
  const meetings = found.flat().toSorted((one, other) => other._creationTime - one._creationTime);
  const stored = await Promise.all(meetings.map((meeting) => storedOf(ctx, meeting)));
  const rooms = meetings.filter((_, index) => stored[index]?.isDeleted !== true);
  const page = rooms.slice(offset, offset + limit);
  return { body: { rooms: await describeRooms(ctx, page), total: rooms.length, limit, offset } };
}

/** GET /rooms/{id}. */
export async function getRoom(ctx: ChalkCtx, { id }: InputOf<"GetRoom">): Promise<Answer> {
  return { body: await describeRoom(ctx, await requireRoom(ctx, id)) };
}

/** PATCH /rooms/{id}. */
export async function updateRoom(
  ctx: ChalkCtx,
  { id, name, config }: InputOf<"UpdateRoom">,
): Promise<Answer> {
  requireHost(ctx);
  const edit = await openRoom(ctx, await requireRoom(ctx, id), "change");
  await updateMeeting(edit, {
    ...(name !== undefined && { title: name }),
    ...(config?.max_participants && { maxParticipants: config.max_participants }),
  });
  if (name !== undefined) await nameRoom(ctx, edit.meeting._id, name);
  if (config) await keep(ctx, edit.meeting, keptConfig(config));
  await edit.save();
  return { body: await describeRoom(ctx, edit.meeting) };
}

/** DELETE /rooms/{id}. */
export async function deleteRoom(ctx: ChalkCtx, { id }: InputOf<"DeleteRoom">): Promise<Answer> {
  requireHost(ctx);
  const meeting = await requireRoom(ctx, id);
  if (!isClosed(meeting.state)) {
    const edit = await openRoom(ctx, meeting, "change");
    if (meeting.state === "active") await endMeeting(edit);
    else cancelMeeting(edit);
    await edit.save();
  }
  await keep(ctx, meeting, { isDeleted: true });
  return {};
}

/** POST /rooms/{id}/end. */
export async function endRoom(ctx: ChalkCtx, { id }: InputOf<"EndRoom">): Promise<Answer> {
  requireHost(ctx);
  const edit = await openRoom(ctx, await requireRoom(ctx, id), "end");
  await endMeeting(edit);
  await edit.save();
  return { body: await describeRoom(ctx, edit.meeting) };
}

/** POST /rooms/{id}/join-token. */
export async function createJoinToken(ctx: ChalkCtx, { id }: InputOf<"CreateJoinToken">): Promise<Answer> {
  const principal = requireTenant(ctx);
  const meeting = await requireRoom(ctx, id);
  if (isClosed(meeting.state)) refuse("room is not active");
  await keepJoinToken(ctx, principal, meeting._id);
  return { body: {}, givesJoinToken: true };
}

/** What applications have said of a room; null if nothing. */
export function storedOf({ db }: ChalkCtx, { _id }: Meeting): Promise<Stored | null> {
  return db
    .query("chalkRooms")
    .withIndex("by_meeting", (q) => q.eq("meetingId", _id))
    .unique();
}

export function statusOf({ state }: Meeting): Status {
  return state === "scheduled" || state === "active" ? state : "ended";
}

async function describeRoom(ctx: ChalkCtx, meeting: Meeting): Promise<Room> {
  const [room] = await describeRooms(ctx, [meeting]);
  return room as Room;
}

async function describeRooms(ctx: ChalkCtx, meetings: readonly Meeting[]): Promise<Room[]> {
  const [ids, stored] = await Promise.all([
    roomIdsOf(ctx, meetings),
    Promise.all(meetings.map((meeting) => storedOf(ctx, meeting))),
  ]);
  return meetings.map((meeting, index) => describe(meeting, ids[index] as string, stored[index] ?? null));
}

function describe(meeting: Meeting, id: string, stored: Stored | null): Room {
  const { scheduledAt, startedAt, endedAt } = meeting;
  const time = (at: number | undefined) => (at === undefined ? null : isoTime(at));
  return {
    id,
    tenant_id: meeting.tenantId ?? "",
    name: meeting.title,
    config: {
      max_participants: meeting.maxParticipants,
      recording_enabled: stored?.recordingEnabled ?? false,
      chat_enabled: stored?.chatEnabled ?? false,
    },
    status: statusOf(meeting),
    started_at: time(startedAt),
    ended_at: time(endedAt),
    created_at: isoTime(meeting._creationTime),
    updated_at: isoTime(meeting.updatedAt),
    scheduled_start_at: time(scheduledAt),
    scheduled_end_at: time(scheduledAt === undefined ? undefined : scheduledAt + meeting.duration),
    allow_early_join_minutes: stored?.allowEarlyJoinMinutes ?? 0,
    participant_count: meeting.participantCount,
  };
}

async function keep(
  ctx: ChalkCtx,
  meeting: Meeting,
  fields: Partial<Omit<Stored, "_id" | "_creationTime" | "meetingId">>,
): Promise<void> {
  if (Object.keys(fields).length === 0) return;
  const stored = await storedOf(ctx, meeting);
  if (stored) await ctx.db.patch("chalkRooms", stored._id, fields);
  else await ctx.db.insert("chalkRooms", { meetingId: meeting._id, ...fields });
}

function keptConfig({ recording_enabled, chat_enabled }: RoomConfig) {
  return {
    ...(recording_enabled !== undefined && { recordingEnabled: recording_enabled }),
    ...(chat_enabled !== undefined && { chatEnabled: chat_enabled }),
  };
}

function statusesOf(given = ""): Status[] {
  const named = [...new Set(given.split(",").map((status) => status.trim().toLowerCase()))].filter(Boolean);
  if (named.length === 0) return ["active"];
  return named.map((status) =>
    Object.hasOwn(statesOf, status) ? (status as Status) : refuse("invalid status filter"),
  );
}

/** A number of the query. */
export function wholeNumber(given: string | undefined, absent: number, field: string, max: number): number {
  if (given === undefined || given === "") return absent;
  const number = Number(given);
  if (!Number.isInteger(number) || number < Math.min(absent, 1) || number > max) {
    refuseInput(`${field} must be a whole number, at most ${max}`);
  }
  return number;
}
