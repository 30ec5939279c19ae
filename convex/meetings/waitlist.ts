import * as contract from "../contract/meetingsWaitlist";
import { authedMutation, authedQuery, hostMutation } from "../functions";
import { openAsUser, requireHost, requireMeeting, requireParticipant } from "../model/access";
import { fail } from "../model/errors";
import { removeWaitingByIds } from "../model/removeByRequest";
import { findWaiting, positionOf, removeWaiting, waitlistPage } from "../model/waitlist";

/** A page of who waits for a place, for a host. */
export const listWaitlist = authedQuery(contract.listWaitlist, async (ctx, { meetingId, paginationOpts }) => {
  const { meeting } = await requireHost(ctx.db, meetingId, ctx.user);
  return waitlistPage(ctx.db, meeting._id, paginationOpts);
});

/** Where the caller is on the waitlist; null for who has a place. */
export const getOwnPosition = authedQuery(contract.getOwnPosition, async (ctx, { meetingId }) => {
  const { _id } = await requireMeeting(ctx.db, meetingId);
  const entry = await findWaiting(ctx.db, _id, { userId: ctx.user._id });
  if (entry) return { position: await positionOf(ctx.db, entry) };
  await requireParticipant(ctx.db, meetingId, ctx.user);
  return { position: null };
});

/** Takes the caller off the waitlist. */
export const leaveWaitlist = authedMutation(contract.leaveWaitlist, async (ctx, { meetingId }) => {
  const edit = await openAsUser(ctx, meetingId);
  const entry = await findWaiting(ctx.db, edit.meeting._id, { userId: ctx.user._id });
  if (!entry) fail("FORBIDDEN", "Only for who is on the waitlist of the meeting");
  await removeWaiting(edit, [entry]);
  await edit.save();
  return null;
});

/** Takes others off the waitlist, for a host. */
export const removeFromWaitlist = hostMutation(
  contract.removeFromWaitlist,
  "change",
  async (edit, { waitlistIds }) => ({
    ...(await removeWaitingByIds(edit, waitlistIds)),
    success: true,
  }),
);
