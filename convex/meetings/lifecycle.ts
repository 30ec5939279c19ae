import * as contract from "../contract/meetingsLifecycle";
import { authedMutation } from "../functions";
import { requireHost, requireParticipant } from "../model/access";
import { addParticipants } from "../model/addParticipants";
import { fail } from "../model/errors";
import * as meetings from "../model/meetings";
import { nextState } from "../model/meetingStates";
import * as participants from "../model/participants";

/**
 * Creates a scheduled meeting with the caller as its host; gives its id and its number of places.
 * Fails with FORBIDDEN (in another's name) or SCHEDULED_IN_PAST.
 */
export const createMeeting = authedMutation(contract.createMeeting, (ctx, args) =>
  meetings.createMeeting(ctx, ctx.user, args),
);

/**
 * Adds one person, for a host. Fails with MEETING_NOT_FOUND, FORBIDDEN, MEETING_CLOSED, USER_NOT_FOUND, USER_INACTIVE,
 * ALREADY_PARTICIPANT, LAST_HOST, MEETING_FULL or ONE_ON_ONE_FULL.
 */
export const addParticipant = authedMutation(
  contract.addParticipant,
  async (ctx, { meetingId, ...entry }) => {
    const { meeting } = await requireHost(ctx.db, meetingId, ctx.user, "change");
    const { added } = await addParticipants(ctx, meeting, [entry], "fail");
    const [participantId = fail("INTERNAL_ERROR", "Nobody was added")] = added;
    return { participantId, success: true };
  },
);

/**
 * Adds up to 1,000 people, for a host, and says of each one who was skipped why.
 * Fails as a whole with MEETING_NOT_FOUND, FORBIDDEN or MEETING_CLOSED.
 */
export const addMultipleParticipants = authedMutation(contract.addMultipleParticipants, async (ctx, args) => {
  const { meeting } = await requireHost(ctx.db, args.meetingId, ctx.user, "change");
  const outcome = await addParticipants(ctx, meeting, args.participants, "skip");
  return { ...outcome, success: true };
});

/**
 * Removes a person, for a host, and frees the place. Fails with MEETING_NOT_FOUND, FORBIDDEN, MEETING_CLOSED,
 * PARTICIPANT_NOT_FOUND or LAST_HOST.
 */
export const removeParticipant = authedMutation(contract.removeParticipant, async (ctx, args) => {
  const access = await requireHost(ctx.db, args.meetingId, ctx.user, "change");
  await participants.removeParticipant(ctx, access, args.userId);
  return null;
});

/**
 * Gives a person another role, for a host. Fails with MEETING_NOT_FOUND, FORBIDDEN, MEETING_CLOSED,
 * PARTICIPANT_NOT_FOUND or LAST_HOST.
 */
export const updateParticipantRole = authedMutation(contract.updateParticipantRole, async (ctx, args) => {
  const access = await requireHost(ctx.db, args.meetingId, ctx.user, "change");
  await participants.changeRole(ctx, access, args.userId, args.newRole);
  return null;
});

/** Starts a meeting, for a host. Fails with MEETING_NOT_FOUND, FORBIDDEN, MEETING_ALREADY_ACTIVE or MEETING_CLOSED. */
export const startMeeting = authedMutation(contract.startMeeting, async (ctx, { meetingId }) => {
  await meetings.startMeeting(ctx, await requireHost(ctx.db, meetingId, ctx.user, "start"));
  return { success: true };
});

/**
 * Ends an active meeting, for a host; gives the time it took in milliseconds.
 * Fails with MEETING_NOT_FOUND, FORBIDDEN or MEETING_NOT_ACTIVE.
 */
export const endMeeting = authedMutation(contract.endMeeting, async (ctx, { meetingId }) => {
  const access = await requireHost(ctx.db, meetingId, ctx.user, "end");
  return { success: true, duration: await meetings.endMeeting(ctx, access) };
});

/** Cancels a scheduled meeting, for a host. Fails with MEETING_NOT_FOUND, FORBIDDEN, MEETING_ACTIVE or MEETING_CLOSED. */
export const cancelMeeting = authedMutation(contract.cancelMeeting, async (ctx, { meetingId }) => {
  await meetings.cancelMeeting(ctx, await requireHost(ctx.db, meetingId, ctx.user, "cancel"));
  return null;
});

/** Joins an active meeting, or joins it again. Fails with MEETING_NOT_FOUND, FORBIDDEN or MEETING_NOT_ACTIVE. */
export const joinMeeting = authedMutation(contract.joinMeeting, async (ctx, { meetingId }) => {
  const access = await requireParticipant(ctx.db, meetingId, ctx.user);
  nextState(access.meeting.state, "join");
  await participants.join(ctx, access);
  return { success: true };
});

/** Leaves a meeting, or declines it. Fails with MEETING_NOT_FOUND, FORBIDDEN or MEETING_CLOSED. */
export const leaveMeeting = authedMutation(contract.leaveMeeting, async (ctx, { meetingId }) => {
  const access = await requireParticipant(ctx.db, meetingId, ctx.user);
  nextState(access.meeting.state, "leave");
  await participants.leave(ctx, access);
  return { success: true };
});
