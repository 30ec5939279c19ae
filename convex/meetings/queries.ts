import * as contract from "../contract/meetingsQueries";
import { authedQuery } from "../functions";
import { requireParticipant } from "../model/access";
import { listMeetingsOf, listParticipants, meetingForCaller } from "../model/meetingLists";

/** A meeting with the caller's role and presence. Fails with MEETING_NOT_FOUND, or FORBIDDEN for who is not in it. */
export const getMeeting = authedQuery(contract.getMeeting, async (ctx, { meetingId }) =>
  meetingForCaller(await requireParticipant(ctx.db, meetingId, ctx.user)),
);

/** The caller's meetings, last added first, 50 unless `limit` says otherwise. */
export const listUserMeetings = authedQuery(contract.listUserMeetings, (ctx, args) =>
  listMeetingsOf(ctx.db, ctx.user._id, args),
);

/** A page of the people in a meeting. Fails with MEETING_NOT_FOUND, or FORBIDDEN for who is not in it. */
export const listMeetingParticipants = authedQuery(contract.listMeetingParticipants, async (ctx, args) => {
  const { meetingId, paginationOpts, ...filter } = args;
  const { meeting } = await requireParticipant(ctx.db, meetingId, ctx.user);
  return listParticipants(ctx.db, meeting._id, filter, paginationOpts);
});
