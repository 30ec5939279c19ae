import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import type * as z from "zod";
import { MAX_DURATION_MS, type MeetingType } from "../contract/meetings";
import type { createMeeting as createMeetingEndpoint } from "../contract/meetingsLifecycle";
import type { Access } from "./access";
import { fail } from "./errors";
import { nextState } from "./meetingStates";
import { insertParticipants } from "./participants";

const DEFAULT_DURATION_MS = 30 * 60_000;

/** Places by type, the host's included. */
const placesByType: Record<MeetingType, number> = {
  "one-on-one": 2,
  "small-group": 25,
  "large-meeting": 1_000,
  webinar: 10_000,
};
const DEFAULT_PLACES = 100;

/** Creates a meeting with `organizer` as its host. FORBIDDEN in another's name, SCHEDULED_IN_PAST. */
export async function createMeeting(
  ctx: MutationCtx,
  organizer: Doc<"users">,
  args: z.output<typeof createMeetingEndpoint.args>,
): Promise<{ meetingId: Id<"meetings">; maxParticipants: number }> {
  const { organizerId, ...given } = args;
  if (organizerId !== undefined && ctx.db.normalizeId("users", organizerId) !== organizer._id) {
    fail("FORBIDDEN", "A meeting can only be created in one's own name");
  }
  const now = Date.now();
  if (given.scheduledAt !== undefined && given.scheduledAt < now) {
    fail("SCHEDULED_IN_PAST", "A meeting cannot be scheduled in the past");
  }
  const maxParticipants = given.maxParticipants ?? defaultPlaces(given.meetingType);
  const meetingId = await ctx.db.insert("meetings", {
    ...given,
    duration: given.duration ?? DEFAULT_DURATION_MS,
    organizerId: organizer._id,
    maxParticipants,
    participantCount: 0,
    state: "scheduled",
    updatedAt: now,
  });
  await insertParticipants(ctx, { _id: meetingId, participantCount: 0 }, [
    { userId: organizer._id, role: "host" },
  ]);
  return { meetingId, maxParticipants };
}

/** Makes a scheduled meeting active. */
export async function startMeeting(ctx: MutationCtx, { meeting }: Access): Promise<void> {
  const now = Date.now();
  await ctx.db.patch("meetings", meeting._id, {
    state: nextState(meeting.state, "start"),
    startedAt: now,
    updatedAt: now,
  });
}

/**
 * Concludes an active meeting. The presences stay as they are: they say who was there at the end.
 *
 * @returns milliseconds from the start to the end.
 */
export async function endMeeting(ctx: MutationCtx, { meeting }: Access): Promise<number> {
  const now = Date.now();
  await ctx.db.patch("meetings", meeting._id, {
    state: nextState(meeting.state, "end"),
    endedAt: now,
    updatedAt: now,
  });
  return now - (meeting.startedAt ?? now);
}

/** Cancels a scheduled meeting. */
export async function cancelMeeting(ctx: MutationCtx, { meeting }: Access): Promise<void> {
  await ctx.db.patch("meetings", meeting._id, {
    state: nextState(meeting.state, "cancel"),
    updatedAt: Date.now(),
  });
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
  for (const { _id, state } of missed) {
    await ctx.db.patch("meetings", _id, { state: nextState(state, "cancel"), updatedAt: now });
  }
  return missed.length;
}

function defaultPlaces(meetingType: MeetingType | undefined): number {
  return meetingType === undefined ? DEFAULT_PLACES : placesByType[meetingType];
}
