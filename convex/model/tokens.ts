/** Refresh tokens and control tokens, as rows. */
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import type { ErrorCode } from "../contract/errors";
import type { ControlTokenCheck, TokenBearer, TokenKind } from "../contract/tokens";
import { requireHost, requireParticipant } from "./access";
import { bannedPeople } from "./bans";
import { fail } from "./errors";
import { noteUse } from "./emptyMeetings";
import { nextState } from "./meetingStates";
import { placesOf } from "./participants";
import { keyOf } from "./people";
import type { KeptToken } from "./opaqueTokens";
import { isLockedOut } from "./presence";
import { takeBearerToken } from "./rateLimit";
import { findTenantOf } from "./tenants";
import { nextTokenState, tokenState, type TokenState } from "./tokenStates";

type Meeting = Doc<"meetings">;
type Row = Doc<"meetingParticipants">;
type Token = Doc<"meetingTokens">;

/** From its last use on. Longer than any meeting is planned to be. */
const REFRESH_TOKEN_MS = 24 * 60 * 60_000;
const CONTROL_TOKEN_MS = 30 * 60_000;

/** Each device of a person has one refresh token. With one more the oldest dies. */
const MAX_TOKENS = 20;

/** Who a token speaks of, and until when it can be refreshed. */
export interface Issued {
  bearer: TokenBearer;
  expiresAt: number;
}

/**
 * Keeps a new refresh token for whoever may be in the room now: the caller, or a guest of a caller who is host.
 * MEETING_NOT_FOUND, FORBIDDEN, PARTICIPANT_NOT_FOUND, MEETING_NOT_ACTIVE, BANNED, NOT_ADMITTED, MEETING_LOCKED, MEETING_FULL.
 */
export async function openRefreshToken(
  ctx: MutationCtx,
  user: Doc<"users">,
  args: { meetingId: string; participantId?: string },
  kept: KeptToken,
): Promise<Issued> {
  const { meeting, participant } = await requireParticipant(ctx.db, args.meetingId, user);
  const row = await bearerFor(ctx.db, meeting, participant, args.participantId);
  nextState(meeting.state, "join");
  if (await isBanned(ctx.db, meeting, row)) fail("BANNED", "Banned from the meeting");
  await requireAdmission(ctx.db, meeting, row);
  await noteUse(ctx, meeting);
  return issue(ctx, "refresh", row, kept);
}

/**
 * Puts the next secret in the place of the one that was sent. A token that is refused for good is deleted, which must be
 * committed: so that the refusal is returned and not thrown. RATE_LIMITED, NOT_ADMITTED, MEETING_LOCKED and MEETING_FULL leave it
 * as it was.
 */
export async function rotateRefreshToken(
  ctx: MutationCtx,
  sent: KeptToken,
  following: KeptToken,
): Promise<{ issued: Issued } | { refused: Extract<ErrorCode, "TOKEN_INVALID" | "TOKEN_REVOKED"> }> {
  const found = await findToken(ctx.db, "refresh", sent);
  if (!found) return { refused: "TOKEN_INVALID" };
  const { token, state, access } = found;
  const next = nextTokenState(state, "refresh");
  if (next !== "spent" || !access) {
    await ctx.db.delete("meetingTokens", token._id);
    return { refused: next === "TOKEN_INVALID" ? "TOKEN_INVALID" : "TOKEN_REVOKED" };
  }
  await takeBearerToken(ctx, token.participantId);
  await requireAdmission(ctx.db, access.meeting, access.participant);
  await noteUse(ctx, access.meeting);
  const expiresAt = Date.now() + REFRESH_TOKEN_MS;
  await ctx.db.patch("meetingTokens", token._id, { hash: following.hash, expiresAt });
  return { issued: { bearer: await describeBearer(ctx.db, access.participant), expiresAt } };
}

