/** What this wire calls meetings and people. */
import type { Doc } from "../../_generated/dataModel";
import type { ParticipantEntry } from "../../contract/entries";
import { requireOwnMeeting } from "../../model/access";
import { deleteAlias, ensureAliases, findSubject, makeUuid } from "../../model/aliases";
import { findGuestOfUser } from "../../model/people";
import { refuse } from "./errors";
import type { ChimeCtx } from "./context";
import { isExternalUserId } from "./wire";

const MEETING = "chime.meeting";
const ATTENDEE = "chime.attendee";
/** Of people who have no external id, or one that is none here. */
const EXTERNAL_USER = "chime.externalUser";

type Row = Doc<"meetingParticipants">;

/** The MeetingId of a meeting. */
export async function meetingIdOf(ctx: ChimeCtx, meeting: Doc<"meetings">): Promise<string> {
  const [alias] = await ensureAliases(ctx, kind(ctx, MEETING), [meeting._id], makeUuid);
  return alias as string;
}

/** The meeting of a MeetingId, or of its id in the Connvo API, unless it is over; NotFoundException. */
export async function requireMeeting(ctx: ChimeCtx, meetingId: string): Promise<Doc<"meetings">> {
  const { db, principal } = ctx;
  const subject = meetingId.includes("-")
    ? await findSubject(db, kind(ctx, MEETING), meetingId.toLowerCase())
    : meetingId;
  const meeting = await requireOwnMeeting(db, principal.tenantId, subject);
  if (meeting.state === "concluded" || meeting.state === "cancelled") {
    refuse("NotFoundException", "The meeting is over");
  }
  return meeting;
}

/** The person of an AttendeeId; NotFoundException. */
export async function requireAttendee(
  ctx: ChimeCtx,
  meeting: Doc<"meetings">,
  attendeeId: string,
): Promise<Row> {
  const row = await findAttendee(ctx, meeting, attendeeId);
  return row ?? refuse("NotFoundException", "There is no such attendee in the meeting");
}

async function findAttendee(
  ctx: ChimeCtx,
  { _id: meetingId }: Doc<"meetings">,
  attendeeId: string,
): Promise<Row | null> {
  const subject = await findSubject(ctx.db, kind(ctx, ATTENDEE), attendeeId.toLowerCase());
  const participantId = subject === null ? null : ctx.db.normalizeId("meetingParticipants", subject);
  const row = participantId && (await ctx.db.get("meetingParticipants", participantId));
  return row?.meetingId === meetingId ? row : null;
}

/** The AttendeeIds of people, in their order. */
export function attendeeIdsOf(ctx: ChimeCtx, rows: readonly Row[]): Promise<string[]> {
  return ensureAliases(
    ctx,
    kind(ctx, ATTENDEE),
    rows.map(({ _id }) => _id),
    makeUuid,
  );
}

/** Forgets the AttendeeId of a person who is no longer in the meeting. */
export function forgetAttendee(ctx: ChimeCtx, { _id }: Row): Promise<void> {
  return deleteAlias(ctx, ATTENDEE, _id);
}

/** The ExternalUserIds of people, in their order: by naming one of them the same person is found again. */
export async function externalUserIdsOf(ctx: ChimeCtx, rows: readonly Row[]): Promise<string[]> {
  const externalIds = await Promise.all(rows.map((row) => externalIdOf(ctx, row)));
  const unnamed = rows.flatMap(({ userId, guestId = "" }, index) =>
    externalIds[index] === null ? [userId ?? guestId] : [],
  );
  const made = await ensureAliases(ctx, kind(ctx, EXTERNAL_USER), unnamed, makeUuid);
  const names = made.values();
  return externalIds.map((externalId) => externalId ?? (names.next().value as string));
}

/** How the core is told of a person who is named by an ExternalUserId. */
export async function namedBy(
  ctx: ChimeCtx,
  externalUserId: string,
): Promise<Pick<ParticipantEntry, "userId" | "guestId" | "externalId">> {
  const subject = await findSubject(ctx.db, kind(ctx, EXTERNAL_USER), externalUserId);
  if (subject === null) return { externalId: externalUserId };
  const userId = ctx.db.normalizeId("users", subject);
  if (userId) return { userId };
  const guestId = ctx.db.normalizeId("guests", subject);
  return guestId ? { guestId } : { externalId: externalUserId };
}

/** The external id of a person, if it can be one here. */
async function externalIdOf({ db, principal }: ChimeCtx, { userId, guestId }: Row): Promise<string | null> {
  const guest = guestId
    ? await db.get("guests", guestId)
    : userId && (await findGuestOfUser(db, principal.tenantId, userId));
  const { externalId } = guest ?? {};
  return externalId !== undefined && isExternalUserId(externalId) ? externalId : null;
}

function kind({ principal: { tenantId } }: ChimeCtx, kind: string) {
  return { tenantId, kind };
}
