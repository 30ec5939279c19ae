import { omit } from "convex-helpers";
import { internal } from "../_generated/api";
import * as bulk from "../contract/meetingsBulk";
import * as importContract from "../contract/meetingsImport";
import * as contract from "../contract/meetingsLifecycle";
import * as tokensContract from "../contract/meetingsTokens";
import type { Connection } from "../contract/tokens";
import { authedAction, authedMutation, hostMutation, openAction, participantMutation } from "../functions";
import { addOne, addSeveral } from "../model/addByRequest";
import { importParticipants as importLines } from "../model/importParticipants";
import * as meetings from "../model/meetings";
import { patchParticipants, requireOtherHost, requireRow } from "../model/participants";
import { join, leave } from "../model/presence";
import { namesOf } from "../model/namedPeople";
import { removeSeveral } from "../model/removeByRequest";
import { removeParticipants } from "../model/removeParticipants";
import { replaceParticipants as replaceByList } from "../model/replaceParticipants";
import * as changes from "../model/updateMeeting";
import {
  updateCapabilitiesExcept as changeAllCapabilities,
  updateOne,
  updateSeveral,
} from "../model/updateParticipants";

/** Creates a scheduled meeting with the caller as its host; gives its id and its number of places. FORBIDDEN: in another's name. */
export const createMeeting = authedMutation(contract.createMeeting, (ctx, args) =>
  meetings.createMeeting(ctx, args),
);

/** Changes fields of a meeting, for a host. */
export const updateMeeting = hostMutation(contract.updateMeeting, "change", async (edit, args) => {
  await changes.updateMeeting(edit, omit(args, ["meetingId"]));
  return null;
});

/** Adds one person, for a host. */
export const addParticipant = hostMutation(
  contract.addParticipant,
  "change",
  async (edit, { userId, role }) => ({ participantId: await addOne(edit, { userId, role }), success: true }),
);

/**
 * Adds up to 1,000 people, for a host, and says of each one who was skipped why. Where the policy says so it fails with what is
 * wrong with the first person who cannot be added.
 */
export const addMultipleParticipants = hostMutation(
  contract.addMultipleParticipants,
  "change",
  async (edit, args, { identity }) => ({ success: true, ...(await addSeveral(edit, identity, args)) }),
);

/**
 * Adds the people of a CSV text or of an iCalendar file, for a host, and says of each line that was skipped why. Where the
 * policy says so it fails with what is wrong with the first line whose person cannot be added.
 */
export const importParticipants = hostMutation(
  importContract.importParticipants,
  "change",
  async (edit, args) => ({ success: true, ...(await importLines(edit, args)) }),
);

/** Removes a person, for a host, and frees the place. */
export const removeParticipant = hostMutation(
  contract.removeParticipant,
  "change",
  async (edit, { userId }) => {
    await removeParticipants(edit, [await requireRow(edit.ctx.db, edit.meeting._id, userId)]);
    return null;
  },
);

/** Removes up to 1,000 people, for a host, bans them if wished, and says of each one who was skipped why. */
export const removeMultipleParticipants = hostMutation(
  bulk.removeMultipleParticipants,
  "change",
  async (edit, args) => ({ success: true, ...(await removeSeveral(edit, namesOf(args), args.ban)) }),
);

/** Changes a person, for a host, or one's own names. */
export const updateParticipant = participantMutation(
  bulk.updateParticipant,
  async (edit, participant, args) => ({
    participantId: await updateOne(edit, participant, args),
    success: true,
  }),
);

/** Changes up to 1,000 people, for a host, and says of each one who was skipped why. */
export const updateMultipleParticipants = hostMutation(
  bulk.updateMultipleParticipants,
  "change",
  async (edit, { participants }) => ({ success: true, ...(await updateSeveral(edit, participants)) }),
);

/** Gives everybody but those named the same capabilities, for a host. */
export const updateCapabilitiesExcept = hostMutation(
  bulk.updateCapabilitiesExcept,
  "change",
  async (edit, { capabilities, exceptParticipantIds = [] }) => ({
    updated: await changeAllCapabilities(edit, capabilities, exceptParticipantIds),
    success: true,
  }),
);

/**
 * Makes the list of people what it is given, for a host who knows its version. Where the policy says so it fails with what is
 * wrong with the first person who cannot be added.
 */
export const replaceParticipants = hostMutation(
  bulk.replaceParticipants,
  "change",
  async (edit, args, { identity }) => ({
    ...(await replaceByList(edit, identity, args)),
    success: true,
  }),
);

/** Gives a person another role, for a host. */
export const updateParticipantRole = hostMutation(
  contract.updateParticipantRole,
  "change",
  async (edit, { userId, newRole: role }) => {
    const { db } = edit.ctx;
    const row = await requireRow(db, edit.meeting._id, userId);
    if (row.role === "host" && role !== "host") await requireOtherHost(db, edit.meeting._id, [row]);
    edit.event("participants.updated", await patchParticipants(edit, [{ row, fields: { role } }]));
    return null;
  },
);

/** Starts a meeting, for a host. */
export const startMeeting = hostMutation(contract.startMeeting, "start", async (edit) => {
  await meetings.startMeeting(edit);
  return { success: true };
});

/** Ends an active meeting, for a host; gives the time it took in milliseconds. */
export const endMeeting = hostMutation(contract.endMeeting, "end", async (edit) => ({
  success: true,
  duration: await meetings.endMeeting(edit),
}));

/** Cancels a scheduled meeting, for a host. */
export const cancelMeeting = hostMutation(contract.cancelMeeting, "cancel", async (edit) => {
  meetings.cancelMeeting(edit);
  return null;
});

/** Joins an active meeting, or joins it again. */
export const joinMeeting = participantMutation(contract.joinMeeting, async (edit, participant) => {
  const presence = await join(edit, participant);
  const records = participant.role === "host" && edit.tenant.config.forceRecording === true;
  return {
    success: true,
    ...(presence === "waiting" && { waiting: true as const }),
    ...(records && { shouldStartRecording: true as const }),
  };
});

/** Leaves a meeting, or declines it. */
export const leaveMeeting = participantMutation(contract.leaveMeeting, async (edit, participant) => {
  await leave(edit, participant);
  return { success: true };
});

/** Gives room, address and a fresh join token, to a person in an active meeting, or to a host for a guest. */
export const getMeetingConnectionInfo = authedAction(
  tokensContract.getMeetingConnectionInfo,
  (ctx, args): Promise<Connection> =>
    ctx.runAction(internal.livekit.connect, { ...args, userId: ctx.userId }),
);

/** Gives a fresh join token and the next refresh token for a refresh token. */
export const refreshJoinToken = openAction(
  tokensContract.refreshJoinToken,
  (ctx, args): Promise<Connection> => ctx.runAction(internal.livekit.reconnect, args),
);