/** Keeps a new control token for a host. MEETING_NOT_FOUND, FORBIDDEN, MEETING_NOT_ACTIVE. */
export async function openControlToken(
  ctx: MutationCtx,
  user: Doc<"users">,
  meetingId: string,
  kept: KeptToken,
): Promise<Issued> {
  const { meeting, participant } = await requireHost(ctx.db, meetingId, user);
  if (meeting.state !== "active") fail("MEETING_NOT_ACTIVE", "The meeting is not active");
  return issue(ctx, "control", participant, kept);
}

/** What a control token that was sent is worth; RATE_LIMITED. */
export async function checkControlToken(ctx: MutationCtx, sent: KeptToken): Promise<ControlTokenCheck> {
  const found = await findToken(ctx.db, "control", sent);
  // Whoever sends what was never issued has no bucket, which would be a new one for each guess.
  if (found) await takeBearerToken(ctx, found.token.participantId);
  // No later secret follows that of a control token: another one is no earlier one, but wrong.
  if (!found || found.state === "spent") return { active: false, reason: "invalid" };
  const { token, state } = found;
  if (state !== "good") return { active: false, reason: state };
  const { meetingId, participantId, expiresAt } = token;
  return { active: true, meetingId, participantId, expiresAt };
}

/** A token that was sent, its state, and its bearer if that is still one; null if it was never issued, or is deleted. */
async function findToken(db: DatabaseReader, kind: TokenKind, sent: KeptToken) {
  const token = await db
    .query("meetingTokens")
    .withIndex("by_key", (q) => q.eq("key", sent.key))
    .unique();
  if (token?.kind !== kind) return null;
  const access = await findAccess(db, token);
  const mayHold = access && (kind === "refresh" || access.participant.role === "host");
  const bearer = mayHold ? { tokenVersion: access.participant.tokenVersion ?? 0 } : null;
  const state: TokenState = tokenState({ kept: token, sentHash: sent.hash, bearer, now: Date.now() });
  return { token, state, access };
}

/** Whom a join token speaks of; null once that person may not be in the room. */
export async function findBearer(
  db: DatabaseReader,
  given: { meetingId: string; participantId: string },
): Promise<TokenBearer | null> {
  const meetingId = db.normalizeId("meetings", given.meetingId);
  const participantId = db.normalizeId("meetingParticipants", given.participantId);
  if (!meetingId || !participantId) return null;
  const access = await findAccess(db, { meetingId, participantId });
  return access && describeBearer(db, access.participant);
}

/** Whom a join token may be given to: null, too, for who has to pass the lobby, and if there is no place. */
export async function findAdmitted(
  db: DatabaseReader,
  { meetingId, participantId }: { meetingId: Id<"meetings">; participantId: Id<"meetingParticipants"> },
): Promise<TokenBearer | null> {
  const access = await findAccess(db, { meetingId, participantId });
  if (!access || (await admissionRefusal(db, access.meeting, access.participant))) return null;
  return describeBearer(db, access.participant);
}

/**
 * Deletes tokens that have expired, the longest ago first.
 *
 * @returns how many were deleted, at most `limit`.
 */
export async function deleteExpiredTokens(ctx: MutationCtx, limit: number): Promise<number> {
  const expired = await ctx.db
    .query("meetingTokens")
    .withIndex("by_expires_at", (q) => q.lt("expiresAt", Date.now()))
    .take(limit);
  await Promise.all(expired.map(({ _id }) => ctx.db.delete("meetingTokens", _id)));
  return expired.length;
}

/** The active meeting and the row of a token's bearer; null if either is gone, or the person is banned or deactivated. */
async function findAccess(
  db: DatabaseReader,
  { meetingId, participantId }: Pick<Token, "meetingId" | "participantId">,
): Promise<{ meeting: Meeting; participant: Row } | null> {
  const [meeting, participant] = await Promise.all([
    db.get("meetings", meetingId),
    db.get("meetingParticipants", participantId),
  ]);
  if (meeting?.state !== "active" || participant?.meetingId !== meetingId) return null;
  const { userId } = participant;
  const [banned, user] = await Promise.all([
    isBanned(db, meeting, participant),
    userId && db.get("users", userId),
  ]);
  if (banned || (userId && !user?.isActive)) return null;
  return { meeting, participant };
}

