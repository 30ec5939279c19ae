import type { Doc } from "../../_generated/dataModel";
import type { MutationCtx } from "../../_generated/server";
import type { Principal } from "../../model/accessKeys";
import { deleteAlias, findAlias, findSubject, insertAlias } from "../../model/aliases";
import { isClosed } from "../../model/meetingStates";
import { findParticipant } from "../../model/participants";
import { findGuestByExternalId } from "../../model/people";
import { refuse } from "./errors";
import type { VideoGrant } from "./wire";

const ROOM = "livekit.room";

type Meeting = Doc<"meetings">;

/** A transaction for an application of a tenant, which may do what its token grants. */
export type LivekitCtx = MutationCtx & { principal: Principal; grant: VideoGrant };

export function requireGrant({ grant }: LivekitCtx, name: "roomCreate" | "roomList"): void {
  if (!grant[name]) refuse("permission_denied", `the token does not grant ${name}`);
}

/** The room of a name, for whose management the token is; `permission_denied` or `not_found`. */
export async function requireAdministered(ctx: LivekitCtx, room: string): Promise<Meeting> {
  if (!ctx.grant.roomAdmin || ctx.grant.room !== room) {
    refuse("permission_denied", "the token does not grant roomAdmin for this room");
  }
  return requireRoom(ctx, room);
}

/** The room of a name that is not over; `not_found`. */
export async function requireRoom(ctx: LivekitCtx, room: string): Promise<Meeting> {
  return (await findRoom(ctx, room)) ?? refuse("not_found", "requested room does not exist");
}

/** The room of a name, or of its id in the Connvo API, unless it is over. */
export async function findRoom({ db, principal }: LivekitCtx, room: string): Promise<Meeting | null> {
  const { tenantId } = principal;
  const subject = await findSubject(db, { tenantId, kind: ROOM }, room);
  const meetingId = db.normalizeId("meetings", subject ?? room);
  const meeting = meetingId && (await db.get("meetings", meetingId));
  return meeting?.tenantId === tenantId && !isClosed(meeting.state) ? meeting : null;
}

/** What a room is called: what it was made as, or else its id, which is the room on the media server. */
export async function roomNameOf({ db }: LivekitCtx, { _id }: Meeting): Promise<string> {
  return (await findAlias(db, ROOM, _id)) ?? _id;
}

/** Calls a new room so. One that was called so before is over. */
export async function nameRoom(ctx: LivekitCtx, { _id }: Meeting, name: string): Promise<void> {
  const kind = { tenantId: ctx.principal.tenantId, kind: ROOM };
  const before = await findSubject(ctx.db, kind, name);
  if (before !== null) await deleteAlias(ctx, ROOM, before);
  await insertAlias(ctx, kind, name, _id);
}

/** The participant of an identity; `not_found`. */
export async function requireParticipant(
  { db, principal }: LivekitCtx,
  { _id: meetingId }: Meeting,
  identity: string,
): Promise<Doc<"meetingParticipants">> {
  const participantId = db.normalizeId("meetingParticipants", identity);
  const row = participantId && (await db.get("meetingParticipants", participantId));
  if (row?.meetingId === meetingId) return row;
  const guest = await findGuestByExternalId(db, principal.tenantId, identity);
  const ref = guest && (guest.userId ? { userId: guest.userId } : { guestId: guest._id });
  const named = ref && (await findParticipant(db, meetingId, ref));
  return named ?? refuse("not_found", "participant does not exist");
}
