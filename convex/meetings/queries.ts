import * as contract from "../contract/meetingsQueries";
import * as reports from "../contract/meetingsReports";
import { authedQuery, participantQuery } from "../functions";
import { requireHost, requireMeeting } from "../model/access";
import { attendanceReport } from "../model/attendance";
import { listEvents } from "../model/meetingEvents";
import { listMeetingsOf, listParticipants, meetingForCaller } from "../model/meetingLists";

/** A meeting with the caller's role and presence. */
export const getMeeting = participantQuery(
  contract.getMeeting,
  ["role", "presence"],
  async ({ db, meetingId, participant }) =>
    meetingForCaller(await requireMeeting(db, meetingId), participant),
);

/** The caller's meetings, last added first, 50 unless `limit` says otherwise. */
export const listUserMeetings = authedQuery(contract.listUserMeetings, (ctx, args) =>
  listMeetingsOf(ctx.db, ctx.user._id, args),
);

/** A page of the people in a meeting. */
export const listMeetingParticipants = participantQuery(
  contract.listMeetingParticipants,
  [],
  ({ db, meetingId }, args) => {
    const { meetingId: _, paginationOpts, ...filter } = args;
    return listParticipants(db, meetingId, filter, paginationOpts);
  },
);

/** A page of what has happened to a meeting, for a host. */
export const listMeetingEvents = authedQuery(reports.listMeetingEvents, async (ctx, args) => {
  const { meetingId, paginationOpts, ...wanted } = args;
  const { meeting } = await requireHost(ctx.db, meetingId, ctx.user);
  return listEvents(ctx.db, meeting._id, wanted, paginationOpts);
});

/** A page of who has been in a meeting, and when, for a host. */
export const getAttendanceReport = authedQuery(reports.getAttendanceReport, async (ctx, args) => {
  const { meeting } = await requireHost(ctx.db, args.meetingId, ctx.user);
  return attendanceReport(ctx.db, meeting, args.paginationOpts);
});