/** The caller's own row, or that of a guest of the meeting for a host. */
async function bearerFor(
  db: DatabaseReader,
  meeting: Meeting,
  own: Row,
  givenParticipantId: string | undefined,
): Promise<Row> {
  if (givenParticipantId === undefined) return own;
  const participantId = db.normalizeId("meetingParticipants", givenParticipantId);
  if (participantId === own._id) return own;
  if (own.role !== "host") fail("FORBIDDEN", "Only hosts can ask for others, and only for guests");
  const row = participantId && (await db.get("meetingParticipants", participantId));
  if (row?.meetingId !== meeting._id) fail("PARTICIPANT_NOT_FOUND", "This person is not in the meeting");
  if (row.guestId === undefined) fail("FORBIDDEN", "Who has an account asks for themselves");
  return row;
}

async function isBanned(db: DatabaseReader, meeting: Meeting, row: Row): Promise<boolean> {
  return (await bannedPeople(db, meeting)).has(keyOf(row));
}

/**
 * Fails with NOT_ADMITTED for who has to pass the lobby, with MEETING_LOCKED for who is locked out, and with MEETING_FULL if
 * there are as many people as there are places: rows hold a place each, but places may have become fewer.
 */
async function requireAdmission(db: DatabaseReader, meeting: Meeting, row: Row): Promise<void> {
  const refusal = await admissionRefusal(db, meeting, row);
  if (refusal) fail(refusal, admissionRefusals[refusal]);
}

const admissionRefusals = {
  NOT_ADMITTED: "A host has to admit this person from the lobby first",
  MEETING_LOCKED: "The meeting is locked",
  MEETING_FULL: "Meeting is full",
};

async function admissionRefusal(
  db: DatabaseReader,
  meeting: Meeting,
  row: Row,
): Promise<keyof typeof admissionRefusals | null> {
  const isThere = row.presence === "joined";
  if (meeting.lobby === true && row.role !== "host" && !isThere) return "NOT_ADMITTED";
  if (isLockedOut(meeting, row)) return "MEETING_LOCKED";
  const tenant = await findTenantOf(db, meeting);
  const others = (meeting.joinedCount ?? 0) - Number(isThere);
  return others >= placesOf(meeting, tenant) ? "MEETING_FULL" : null;
}

async function issue(ctx: MutationCtx, kind: TokenKind, row: Row, kept: KeptToken): Promise<Issued> {
  const expiresAt = Date.now() + (kind === "refresh" ? REFRESH_TOKEN_MS : CONTROL_TOKEN_MS);
  await deleteOldest(ctx, kind, row._id);
  await ctx.db.insert("meetingTokens", {
    kind,
    ...kept,
    meetingId: row.meetingId,
    participantId: row._id,
    tokenVersion: row.tokenVersion ?? 0,
    expiresAt,
  });
  return { bearer: await describeBearer(ctx.db, row), expiresAt };
}

async function deleteOldest(
  ctx: MutationCtx,
  kind: TokenKind,
  participantId: Id<"meetingParticipants">,
): Promise<void> {
  const tokens = await ctx.db
    .query("meetingTokens")
    .withIndex("by_participant_and_kind", (q) => q.eq("participantId", participantId).eq("kind", kind))
    .take(MAX_TOKENS);
  const [oldest] = tokens;
  if (oldest && tokens.length === MAX_TOKENS) await ctx.db.delete("meetingTokens", oldest._id);
}

async function describeBearer(db: DatabaseReader, row: Row): Promise<TokenBearer> {
  const { userId, guestId, role, capabilities, blockedUntil, attributes } = row;
  const person = userId ? await db.get("users", userId) : guestId && (await db.get("guests", guestId));
  const name = row.displayName ?? person?.displayName;
  return {
    meetingId: row.meetingId,
    participantId: row._id,
    ...(name !== undefined && { name }),
    role,
    ...(capabilities && { capabilities }),
    ...(blockedUntil !== undefined && { blockedUntil }),
    ...(attributes && { attributes }),
    tokenVersion: row.tokenVersion ?? 0,
  };
}
