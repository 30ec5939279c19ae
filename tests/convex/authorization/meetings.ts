import { api } from "../../../convex/_generated/api";
import { hosts, participants, type Rows, type Stage, users } from "./stage";

const ofMeeting = ({ meetingId }: Stage) => ({ meetingId });
const ofTarget = ({ meetingId, target }: Stage) => ({ meetingId, userId: target.id });
const paginationOpts = { numItems: 5, cursor: null };

const start = ({ host, meetingId }: Stage) =>
  host.as.mutation(api.meetings.lifecycle.startMeeting, { meetingId });

export const meetingsLifecycle: Rows = {
  "meetings/lifecycle/createMeeting": { expected: users, args: () => ({ title: "Another" }) },
  "meetings/lifecycle/addParticipant": {
    expected: hosts,
    args: ({ meetingId, newcomer }) => ({ meetingId, userId: newcomer.id, role: "participant" }),
  },
  "meetings/lifecycle/addMultipleParticipants": {
    expected: hosts,
    args: ({ meetingId, newcomer }) => ({
      meetingId,
      participants: [{ userId: newcomer.id, role: "participant" }],
    }),
  },
  "meetings/lifecycle/removeParticipant": { expected: hosts, args: ofTarget },
  "meetings/lifecycle/updateParticipantRole": {
    expected: hosts,
    args: (stage) => ({ ...ofTarget(stage), newRole: "observer" }),
  },
  "meetings/lifecycle/startMeeting": { expected: hosts, args: ofMeeting },
  "meetings/lifecycle/endMeeting": { expected: hosts, args: ofMeeting, prepare: start },
  "meetings/lifecycle/cancelMeeting": { expected: hosts, args: ofMeeting },
  "meetings/lifecycle/joinMeeting": { expected: participants, args: ofMeeting, prepare: start },
  "meetings/lifecycle/leaveMeeting": { expected: participants, args: ofMeeting },
};

export const meetingsQueries: Rows = {
  "meetings/queries/getMeeting": { expected: participants, args: ofMeeting },
  "meetings/queries/listUserMeetings": { expected: users, args: () => ({}) },
  "meetings/queries/listMeetingParticipants": {
    expected: participants,
    args: ({ meetingId }) => ({ meetingId, paginationOpts }),
  },
  "meetings/queries/listMeetingEvents": {
    expected: hosts,
    args: ({ meetingId }) => ({ meetingId, paginationOpts }),
  },
  "meetings/queries/getAttendanceReport": {
    expected: hosts,
    args: ({ meetingId }) => ({ meetingId, paginationOpts }),
  },
};
