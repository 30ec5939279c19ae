/** A guest and a user in one meeting who are the same person. */
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import type { EventChange } from "../contract/events";
import type { ParticipantRole, Presence } from "../contract/participants";
import { openAsSystem } from "./access";
import { beginStay } from "./attendance";
import { deleteBans, findBan, isOver } from "./bans";
import { common } from "./capabilities";
import type { MeetingEdit, Patch } from "./meetingEdit";
import { isClosed } from "./meetingStates";
import { countHosts, countJoined, findParticipant, patchParticipants } from "./participants";
import type { PersonRef } from "./people";
import { removeParticipants } from "./removeParticipants";
import { deleteWaiting, findWaiting } from "./waitlist";

type Row = Doc<"meetingParticipants">;

/** The guest, and the user who the guest is. */
export interface SamePerson {
  guestId: Id<"guests">;
  userId: Id<"users">;
}

/** Makes what a guest has in a meeting the user's: ban, place on the waitlist, participant. */
export async function moveInMeeting(
  ctx: MutationCtx,
  meetingId: Id<"meetings">,
  person: SamePerson,
): Promise<void> {
  const meeting = await ctx.db.get("meetings", meetingId);
  if (!meeting) return;
  const edit = await openAsSystem(ctx, meeting);
  const [guestRow, userRow] = await pairOf(person, (ref) => findParticipant(ctx.db, meetingId, ref));
  const rows = [guestRow, userRow].filter((row) => row !== null);
  const banned = await moveBan(edit, person);
  await moveWaiting(edit, person, banned || rows.length > 0);
  if (banned && (await mayBeRemoved(edit, rows))) await removeParticipants(edit, rows);
  else if (guestRow && userRow) await mergeRows(edit, guestRow, userRow);
  else if (guestRow) await bindRow(edit, guestRow, person);
  await edit.save();
}

/** The guest's ban is the user's; of two the longer one stays. */
async function moveBan(edit: MeetingEdit, person: SamePerson): Promise<boolean> {
  const { db } = edit.ctx;
  const [guestBan, userBan] = await pairOf(person, (ref) => findBan(db, edit.meeting._id, ref));
  if (!guestBan) return isInForce(userBan);
  if (userBan && (userBan.expiresAt ?? Infinity) >= (guestBan.expiresAt ?? Infinity)) {
    await deleteBans(edit, [guestBan]);
    return isInForce(userBan);
  }
  if (userBan) await deleteBans(edit, [userBan]);
  await db.patch("bans", guestBan._id, asUser(person));
  edit.event("guest.bound", [boundChange(guestBan._id, person)]);
  return isInForce(guestBan);
}

function isInForce(ban: Doc<"bans"> | null): boolean {
  return ban !== null && !isOver(ban);
}

/** The guest's turn is the user's; of two the earlier one stays. Whoever is in, or banned, waits no longer. */
async function moveWaiting(edit: MeetingEdit, person: SamePerson, waitsNoLonger: boolean): Promise<void> {
  const { ctx, meeting } = edit;
  const [ofGuest, ofUser] = await pairOf(person, (ref) => findWaiting(ctx.db, meeting._id, ref));
  if (!ofGuest && !(ofUser && waitsNoLonger)) return;
  const [first, ...others] = [ofGuest, ofUser]
    .filter((entry) => entry !== null)
    .toSorted((one, other) => one._creationTime - other._creationTime);
  const leaving = waitsNoLonger && first ? [first, ...others] : others;
  await deleteWaiting(edit, leaving);
  edit.event(
    "waitlist.removed",
    leaving.map(({ _id }) => ({ subject: _id, before: { ...person } })),
  );
  if (waitsNoLonger || !first || first !== ofGuest) return;
  await ctx.db.patch("waitlist", first._id, asUser(person));
  edit.event("guest.bound", [boundChange(first._id, person)]);
}

/** A banned person goes, unless the meeting is over or would be without a host. */
async function mayBeRemoved({ ctx, meeting }: MeetingEdit, rows: readonly Row[]): Promise<boolean> {
  if (rows.length === 0 || isClosed(meeting.state)) return false;
  const hosts = rows.filter(({ role }) => role === "host").length;
  return hosts === 0 || (await countHosts(ctx.db, meeting._id, hosts + 1)) > hosts;
}

/** The guest's row is the user's. Tokens that were issued to the guest die. */
async function bindRow(edit: MeetingEdit, row: Row, person: SamePerson): Promise<void> {
  await edit.ctx.db.patch("meetingParticipants", row._id, {
    ...asUser(person),
    tokenVersion: (row.tokenVersion ?? 0) + 1,
  });
  edit.set({ version: (edit.meeting.version ?? 0) + 1 });
  edit.event("guest.bound", [boundChange(row._id, person)]);
}

const roleRank: Record<ParticipantRole, number> = { host: 3, "co-host": 2, participant: 1, observer: 0 };
const presenceRank: Record<Presence, number> = { joined: 3, waiting: 2, invited: 1, left: 0 };

/**
 * The user's row stays, the guest's goes and frees a place. What was given to either is the person's: the higher role, the
 * longer history, being there, what is said of the guest and not of the user. What was taken from either stays taken.
 */
async function mergeRows(edit: MeetingEdit, guestRow: Row, userRow: Row): Promise<void> {
  const { guestId: _, _id: __, _creationTime: ___, ...ofGuest } = guestRow;
  const isNearer = presenceRank[guestRow.presence] > presenceRank[userRow.presence];
  const fields: Patch<Row> = {
    ...ofGuest,
    ...userRow,
    role: roleRank[guestRow.role] > roleRank[userRow.role] ? guestRow.role : userRow.role,
    capabilities: common(guestRow.capabilities, userRow.capabilities),
    historyFrom: least(guestRow.historyFrom, userRow.historyFrom),
    blockedUntil: greatest(guestRow.blockedUntil, userRow.blockedUntil),
    readIndex: greatest(guestRow.readIndex, userRow.readIndex),
    tokenVersion: userRow.tokenVersion,
    ...(isNearer && { presence: guestRow.presence }),
    // Who is nearer than the user has not left.
    leftAt: isNearer ? undefined : userRow.leftAt,
    joinedAt: greatest(guestRow.joinedAt, userRow.joinedAt),
  };
  const merged = await patchParticipants(edit, [{ row: userRow, fields }]);
  if (isNearer && guestRow.presence === "joined") {
    // In a meeting that is over no stay begins: that of the guest tells when the person was there.
    if (!isClosed(edit.meeting.state)) await beginStay(edit, userRow);
    countJoined(edit, 1);
  }
  edit.event("participants.updated", merged);
  await removeParticipants(edit, [guestRow]);
}

/** Absent if it is absent in one of them: then there is no bound. */
function least(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : Math.min(one, other);
}

/** Absent if it is absent in both. */
function greatest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined ? other : Math.max(one, other ?? one);
}

function asUser({ userId }: SamePerson) {
  return { userId, guestId: undefined };
}

function boundChange(subject: string, { guestId, userId }: SamePerson): EventChange {
  return { subject, before: { guestId }, after: { userId } };
}

/** What is found of the guest, and what of the user. */
async function pairOf<Found>(
  { guestId, userId }: SamePerson,
  find: (ref: PersonRef) => Promise<Found>,
): Promise<[Found, Found]> {
  return Promise.all([find({ guestId }), find({ userId })]);
}
