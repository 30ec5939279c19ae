/** What this wire calls rooms and people. */
import type { Doc, Id } from "../../_generated/dataModel";
import { deleteAlias, ensureAliases, findSubject, insertAlias, makeUuid } from "../../model/aliases";
import { type ChalkCtx, tenantIdOf } from "./context";
import { refuse } from "./errors";

const ROOM = "chalk.room";
const ROOM_NAME = "chalk.roomName";
const PARTICIPANT = "chalk.participant";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** An id of ours. */
const DOCUMENT_ID = /^[a-z0-9]{31,37}$/;

type Meeting = Doc<"meetings">;
type Row = Doc<"meetingParticipants">;

/** The ids of rooms, in their order. */
export function roomIdsOf(ctx: ChalkCtx, meetings: readonly Meeting[]): Promise<string[]> {
  return ensureAliases(
    ctx,
    kind(ctx, ROOM),
    meetings.map(({ _id }) => _id),
    makeUuid,
  );
}

export async function roomIdOf(ctx: ChalkCtx, meeting: Meeting): Promise<string> {
  const [roomId] = await roomIdsOf(ctx, [meeting]);
  return roomId as string;
}

/** Has a room found by its name. One that was called so before is found by its id alone. */
export async function nameRoom(ctx: ChalkCtx, meetingId: Id<"meetings">, name: string): Promise<void> {
  const alias = normalized(name);
  const before = await findSubject(ctx.db, kind(ctx, ROOM_NAME), alias);
  if (before === meetingId) return;
  if (before !== null) await deleteAlias(ctx, ROOM_NAME, before);
  await deleteAlias(ctx, ROOM_NAME, meetingId);
  await insertAlias(ctx, kind(ctx, ROOM_NAME), alias, meetingId);
}

/** Does a room's id name it by what it is called, and not by an id? */
export function isRoomName({ db }: ChalkCtx, id: string): boolean {
  return !UUID.test(id) && db.normalizeId("meetings", id) === null;
}

/** The room of an id or a name, whose caller has to do with it; `room not found`. */
export async function requireRoom(ctx: ChalkCtx, id: string): Promise<Meeting> {
  return (await findRoom(ctx, id)) ?? refuse("room not found");
}

/** The room of an id or a name; null if there is none for the caller. */
export async function findRoom(ctx: ChalkCtx, id: string): Promise<Meeting | null> {
  const { db, caller } = ctx;
  const subject = await findRoomSubject(ctx, id);
  const meetingId = subject === null ? null : db.normalizeId("meetings", subject);
  if (meetingId === null) return null;
  if (caller.kind === "participant" && caller.row.meetingId !== meetingId) return null;
  if (caller.kind === "link" && caller.meetingId !== meetingId) return null;
  const [meeting, stored] = await Promise.all([
    db.get("meetings", meetingId),
    db
      .query("chalkRooms")
      .withIndex("by_meeting", (q) => q.eq("meetingId", meetingId))
      .unique(),
  ]);
  const isThere = meeting?.tenantId === tenantIdOf(caller) && stored?.isDeleted !== true;
  return isThere ? meeting : null;
}

/** The participant of an id in a room, `me` for the caller; `invalid participant id` or `participant not found`. */
export async function requireParticipant(ctx: ChalkCtx, meeting: Meeting, id: string): Promise<Row> {
  const { db, caller } = ctx;
  if (id === "me") return caller.kind === "participant" ? caller.row : refuse("invalid participant id");
  if (!UUID.test(id) && !DOCUMENT_ID.test(id)) refuse("invalid participant id");
  const subject = UUID.test(id) ? await findSubject(db, kind(ctx, PARTICIPANT), id.toLowerCase()) : id;
  const participantId = subject === null ? null : db.normalizeId("meetingParticipants", subject);
  const row = participantId && (await db.get("meetingParticipants", participantId));
  return row?.meetingId === meeting._id ? row : refuse("participant not found");
}

/** The ids of participants, in their order. Not to be asked for twice at once, as each would make ids of its own. */
export function participantIdsOf(ctx: ChalkCtx, rows: readonly Row[]): Promise<string[]> {
  return ensureAliases(
    ctx,
    kind(ctx, PARTICIPANT),
    rows.map(({ _id }) => _id),
    makeUuid,
  );
}

/** Forgets what a participant was called who is no more. */
export function forgetParticipant(ctx: ChalkCtx, { _id }: Row): Promise<void> {
  return deleteAlias(ctx, PARTICIPANT, _id);
}

async function findRoomSubject(ctx: ChalkCtx, id: string): Promise<string | null> {
  if (UUID.test(id)) return findSubject(ctx.db, kind(ctx, ROOM), id.toLowerCase());
  const named = await findSubject(ctx.db, kind(ctx, ROOM_NAME), normalized(id));
  return named ?? (DOCUMENT_ID.test(id) ? id : null);
}

function normalized(name: string): string {
  return name.trim().toLowerCase();
}

function kind({ caller }: ChalkCtx, kind: string) {
  return { tenantId: tenantIdOf(caller), kind };
}
