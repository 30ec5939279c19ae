import { defineSchema, defineTable } from "convex/server";
import { accessKeyFields, aliasFields } from "./contract/accessKeys";
import { attendeeFields, stayFields } from "./contract/attendance";
import { banFields } from "./contract/bans";
import { eventFields } from "./contract/events";
import { guestFields } from "./contract/guests";
import { historyMarkerFields } from "./contract/history";
import { idempotencyFields } from "./contract/idempotency";
import { jobFields, jobPageFields } from "./contract/jobs";
import { invitationFields } from "./contract/invitations";
import { meetingFields } from "./contract/meetings";
import { messageFields } from "./contract/outbox";
import { participantFields } from "./contract/participants";
import { tenantFields } from "./contract/tenants";
import { tokenFields } from "./contract/tokens";
import { userRow } from "./contract/users";
import { waitlistAttributesFields, waitlistFields } from "./contract/waitlist";
import { webhookCursorFields, webhookDeliveryFields, webhookEndpointFields } from "./contract/webhooks";
import { workosMembershipFields, workosUserFields } from "./contract/workos";
import { chalkRoomFields, chalkTokenFields } from "./dialects/chalk/stored";
import { chimeMeetingFields } from "./dialects/chime/stored";
import { conferenceFields, tokenFields as huaweiTokenFields } from "./dialects/huawei/stored";
import { conversationFields } from "./dialects/volcengine/stored";
import { tableFields } from "./validators";

