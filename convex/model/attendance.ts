/** When people were in a meeting. */
import type { PaginationOptions } from "convex/server";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader } from "../_generated/server";
import { MAX_STAYS_SHOWN } from "../contract/attendance";
import type { MeetingEdit } from "./meetingEdit";
import { refOf } from "./people";

type Row = Doc<"meetingParticipants">;

/** A person's stay begins. */
export async function beginStay({ ctx: { db } }: MeetingEdit, row: Row): Promise<void> {
  const joinedAt = Date.now();
  const participantId = row._id;
  const [attendee, stayId] = await Promise.all([
    // Who comes for the first time has been nowhere yet.
    row.joinedAt === undefined ? null : findAttendee(db, participantId),
    db.insert("stays", { participantId, joinedAt }),
  ]);
  if (attendee) {
    await db.patch("attendees", attendee._id, { stayCount: attendee.stayCount + 1, stayId, joinedAt });
  } else {
    await db.insert("attendees", {
      meetingId: row.meetingId,
      participantId,
      ...refOf(row),
      firstJoinedAt: joinedAt,
      stayCount: 1,
      totalMs: 0,
      stayId,
      joinedAt,
    });
  }
}

/**
 * The stays of people end who are there no longer; in a meeting that is over they ended with it. Those that are not over when a
 * meeting ends stay as they are: as many as there are places could not be written in one transaction, and the meeting says when
 * they ended.
 */
export async function endStays({ ctx: { db }, meeting }: MeetingEdit, rows: readonly Row[]): Promise<void> {
  const leftAt = meeting.endedAt ?? Date.now();
  await Promise.all(
    rows.map(async ({ _id }) => {
      const attendee = await findAttendee(db, _id);
      if (attendee?.stayId === undefined || attendee.joinedAt === undefined) return;
      await Promise.all([
        db.patch("stays", attendee.stayId, { leftAt }),
        db.patch("attendees", attendee._id, {
          totalMs: attendee.totalMs + leftAt - attendee.joinedAt,
          lastLeftAt: leftAt,
          stayId: undefined,
          joinedAt: undefined,
        }),
      ]);
    }),
  );
}

/** A page of the attendance report of a meeting. */
export async function attendanceReport(
  db: DatabaseReader,
  { _id: meetingId, endedAt }: Doc<"meetings">,
  paginationOpts: PaginationOptions,
) {
  const result = await db
    .query("attendees")
    .withIndex("by_meeting", (q) => q.eq("meetingId", meetingId))
    .paginate(paginationOpts);
  const page = await Promise.all(result.page.map((attendee) => reportOf(db, attendee, endedAt)));
  return { ...result, page };
}

async function reportOf(db: DatabaseReader, attendee: Doc<"attendees">, endedAt: number | undefined) {
  const { participantId, firstJoinedAt, lastLeftAt, stayCount, totalMs, joinedAt } = attendee;
  const [stays, row] = await Promise.all([
    latestStays(db, participantId, MAX_STAYS_SHOWN),
    db.get("meetingParticipants", participantId),
  ]);
  // A guest may have turned out to be a user since.
  const { userId, guestId } = row ?? attendee;
  const person = userId ? await db.get("users", userId) : guestId && (await db.get("guests", guestId));
  const name = row?.displayName ?? person?.displayName;
  const lasts = joinedAt !== undefined && endedAt === undefined;
  const lastEnd = joinedAt === undefined ? lastLeftAt : (endedAt ?? lastLeftAt);
  return {
    participantId,
    ...refOf(row ?? attendee),
    ...(name !== undefined && { name }),
    firstJoinedAt,
    ...(lastEnd !== undefined && { lastLeftAt: lastEnd }),
    ...(lasts && { joinedAt }),
    totalMs: totalMs + (joinedAt === undefined || lasts ? 0 : (endedAt ?? joinedAt) - joinedAt),
    stayCount,
    stays: stays.map((stay) => {
      const leftAt = stay.leftAt ?? endedAt;
      return { joinedAt: stay.joinedAt, ...(leftAt !== undefined && { leftAt }) };
    }),
  };
}

function findAttendee(
  db: DatabaseReader,
  participantId: Id<"meetingParticipants">,
): Promise<Doc<"attendees"> | null> {
  return db
    .query("attendees")
    .withIndex("by_participant", (q) => q.eq("participantId", participantId))
    .unique();
}

function latestStays(
  db: DatabaseReader,
  participantId: Id<"meetingParticipants">,
  limit: number,
): Promise<Doc<"stays">[]> {
  return db
    .query("stays")
    .withIndex("by_participant", (q) => q.eq("participantId", participantId))
    .order("desc")
    .take(limit);
}
