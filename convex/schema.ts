import { rateLimitTables } from "convex-helpers/server/rateLimit";
import { defineSchema, defineTable } from "convex/server";
import { meetingFields } from "./contract/meetings";
import { participantFields } from "./contract/participants";
import { userRow } from "./contract/users";
import { workosMembershipFields, workosUserFields } from "./contract/workos";
import { tableFields } from "./validators";

export default defineSchema({
  // People. Written by `users/mutations` and by the WorkOS webhook, never deleted. Read by every function to find the
  // caller, and to find the people who are to be added to a meeting.
  users: defineTable(tableFields(userRow))
    .index("by_workos_user_id", ["workosUserId"])
    .index("by_org_and_active", ["orgId", "isActive"]),

  // The newest that WorkOS has said of each user, deletion included. Written by the webhook; read by it and by `upsertUser`
  // to work out the row in `users`.
  workosUsers: defineTable(tableFields(workosUserFields)).index("by_workos_user_id", ["workosUserId"]),

  // The newest that WorkOS has said of each membership in an organization, which it may do before it says anything of the
  // user. Written and read like `workosUsers`.
  workosMemberships: defineTable(tableFields(workosMembershipFields))
    .index("by_membership_id", ["membershipId"])
    .index("by_workos_user_id", ["workosUserId"]),

  // Meetings. Written by `meetings/lifecycle` and by `cleanUp`, which finds by the index those that nobody has started,
  // never deleted. `participantCount` is the number of the meeting's rows in
  // `meetingParticipants`: only `model/participants.ts` writes it, together with those rows.
  meetings: defineTable(tableFields(meetingFields)).index("by_state_and_scheduled_at", [
    "state",
    "scheduledAt",
  ]),

  // Who is in which meeting. Rows are inserted and deleted by `model/participants.ts` alone; joining and leaving patch
  // them. Read by every function of a meeting to decide what the caller may do, and by the lists.
  meetingParticipants: defineTable(tableFields(participantFields))
    .index("by_user", ["userId"])
    .index("by_meeting_and_user", ["meetingId", "userId"])
    .index("by_meeting_and_presence", ["meetingId", "presence"])
    .index("by_meeting_and_role_and_presence", ["meetingId", "role", "presence"]),

  // One token bucket per caller. Written and read by every mutation; deleted by `cleanUp` when it is full again, as that is
  // what a new one would be.
  ...rateLimitTables,
});