export default defineSchema({
  // People. Written by `users/mutations` and by the WorkOS webhook, never deleted. Read by every function to find the
  // caller, and to find the people who are to be added to a meeting.
  users: defineTable(tableFields(userRow))
    .index("by_workos_user_id", ["workosUserId"])
    .index("by_org_and_active", ["orgId", "isActive"])
    .index("by_verified_email", ["verifiedEmail"]),

  // The newest that WorkOS has said of each user, deletion included. Written by the webhook; read by it and by `upsertUser`
  // to work out the row in `users`.
  workosUsers: defineTable(tableFields(workosUserFields))
    .index("by_workos_user_id", ["workosUserId"])
    .index("by_verified_email", ["verifiedEmail"]),

  // The newest that WorkOS has said of each membership in an organization, which it may do before it says anything of the
  // user. Written and read like `workosUsers`.
  workosMemberships: defineTable(tableFields(workosMembershipFields))
    .index("by_membership_id", ["membershipId"])
    .index("by_workos_user_id", ["workosUserId"]),

  // Whose meetings and guests are kept apart from others'. Written by whoever makes the first meeting of a tenant, and by its
  // administrators, whose webhook endpoints are counted here; read with every meeting.
  tenants: defineTable(tableFields(tenantFields)).index("by_key", ["key"]),

  // People without an account. Written by whoever makes or changes one or adds one to a meeting, and when a guest turns out to be
  // a user; read to find a guest again. Deleted by `dialects/chalk` alone, where one that it has made could not be added.
  guests: defineTable(tableFields(guestFields))
    .index("by_tenant_and_external_id", ["tenantId", "externalId"])
    .index("by_email_and_tenant", ["email", "tenantId"])
    .index("by_email_and_user", ["email", "userId"])
    .index("by_tenant_and_user", ["tenantId", "userId", "externalId"]),

  // Credentials with which applications call for a tenant. Written by the tenant's administrators; read by every request that
  // comes over another system's wire. Revoked ones are deleted by `model/accessKeys.ts` when new ones need their place.
  accessKeys: defineTable(tableFields(accessKeyFields))
    .index("by_tenant", ["tenantId"])
    .index("by_access_key_id", ["accessKeyId"])
    .index("by_api_key_hash", ["apiKeyHash"])
    .index("by_account", ["account"]),

  // What other systems call the meetings and people here. Written when somebody first asks for such a name; read by
  // requests that use one; deleted when what it stands for is gone, or the name is given to something else.
  aliases: defineTable(tableFields(aliasFields))
    .index("by_alias", ["tenantId", "kind", "alias"])
    .index("by_subject", ["subject", "kind"]),

  // What the Amazon Chime SDK says of a meeting and nobody else asks for. Written and read by `dialects/chime`.
  chimeMeetings: defineTable(tableFields(chimeMeetingFields)).index("by_meeting", ["meetingId"]),
  // What Volcengine's clients say of a conversation and nobody else asks for. Written and read by `dialects/volcengine`.
  volcengineConversations: defineTable(tableFields(conversationFields)).index("by_meeting", ["meetingId"]),

  // Meetings by the name that they have on Huawei's wire. Written when they are made there or somebody first asks for that name,
  // never deleted. Written and read by `dialects/huawei`.
  huaweiConferences: defineTable(tableFields(conferenceFields))
    .index("by_conference_id", ["conferenceId"])
    .index("by_meeting", ["meetingId"]),

  // Access and control tokens of Huawei's wire, of which only hashes are kept. Written and read by `dialects/huawei`; deleted
  // by it when they have expired, are given back, or are one too many.
  huaweiTokens: defineTable(tableFields(huaweiTokenFields))
    .index("by_key", ["key"])
    .index("by_owner", ["kind", "owner"])
    .index("by_expires_at", ["expiresAt"]),

  // What applications say of a meeting over the wire of Chalk and nobody else asks for. Written and read by `dialects/chalk`.
  chalkRooms: defineTable(tableFields(chalkRoomFields)).index("by_meeting", ["meetingId"]),

  // Refresh tokens and tokens of join links of that wire, of which only hashes are kept. Written and read by `dialects/chalk`; deleted
  // by it when they are used up or refused, and by `cleanUp` when they have expired.
  chalkTokens: defineTable(tableFields(chalkTokenFields))
    .index("by_key", ["key"])
    .index("by_expires_at", ["expiresAt"]),

  // Meetings. Made by `model/meetings.ts`, changed through `model/meetingEdit.ts`, but for the tenant of one that is older than
  // tenants (`model/tenants.ts`) and the time from which one is empty (`model/emptyMeetings.ts`); never deleted. Read by every
  // function of a meeting; by the first index `cleanUp` finds those that nobody has started, by the second `startMeeting` counts
  // those of a tenant that are active.
  meetings: defineTable(tableFields(meetingFields))
    .index("by_state_and_scheduled_at", ["state", "scheduledAt"])
    .index("by_tenant_and_state", ["tenantId", "state"]),

  // Who is in which meeting. Rows are inserted by `model/participants.ts` and deleted by `model/removeParticipants.ts` alone, which
  // count them in the meeting's `participantCount`. Changed by `model/participants.ts`, `model/presence.ts` and `model/history.ts`,
  // and given to a user by `model/mergePeople.ts`. Read by every function of a meeting to decide what the caller may do, and by the
  // lists.
  // A guest's row has no `userId`, so that one index finds users and guests.
  meetingParticipants: defineTable(tableFields(participantFields))
    .index("by_user", ["userId", "guestId"])
    .index("by_meeting_and_user", ["meetingId", "userId", "guestId"])
    .index("by_meeting_and_presence", ["meetingId", "presence"])
    .index("by_meeting_and_role_and_presence", ["meetingId", "role", "presence"]),

  // Who waits for a place in a full meeting. Written and read by `model/waitlist.ts`: one person by the first index, all in the
  // order of their coming by the second. Given to a user by `model/mergePeople.ts`.
  waitlist: defineTable(tableFields(waitlistFields))
    .index("by_meeting_and_user", ["meetingId", "userId", "guestId"])
    .index("by_meeting", ["meetingId"])
    .index("by_guest", ["guestId"]),

  // The attributes of people on the waitlist, apart from it so that one transaction can read the longest waitlist. Written and read
  // by `model/waitlist.ts`.
  waitlistAttributes: defineTable(tableFields(waitlistAttributesFields)),

  // Who may not be in a meeting. Written and read by `model/bans.ts`, and given to a user by `model/mergePeople.ts`; those that are
  // over are deleted by `cleanUp`.
  bans: defineTable(tableFields(banFields))
    .index("by_meeting_and_user", ["meetingId", "userId", "guestId"])
    .index("by_expires_at", ["expiresAt"])
    .index("by_guest", ["guestId"]),

  // Who is invited to a meeting by an address. Written by hosts, by whoever answers, by the cron that lets them expire, and by
  // `model/outbox.ts` when the message is made and sent; read by hosts, by the invited, and when an address is verified.
  invitations: defineTable(tableFields(invitationFields))
    .index("by_meeting_and_state_and_address", ["meetingId", "state", "address"])
    .index("by_address_and_state", ["address", "state"])
    .index("by_state_and_expires_at", ["state", "expiresAt"])
    .index("by_token_hash", ["tokenHash"]),

  // Messages that are to leave, each written in the transaction that it is about. Read and written by `outbox`, which delivers
  // them; deleted by `cleanUp` after a month.
  outbox: defineTable(tableFields(messageFields)).index("by_state_and_next_attempt", [
    "state",
    "nextAttemptAt",
  ]),

  // What hosts have marked in the course of a meeting. Written and read by `model/history.ts`, never changed.
  historyMarkers: defineTable(tableFields(historyMarkerFields)).index("by_meeting_and_number", [
    "meetingId",
    "number",
  ]),

  // What has happened to a meeting, in its order. Written by `model/meetingEdit.ts` together with what it tells of, never
  // changed; read by hosts and by the delivery of webhooks.
  meetingEvents: defineTable(tableFields(eventFields))
    .index("by_meeting_and_sequence", ["meetingId", "sequence"])
    .index("by_meeting_and_type_and_sequence", ["meetingId", "type", "sequence"]),

  // Who has been in a meeting, with the sum of their stays; kept when they are removed. Written by `model/attendance.ts` whenever
  // somebody comes or goes; read for the attendance report.
  attendees: defineTable(tableFields(attendeeFields))
    .index("by_meeting", ["meetingId"])
    .index("by_participant", ["participantId"]),

  // Each time that somebody was in a meeting. Written and read like `attendees`.
  stays: defineTable(tableFields(stayFields)).index("by_participant", ["participantId"]),

  // Refresh and control tokens, of which only hashes are kept. Written and read by `model/tokens.ts`; deleted by it when they
  // are refused for good or one too many, and by `cleanUp` when they have expired.
  meetingTokens: defineTable(tableFields(tokenFields))
    .index("by_key", ["key"])
    .index("by_participant_and_kind", ["participantId", "kind"])
    .index("by_expires_at", ["expiresAt"]),

  // Addresses to which a tenant's events are sent. Written by the tenant's admins through `model/webhookEndpoints.ts`, which counts
  // them in the tenant; read whenever events are sent.
  webhookEndpoints: defineTable(tableFields(webhookEndpointFields)).index("by_tenant", ["tenantId"]),

  // How far the events of a meeting have been sent to an endpoint. Written and read by `model/webhookQueue.ts`;
  // deleted by it when the endpoint is disabled, and by `model/webhookDeliveries.ts` with the endpoint.
  webhookCursors: defineTable(tableFields(webhookCursorFields))
    .index("by_endpoint_and_meeting", ["endpointId", "meetingId"])
    .index("by_due_at", ["dueAt"]),

  // What has come of sending an event to an endpoint. Written by `model/webhookDeliveries.ts`; read by the tenant's admins; deleted
  // by `cleanUp` after 30 days, or with the endpoint.
  webhookDeliveries: defineTable(tableFields(webhookDeliveryFields))
    .index("by_endpoint", ["endpointId"])
    .index("by_endpoint_and_event", ["endpointId", "eventId"])
    .index("by_endpoint_and_state", ["endpointId", "state"]),

  // Work on a meeting that goes on in the background. Written by `model/jobs.ts` and `model/jobPages.ts`; read by hosts; deleted by
  // `cleanUp` a week after its end.
  jobs: defineTable(tableFields(jobFields))
    .index("by_meeting", ["meetingId"])
    .index("by_meeting_and_state", ["meetingId", "state"])
    .index("by_finished_at", ["finishedAt"]),

  // The lines of an import that are still to be seen to. Written when it starts, and read and deleted as it goes on; what is left
  // when it is cancelled or fails is deleted then.
  jobPages: defineTable(tableFields(jobPageFields)).index("by_job_and_number", ["jobId", "number"]),

  // Answers to requests that may be sent again. Written and read by `model/idempotency.ts`; deleted by `cleanUp` after a day.
  idempotencyKeys: defineTable(tableFields(idempotencyFields)).index("by_scope_and_key", ["scope", "key"]),
});
