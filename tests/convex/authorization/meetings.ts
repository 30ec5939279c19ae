import { api } from "../../../convex/_generated/api";
import { coHosts, hosts, participants, type Rows, type Stage, users } from "./stage";

const ofMeeting = ({ meetingId }: Stage) => ({ meetingId });
const ofTarget = ({ meetingId, target }: Stage) => ({ meetingId, userId: target.id });
const paginationOpts = { numItems: 5, cursor: null };

const start = ({ host, meetingId }: Stage) =>
  host.as.mutation(api.meetings.lifecycle.startMeeting, { meetingId });

export const meetingsLifecycle: Rows = {
  "meetings/lifecycle/createMeeting": { expected: users, args: () => ({ title: "Another" }) },
  "meetings/lifecycle/updateMeeting": {
    expected: hosts,
    args: ({ meetingId }) => ({ meetingId, title: "Other" }),
  },
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
  "meetings/jobs/startImport": {
    expected: hosts,
    args: ({ meetingId }) => ({ meetingId, format: "csv", text: "email\nada@example.com" }),
  },
  "meetings/jobs/startAddOrganization": {
    // The organization is nobody's here.
    expected: { ...hosts, host: "FORBIDDEN" },
    args: ({ meetingId }) => ({ meetingId, orgId: "org_of_others", role: "participant" }),
  },
  "meetings/jobs/getJob": {
    expected: { ...hosts, host: "JOB_NOT_FOUND" },
    args: ({ meetingId }) => ({ meetingId, jobId: "no job" }),
  },
  "meetings/jobs/cancelJob": {
    expected: { ...hosts, host: "JOB_NOT_FOUND" },
    args: ({ meetingId }) => ({ meetingId, jobId: "no job" }),
  },
  "meetings/jobs/listJobs": {
    expected: hosts,
    args: ({ meetingId }) => ({ meetingId, paginationOpts }),
  },
  "meetings/lifecycle/importParticipants": {
    expected: hosts,
    args: ({ meetingId }) => ({ meetingId, format: "csv", text: "email\nada@example.com" }),
  },
  "meetings/lifecycle/removeParticipant": { expected: hosts, args: ofTarget },
  "meetings/lifecycle/removeMultipleParticipants": {
    expected: hosts,
    args: ({ meetingId, target }) => ({ meetingId, userIds: [target.id] }),
  },
  "meetings/lifecycle/updateParticipant": {
    expected: hosts,
    args: (stage) => ({ ...ofTarget(stage), nickname: "Other" }),
  },
  "meetings/lifecycle/updateMultipleParticipants": {
    expected: hosts,
    args: ({ meetingId, target }) => ({ meetingId, participants: [{ userId: target.id, level: 1 }] }),
  },
  "meetings/lifecycle/updateCapabilitiesExcept": {
    expected: hosts,
    args: ({ meetingId }) => ({
      meetingId,
      capabilities: { audio: "None", video: "None", content: "None" },
    }),
  },
  "meetings/lifecycle/replaceParticipants": {
    expected: hosts,
    args: ({ meetingId, host }) => ({
      meetingId,
      participants: [{ userId: host.id, role: "host" }],
      expectedVersion: 2,
    }),
  },
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

const peopleOf = ({ meetingId, target }: Stage) => ({ meetingId, people: [{ userId: target.id }] });
const pageOf = ({ meetingId }: Stage) => ({ meetingId, paginationOpts });

export const meetingsBans: Rows = {
  "meetings/bans/banParticipants": { expected: hosts, args: peopleOf },
  "meetings/bans/unbanParticipants": { expected: hosts, args: peopleOf },
  "meetings/bans/listBans": { expected: hosts, args: pageOf },
};

export const meetingsWaitlist: Rows = {
  "meetings/waitlist/listWaitlist": { expected: hosts, args: pageOf },
  "meetings/waitlist/getOwnPosition": { expected: participants, args: ofMeeting },
  "meetings/waitlist/leaveWaitlist": {
    // The admin waits.
    expected: { ...hosts, host: "FORBIDDEN", admin: "ok" },
    args: ofMeeting,
    prepare: async ({ host, meetingId, admin }) => {
      await host.as.mutation(api.meetings.lifecycle.updateMeeting, { meetingId, maxParticipants: 6 });
      await host.as.mutation(api.meetings.lifecycle.addMultipleParticipants, {
        meetingId,
        participants: [{ userId: admin.id, role: "participant" }],
        onFull: "waitlist",
      });
    },
  },
  "meetings/waitlist/removeFromWaitlist": {
    expected: hosts,
    args: ({ meetingId }) => ({ meetingId, waitlistIds: [] }),
  },
};

export const meetingsLobby: Rows = {
  "meetings/lobby/listLobby": { expected: coHosts, args: pageOf },
  "meetings/lobby/admitParticipants": { expected: coHosts, args: ofMeeting, prepare: start },
  "meetings/lobby/refuseParticipants": { expected: coHosts, args: peopleOf, prepare: start },
};

export const meetingsHistory: Rows = {
  "meetings/history/addMarker": {
    expected: coHosts,
    args: ({ meetingId }) => ({ meetingId, text: "Agreed" }),
  },
  "meetings/history/listMarkers": { expected: participants, args: pageOf },
  "meetings/history/setReadIndex": {
    expected: participants,
    args: ({ meetingId }) => ({ meetingId, readIndex: 1 }),
  },
};
