import type { Doc } from "../../_generated/dataModel";
import { openAsTenant } from "../../model/access";
import { DEFAULT_EMPTY_TIMEOUT_MS } from "../../model/emptyMeetings";
import { cancelMeeting, endMeeting, insertMeeting, startMeeting } from "../../model/meetings";
import { takeTenantToken } from "../../model/rateLimit";
import { findRoom, type LivekitCtx, nameRoom, requireGrant, requireRoom, roomNameOf } from "./context";
import type { InputOf } from "./operations";
import type { RoomInfo } from "./wire";

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
/** As many as a tenant can have active. */
const MAX_ROOMS = 1000;

export async function createRoom(ctx: LivekitCtx, input: InputOf<"CreateRoom">): Promise<RoomInfo> {
  requireGrant(ctx, "roomCreate");
  const found = await findRoom(ctx, input.name);
  if (found) return describe(ctx, found);
  const { tenantId, accessKeyId } = ctx.principal;
  const tenant = (await ctx.db.get("tenants", tenantId)) as Doc<"tenants">;
  await takeTenantToken(ctx, tenant);
  const { name, metadata, maxParticipants, emptyTimeout } = input;
  const edit = await insertMeeting(
    ctx,
    tenant,
    { kind: "accessKey", id: accessKeyId },
    {
      title: name,
      ...(metadata && { description: metadata }),
      ...(maxParticipants && { maxParticipants }),
      ...(emptyTimeout && { emptyTimeoutMs: Math.max(MINUTE_MS, emptyTimeout * SECOND_MS) }),
    },
  );
  await startMeeting(edit);
  await edit.save();
  await nameRoom(ctx, edit.meeting, name);
  return describe(ctx, edit.meeting);
}

export async function listRooms(
  ctx: LivekitCtx,
  { names = [] }: InputOf<"ListRooms">,
): Promise<{ rooms: RoomInfo[] }> {
  requireGrant(ctx, "roomList");
  const { tenantId } = ctx.principal;
  const active = await ctx.db
    .query("meetings")
    .withIndex("by_tenant_and_state", (q) => q.eq("tenantId", tenantId).eq("state", "active"))
    .take(MAX_ROOMS);
  const rooms = await Promise.all(active.map((meeting) => describe(ctx, meeting)));
  return { rooms: names.length === 0 ? rooms : rooms.filter(({ name }) => names.includes(name)) };
}

export async function deleteRoom(
  ctx: LivekitCtx,
  { room }: InputOf<"DeleteRoom">,
): Promise<Record<string, never>> {
  requireGrant(ctx, "roomCreate");
  const { _id, state } = await requireRoom(ctx, room);
  const edit = await openAsTenant(ctx, ctx.principal, _id, "change");
  if (state === "active") await endMeeting(edit);
  else cancelMeeting(edit);
  await edit.save();
  return {};
}

async function describe(ctx: LivekitCtx, meeting: Doc<"meetings">): Promise<RoomInfo> {
  const { _id, _creationTime, description = "", maxParticipants, joinedCount = 0 } = meeting;
  const tenant = await ctx.db.get("tenants", ctx.principal.tenantId);
  const emptyTimeoutMs = meeting.emptyTimeoutMs ?? tenant?.config.emptyTimeoutMs ?? DEFAULT_EMPTY_TIMEOUT_MS;
  return {
    sid: `RM_${_id}`,
    name: await roomNameOf(ctx, meeting),
    emptyTimeout: emptyTimeoutMs / SECOND_MS,
    maxParticipants,
    creationTime: String(Math.floor(_creationTime / SECOND_MS)),
    metadata: description,
    numParticipants: joinedCount,
  };
}
