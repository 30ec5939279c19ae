import { omit } from "convex-helpers";
import type { PaginationOptions } from "convex/server";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader } from "../_generated/server";
import { internalMeetingFields, MAX_MEETINGS_SCANNED, type MeetingState } from "../contract/meetings";
import type { ParticipantRole, Presence } from "../contract/participants";
import { shortPage } from "./pages";
import { publicView } from "./profiles";

const DEFAULT_LIMIT = 50;

/** A meeting as a person in it sees it. */
export function meetingForCaller(
  meeting: Doc<"meetings">,
  { role, presence }: Pick<Doc<"meetingParticipants">, "role" | "presence">,
) {
  return { ...omit(meeting, internalMeetingFields), userRole: role, userPresence: presence };
}

/**
 * A person's meetings, last added first. The state is not in the index of who is in which meeting, since it would have to
 * be rewritten for everybody whenever a meeting starts or ends; so a state is looked for among the latest
 * `MAX_MEETINGS_SCANNED` meetings of the person.
 */
export async function listMeetingsOf(
  db: DatabaseReader,
  userId: Id<"users">,
  { state, limit = DEFAULT_LIMIT }: { state?: MeetingState; limit?: number },
) {
  const rows = await db
    .query("meetingParticipants")
    .withIndex("by_user", (q) => q.eq("userId", userId))
    .order("desc")
    .take(state ? MAX_MEETINGS_SCANNED : limit);
  const found = await Promise.all(
    rows.map(async (participant) => ({
      participant,
      meeting: await db.get("meetings", participant.meetingId),
    })),
  );
  return found
    .flatMap(({ meeting, participant }) =>
      meeting && (!state || meeting.state === state) ? [meetingForCaller(meeting, participant)] : [],
    )
    .slice(0, limit);
}

/** A page of the people in a meeting with their names; each combination of filters is one index range. */
export async function listParticipants(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  filter: { role?: ParticipantRole; presence?: Presence },
  paginationOpts: PaginationOptions,
) {
  const result = await participantsBy(db, meetingId, filter).paginate(shortPage(paginationOpts));
  const page = await Promise.all(result.page.map((participant) => withPerson(db, participant)));
  return { ...result, page };
}

function participantsBy(
  db: DatabaseReader,
  meetingId: Id<"meetings">,
  { role, presence }: { role?: ParticipantRole; presence?: Presence },
) {
  const table = db.query("meetingParticipants");
  if (role && presence) {
    return table.withIndex("by_meeting_and_role_and_presence", (q) =>
      q.eq("meetingId", meetingId).eq("role", role).eq("presence", presence),
    );
  }
  if (role) {
    return table.withIndex("by_meeting_and_role_and_presence", (q) =>
      q.eq("meetingId", meetingId).eq("role", role),
    );
  }
  if (presence) {
    return table.withIndex("by_meeting_and_presence", (q) =>
      q.eq("meetingId", meetingId).eq("presence", presence),
    );
  }
  return table.withIndex("by_meeting_and_user", (q) => q.eq("meetingId", meetingId));
}

/** A row with the name and the picture of its person; what is said of the person in this meeting stands beside it. */
async function withPerson(db: DatabaseReader, row: Doc<"meetingParticipants">) {
  const { historyFrom: _, tokenVersion: __, ...participant } = row;
  if (participant.guestId !== undefined) {
    const guest = await db.get("guests", participant.guestId);
    return {
      ...participant,
      guest: {
        _id: participant.guestId,
        ...(guest?.displayName !== undefined && { displayName: guest.displayName }),
        ...(guest?.externalId !== undefined && { externalId: guest.externalId }),
      },
    };
  }
  const { userId } = participant;
  const user = userId && (await db.get("users", userId));
  if (!user) return participant;
  const { isActive: ___, ...visible } = publicView(user);
  return { ...participant, user: visible };
}
