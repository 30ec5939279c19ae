import type * as z from "zod";
import type { updateMeeting as endpoint } from "../contract/meetingsLifecycle";
import { fail } from "./errors";
import { openDoors } from "./lobby";
import type { MeetingEdit } from "./meetingEdit";
import { pick, same } from "./fields";
import { promoteWaiting } from "./waitlist";

type Changes = Omit<z.output<typeof endpoint.args>, "meetingId">;

/**
 * Changes the fields given, of which null removes one. More places go to those who wait for one; without the lobby those who
 * wait in it are let in. SCHEDULED_IN_PAST, MEETING_ALREADY_ACTIVE, TOO_FEW_PLACES, ONE_ON_ONE_FULL.
 */
export async function updateMeeting(edit: MeetingEdit, changes: Changes): Promise<void> {
  const { meeting } = edit;
  checkTime(edit, changes);
  checkPlaces(edit, changes);
  const fields = Object.fromEntries(
    Object.entries(changes).map(([field, value]) => [field, value === null ? undefined : value]),
  );
  const changed = (Object.keys(fields) as (keyof typeof meeting)[]).filter(
    (field) => !same(meeting[field], fields[field]),
  );
  if (changed.length === 0) return;
  const after = pick(fields, changed);
  edit.set(after);
  edit.event("meeting.updated", [{ subject: meeting._id, before: pick(meeting, changed), after }]);
  if (changed.includes("lobby") && changes.lobby === false) await openDoors(edit);
  if (changed.includes("maxParticipants")) await promoteWaiting(edit, 0);
}

function checkTime({ meeting }: MeetingEdit, { scheduledAt }: Changes): void {
  if (scheduledAt === undefined) return;
  if (meeting.state !== "scheduled") {
    fail("MEETING_ALREADY_ACTIVE", "The planned time of a meeting that has begun stays as it is");
  }
  if (scheduledAt !== null && scheduledAt < Date.now()) {
    fail("SCHEDULED_IN_PAST", "A meeting cannot be scheduled in the past");
  }
}

function checkPlaces({ meeting }: MeetingEdit, { maxParticipants }: Changes): void {
  if (maxParticipants === undefined) return;
  if (maxParticipants < meeting.participantCount) {
    fail("TOO_FEW_PLACES", `There are ${meeting.participantCount} people in the meeting`);
  }
  if (meeting.meetingType === "one-on-one" && maxParticipants > 2) {
    fail("ONE_ON_ONE_FULL", "A one-on-one meeting has at most 2 places");
  }
}
