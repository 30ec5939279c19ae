import type { Doc } from "../_generated/dataModel";
import type { DatabaseReader } from "../_generated/server";
import { fail } from "./errors";
import { type MeetingAction, nextState } from "./meetingStates";
import { findParticipant } from "./participants";

/** A meeting and the caller's place in it. */
export interface Access {
  meeting: Doc<"meetings">;
  participant: Doc<"meetingParticipants">;
}

/** The meeting, for a person in it: MEETING_NOT_FOUND if there is none, FORBIDDEN for everybody else. */
export async function requireParticipant(
  db: DatabaseReader,
  givenMeetingId: string,
  user: Doc<"users">,
): Promise<Access> {
  const meetingId = db.normalizeId("meetings", givenMeetingId);
  const meeting = meetingId && (await db.get("meetings", meetingId));
  if (!meeting) fail("MEETING_NOT_FOUND", "There is no such meeting");
  const participant = await findParticipant(db, meeting._id, user._id);
  if (!participant) fail("FORBIDDEN", "Only for participants of the meeting");
  return { meeting, participant };
}

/** The meeting, for one of its hosts, if what the host wants can be done in the meeting's state. */
export async function requireHost(
  db: DatabaseReader,
  givenMeetingId: string,
  user: Doc<"users">,
  action: MeetingAction,
): Promise<Access> {
  const access = await requireParticipant(db, givenMeetingId, user);
  if (access.participant.role !== "host") fail("FORBIDDEN", "Only for hosts of the meeting");
  nextState(access.meeting.state, action);
  return access;
}
