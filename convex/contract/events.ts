import * as z from "zod";
import { id } from "./ids";

/** Everything that can happen to a meeting. */
export const eventType = z.enum([
  "meeting.created",
  "meeting.updated",
  "meeting.started",
  "meeting.ended",
  "meeting.cancelled",
  "participants.added",
  "participants.updated",
  "participants.removed",
  "participant.joined",
  "participant.left",
  "participant.waiting",
  "participant.refused",
  "participants.banned",
  "participants.unbanned",
  "waitlist.added",
  "waitlist.removed",
  "waitlist.promoted",
  "invitation.created",
  "invitation.sent",
  "invitation.resent",
  "invitation.accepted",
  "invitation.declined",
  "invitation.revoked",
  "invitation.expired",
  "history.marked",
  /** A guest has turned out to be a user: participants, waitlist entries and bans that were the guest's are the user's. */
  "guest.bound",
]);
export type EventType = z.infer<typeof eventType>;

/** Who did it. `id`: of the user, the participant or the access key; the system has none. */
export const eventActor = z.strictObject({
  kind: z.enum(["user", "participant", "accessKey", "system"]),
  id: z.string().exactOptional(),
});
export type EventActor = z.infer<typeof eventActor>;

/** Values of a document of whatever table. */
const fieldsOf = z.record(z.string(), z.unknown());

/** One document that was changed. The fields that changed, before and after; a new one has no `before`. */
const eventChange = z.strictObject({
  subject: z.string().describe("Id of the participant, meeting, invitation, ... that was changed"),
  before: fieldsOf.exactOptional(),
  after: fieldsOf.exactOptional(),
});
export type EventChange = z.infer<typeof eventChange>;

/** Fields of the table `meetingEvents`. */
export const eventFields = {
  meetingId: id("meetings"),
  sequence: z.int().describe("1 for the first event of the meeting, then one more each"),
  type: eventType,
  actor: eventActor,
  changes: z.array(eventChange),
};

export const meetingEvent = z.strictObject({
  _id: id("meetingEvents"),
  _creationTime: z.number(),
  ...eventFields,
});
