import { pick } from "convex-helpers";
import type { UserIdentity } from "convex/server";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import type { PlaceField } from "../contract/participants";
import type { Principal } from "./accessKeys";
import { fail } from "./errors";
import { MeetingEdit } from "./meetingEdit";
import { type MeetingAction, nextState } from "./meetingStates";
import { findParticipant } from "./participants";
import { takeTenantToken } from "./rateLimit";
import { ensureTenantOf } from "./tenants";

/** A meeting and the caller's place in it. */
export interface Access {
  meeting: Doc<"meetings">;
  participant: Doc<"meetingParticipants">;
}

/** A mutation's context with its caller. */
export type CallerCtx = MutationCtx & { user: Doc<"users">; identity: UserIdentity };

/** The meeting of an id as a client gave it; MEETING_NOT_FOUND. */
export async function requireMeeting(db: DatabaseReader, givenMeetingId: string): Promise<Doc<"meetings">> {
  const meetingId = db.normalizeId("meetings", givenMeetingId);
  const meeting = meetingId && (await db.get("meetings", meetingId));
  return meeting || fail("MEETING_NOT_FOUND", "There is no such meeting");
}

/** The meeting, for a person in it: MEETING_NOT_FOUND if there is none, FORBIDDEN for everybody else. */
export async function requireParticipant(
  db: DatabaseReader,
  givenMeetingId: string,
  user: Doc<"users">,
): Promise<Access> {
  const meeting = await requireMeeting(db, givenMeetingId);
  const participant = await findParticipant(db, meeting._id, { userId: user._id });
  if (!participant) fail("FORBIDDEN", "Only for participants of the meeting");
  return { meeting, participant };
}

/** What some fields say of a person's place in a meeting. */
export interface Place<Field extends PlaceField> {
  meetingId: Id<"meetings">;
  participant: Pick<Doc<"meetingParticipants">, Field>;
}

/**
 * The place of a person in a meeting; fails as {@link requireParticipant} does. The meeting itself is not read, so that a live query
 * which needs nothing of it is not run again with each of its changes.
 */
export async function requirePlace<Field extends PlaceField>(
  db: DatabaseReader,
  givenMeetingId: string,
  user: Doc<"users">,
  fields: Field[],
): Promise<Place<Field>> {
  const meetingId = db.normalizeId("meetings", givenMeetingId);
  const found = meetingId && (await findParticipant(db, meetingId, { userId: user._id }));
  const participant = found || (await requireParticipant(db, givenMeetingId, user)).participant;
  return { meetingId: participant.meetingId, participant: pick(participant, fields) };
}

/** The meeting, for one of its hosts, whatever state it is in. */
export async function requireHost(
  db: DatabaseReader,
  givenMeetingId: string,
  user: Doc<"users">,
): Promise<Access> {
  const access = await requireParticipant(db, givenMeetingId, user);
  if (access.participant.role !== "host") fail("FORBIDDEN", "Only for hosts of the meeting");
  return access;
}

/** The meeting, for one of its hosts or co-hosts, whatever state it is in. */
export async function requireModerator(
  db: DatabaseReader,
  givenMeetingId: string,
  user: Doc<"users">,
): Promise<Access> {
  const access = await requireParticipant(db, givenMeetingId, user);
  const { role } = access.participant;
  if (role !== "host" && role !== "co-host") fail("FORBIDDEN", "Only for hosts and co-hosts of the meeting");
  return access;
}

/** The meeting for one of its hosts or co-hosts to change, if what they want can be done in the meeting's state. */
export async function openAsModerator(
  ctx: CallerCtx,
  givenMeetingId: string,
  action: MeetingAction,
): Promise<MeetingEdit> {
  const { meeting } = await requireModerator(ctx.db, givenMeetingId, ctx.user);
  nextState(meeting.state, action);
  return openMeeting(ctx, meeting);
}

/** The meeting for one of its hosts to change, if what the host wants can be done in the meeting's state. */
export async function openAsHost(
  ctx: CallerCtx,
  givenMeetingId: string,
  action: MeetingAction,
): Promise<MeetingEdit> {
  const { meeting } = await requireHost(ctx.db, givenMeetingId, ctx.user);
  nextState(meeting.state, action);
  return openMeeting(ctx, meeting);
}

/** The meeting for a person in it to change. */
export async function openAsParticipant(
  ctx: CallerCtx,
  givenMeetingId: string,
): Promise<{ edit: MeetingEdit; participant: Doc<"meetingParticipants"> }> {
  const { meeting, participant } = await requireParticipant(ctx.db, givenMeetingId, ctx.user);
  return { edit: await openMeeting(ctx, meeting), participant };
}

/** The meeting for a person to change who need not be in it; what they may do is for the caller of this to see to. */
export async function openAsUser(ctx: CallerCtx, givenMeetingId: string): Promise<MeetingEdit> {
  return openMeeting(ctx, await requireMeeting(ctx.db, givenMeetingId));
}

/**
 * A meeting for an application of its tenant to change, which may do what a host may. MEETING_NOT_FOUND for meetings of other
 * tenants too.
 */
export async function openAsTenant(
  ctx: MutationCtx,
  { tenantId, accessKeyId }: Principal,
  givenMeetingId: string | null,
  action: MeetingAction,
): Promise<MeetingEdit> {
  const meeting = await requireOwnMeeting(ctx.db, tenantId, givenMeetingId);
  nextState(meeting.state, action);
  const tenant = await ensureTenantOf(ctx, meeting);
  await takeTenantToken(ctx, tenant);
  return new MeetingEdit(ctx, meeting, tenant, { kind: "accessKey", id: accessKeyId });
}

/** A meeting for what happens to it of itself, such as when a time is up. */
export async function openAsSystem(ctx: MutationCtx, meeting: Doc<"meetings">): Promise<MeetingEdit> {
  return new MeetingEdit(ctx, meeting, await ensureTenantOf(ctx, meeting), { kind: "system" });
}

/** A meeting of a tenant; MEETING_NOT_FOUND. */
export async function requireOwnMeeting(
  db: DatabaseReader,
  tenantId: Id<"tenants">,
  givenMeetingId: string | null,
): Promise<Doc<"meetings">> {
  const meeting = givenMeetingId === null ? null : await requireMeeting(db, givenMeetingId);
  if (meeting?.tenantId !== tenantId) fail("MEETING_NOT_FOUND", "There is no such meeting");
  return meeting as Doc<"meetings">;
}

/** A meeting for a caller to change, who has been found to be allowed to. RATE_LIMITED for the whole tenant. */
export async function openMeeting(ctx: CallerCtx, meeting: Doc<"meetings">): Promise<MeetingEdit> {
  const tenant = await ensureTenantOf(ctx, meeting);
  await takeTenantToken(ctx, tenant);
  return new MeetingEdit(ctx, meeting, tenant, { kind: "user", id: ctx.user._id });
}
