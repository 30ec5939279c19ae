import type * as z from "zod";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import type { EventActor, EventType } from "../contract/events";
import { MAX_DURATION_MS, type MeetingState, type MeetingType } from "../contract/meetings";
import type { createMeeting as createMeetingEndpoint } from "../contract/meetingsLifecycle";
import { type CallerCtx, openAsSystem } from "./access";
import { endsAt } from "./emptyMeetings";
import { fail } from "./errors";
import { scheduleRoomClosing } from "./mediaSync";
import { MeetingEdit } from "./meetingEdit";
import { nextState } from "./meetingStates";
import { insertParticipants } from "./participants";
import { takeTenantToken } from "./rateLimit";
import { ensureTenant, tenantNameOf } from "./tenants";

const DEFAULT_DURATION_MS = 30 * 60_000;

/** Places by type, the host's included. */
const placesByType: Record<MeetingType, number> = {
  "one-on-one": 2,
  "small-group": 25,
  "large-meeting": 1_000,
  webinar: 10_000,
};
const DEFAULT_PLACES = 100;

/** Creates a meeting with the caller as its host. FORBIDDEN in another's name, SCHEDULED_IN_PAST. */
export async function createMeeting(
  ctx: CallerCtx,
  args: z.output<typeof createMeetingEndpoint.args>,
): Promise<{ meetingId: Id<"meetings">; maxParticipants: number }> {
  const { organizerId, ...given } = args;
  if (organizerId !== undefined && ctx.db.normalizeId("users", organizerId) !== ctx.user._id) {
    fail("FORBIDDEN", "A meeting can only be created in one's own name");
  }
  const tenant = await ensureTenant(ctx, tenantNameOf(ctx.identity, ctx.user));
  await takeTenantToken(ctx, tenant);
  const edit = await insertMeeting(
    ctx,
    tenant,
    { kind: "user", id: ctx.user._id },
    { ...given, organizerId: ctx.user._id },
  );
  const { changes } = await insertParticipants(edit, [{ userId: ctx.user._id, role: "host" }]);
  edit.event("participants.added", changes);
  await edit.save();
  return { meetingId: edit.meeting._id, maxParticipants: edit.meeting.maxParticipants };
}

/** What a new meeting is made of; what is absent gets its default. */
type NewMeeting = Omit<z.output<typeof createMeetingEndpoint.args>, "organizerId"> & {
  organizerId?: Id<"users">;
};

/**
 * Inserts a scheduled meeting without anybody in it. SCHEDULED_IN_PAST. The edit is to be saved by who has added what else
 * belongs to the new meeting.
 */
export async function insertMeeting(
  ctx: MutationCtx,
  tenant: Doc<"tenants">,
  actor: EventActor,
  given: NewMeeting,
): Promise<MeetingEdit> {
  const now = Date.now();
  if (given.scheduledAt !== undefined && given.scheduledAt < now) {
    fail("SCHEDULED_IN_PAST", "A meeting cannot be scheduled in the past");
  }
  const fields = {
    ...given,
    duration: given.duration ?? DEFAULT_DURATION_MS,
    maxParticipants: given.maxParticipants ?? defaultPlaces(given.meetingType),
    participantCount: 0,
    state: "scheduled" as const,
    tenantId: tenant._id,
    updatedAt: now,
  };
  const meetingId = await ctx.db.insert("meetings", fields);
  const edit = new MeetingEdit(ctx, { _id: meetingId, _creationTime: now, ...fields }, tenant, actor);
  edit.event("meeting.created", [{ subject: meetingId, after: { ...given } }]);
  return edit;
}

export const DEFAULT_CONCURRENT_MEETINGS = 100;

/** Makes a scheduled meeting active. TOO_MANY_ACTIVE_MEETINGS, or what its state forbids. */
export async function startMeeting(edit: MeetingEdit): Promise<void> {
  const { ctx, tenant } = edit;
  const state = nextState(edit.meeting.state, "start");
  const { maxConcurrentMeetings = DEFAULT_CONCURRENT_MEETINGS } = tenant.config;
  const active = await ctx.db
    .query("meetings")
    .withIndex("by_tenant_and_state", (q) => q.eq("tenantId", tenant._id).eq("state", "active"))
    .take(maxConcurrentMeetings);
  if (active.length >= maxConcurrentMeetings) {
    fail(
      "TOO_MANY_ACTIVE_MEETINGS",
      `No more than ${maxConcurrentMeetings} meetings can be active at a time`,
    );
  }
  const now = Date.now();
  changeState(edit, "meeting.started", { state, startedAt: now, emptySince: now });
}

/**
 * Concludes an active meeting. The presences stay as they are: they say who was there at the end.
 *
 * @returns milliseconds from the start to the end.
 */
export async function endMeeting(edit: MeetingEdit): Promise<number> {
  const now = Date.now();
  const { startedAt = now } = edit.meeting;
  changeState(edit, "meeting.ended", { state: nextState(edit.meeting.state, "end"), endedAt: now });
  await scheduleRoomClosing(edit.ctx, edit.meeting._id);
  return now - startedAt;
}

/** Ends an active meeting if nobody has been in it for its timeout; else has it looked at again when that may be so. */
export async function endIfEmpty(ctx: MutationCtx, meetingId: Id<"meetings">): Promise<void> {
  const meeting = await ctx.db.get("meetings", meetingId);
  if (meeting?.state !== "active") return;
  const edit = await openAsSystem(ctx, meeting);
  edit.set({ emptyCheckAt: undefined });
  const due = endsAt(meeting, edit.tenant);
  if (due !== null && due <= Date.now()) await endMeeting(edit);
  await edit.save();
}

/** Cancels a scheduled meeting. */
export function cancelMeeting(edit: MeetingEdit): void {
  changeState(edit, "meeting.cancelled", { state: nextState(edit.meeting.state, "cancel") });
}

function changeState(
  edit: MeetingEdit,
  type: EventType,
  fields: Partial<Doc<"meetings">> & { state: MeetingState },
): void {
  const { _id, state } = edit.meeting;
  edit.set(fields);
  edit.event(type, [{ subject: _id, before: { state }, after: { state: fields.state } }]);
}

/**
 * Cancels meetings that nobody has started within a day of their planned time: no meeting is planned to be longer than
 * that. Meetings without a planned time wait for as long as it takes.
 *
 * @param limit How many to cancel at most, those that have waited longest first.
 * @returns how many were cancelled.
 */
export async function cancelMissedMeetings(ctx: MutationCtx, limit: number): Promise<number> {
  const now = Date.now();
  const missed = await ctx.db
    .query("meetings")
    .withIndex("by_state_and_scheduled_at", (q) =>
      // A time that is missing comes before all numbers.
      q
        .eq("state", "scheduled")
        .gte("scheduledAt", 0)
        .lt("scheduledAt", now - MAX_DURATION_MS),
    )
    .take(limit);
  // One after the other, since two of them may need the same tenant to be made.
  for (const meeting of missed) {
    const edit = await openAsSystem(ctx, meeting);
    cancelMeeting(edit);
    await edit.save();
  }
  return missed.length;
}

function defaultPlaces(meetingType: MeetingType | undefined): number {
  return meetingType === undefined ? DEFAULT_PLACES : placesByType[meetingType];
}
