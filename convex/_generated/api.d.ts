/* eslint-disable */
/**
 * Generated `api` utility.
 *
 * THIS CODE IS AUTOMATICALLY GENERATED.
 *
 * To regenerate, run `npx convex dev`.
 * @module
 */

import type * as callers from "../callers.js";
import type * as cleanUp from "../cleanUp.js";
import type * as contract_accessKeys from "../contract/accessKeys.js";
import type * as contract_attendance from "../contract/attendance.js";
import type * as contract_bans from "../contract/bans.js";
import type * as contract_capabilities from "../contract/capabilities.js";
import type * as contract_endpoint from "../contract/endpoint.js";
import type * as contract_endpoints from "../contract/endpoints.js";
import type * as contract_entries from "../contract/entries.js";
import type * as contract_errors from "../contract/errors.js";
import type * as contract_events from "../contract/events.js";
import type * as contract_guests from "../contract/guests.js";
import type * as contract_guestsMutations from "../contract/guestsMutations.js";
import type * as contract_guestsQueries from "../contract/guestsQueries.js";
import type * as contract_history from "../contract/history.js";
import type * as contract_idempotency from "../contract/idempotency.js";
import type * as contract_ids from "../contract/ids.js";
import type * as contract_invitations from "../contract/invitations.js";
import type * as contract_listedParticipant from "../contract/listedParticipant.js";
import type * as contract_meetings from "../contract/meetings.js";
import type * as contract_meetingsBans from "../contract/meetingsBans.js";
import type * as contract_meetingsBulk from "../contract/meetingsBulk.js";
import type * as contract_meetingsHistory from "../contract/meetingsHistory.js";
import type * as contract_meetingsInvitations from "../contract/meetingsInvitations.js";
import type * as contract_meetingsLifecycle from "../contract/meetingsLifecycle.js";
import type * as contract_meetingsLobby from "../contract/meetingsLobby.js";
import type * as contract_meetingsQueries from "../contract/meetingsQueries.js";
import type * as contract_meetingsReports from "../contract/meetingsReports.js";
import type * as contract_meetingsTokens from "../contract/meetingsTokens.js";
import type * as contract_meetingsWaitlist from "../contract/meetingsWaitlist.js";
import type * as contract_outbox from "../contract/outbox.js";
import type * as contract_pagination from "../contract/pagination.js";
import type * as contract_participantChanges from "../contract/participantChanges.js";
import type * as contract_participantData from "../contract/participantData.js";
import type * as contract_participants from "../contract/participants.js";
import type * as contract_personNames from "../contract/personNames.js";
import type * as contract_runOptions from "../contract/runOptions.js";
import type * as contract_tenants from "../contract/tenants.js";
import type * as contract_tenantsMutations from "../contract/tenantsMutations.js";
import type * as contract_tenantsQueries from "../contract/tenantsQueries.js";
import type * as contract_text from "../contract/text.js";
import type * as contract_tokens from "../contract/tokens.js";
import type * as contract_users from "../contract/users.js";
import type * as contract_usersMutations from "../contract/usersMutations.js";
import type * as contract_usersQueries from "../contract/usersQueries.js";
import type * as contract_waitlist from "../contract/waitlist.js";
import type * as contract_webhooks from "../contract/webhooks.js";
import type * as contract_webhooksDeliveries from "../contract/webhooksDeliveries.js";
import type * as contract_webhooksEndpoints from "../contract/webhooksEndpoints.js";
import type * as contract_wire from "../contract/wire.js";
import type * as contract_workos from "../contract/workos.js";
import type * as credentials from "../credentials.js";
import type * as crons from "../crons.js";
import type * as dialects_chime_attendees from "../dialects/chime/attendees.js";
import type * as dialects_chime_authenticate from "../dialects/chime/authenticate.js";
import type * as dialects_chime_capabilities from "../dialects/chime/capabilities.js";
import type * as dialects_chime_context from "../dialects/chime/context.js";
import type * as dialects_chime_errors from "../dialects/chime/errors.js";
import type * as dialects_chime_http from "../dialects/chime/http.js";
import type * as dialects_chime_meetingWithAttendees from "../dialects/chime/meetingWithAttendees.js";
import type * as dialects_chime_meetings from "../dialects/chime/meetings.js";
import type * as dialects_chime_names from "../dialects/chime/names.js";
import type * as dialects_chime_operations from "../dialects/chime/operations.js";
import type * as dialects_chime_perform from "../dialects/chime/perform.js";
import type * as dialects_chime_sigV4 from "../dialects/chime/sigV4.js";
import type * as dialects_chime_stored from "../dialects/chime/stored.js";
import type * as dialects_chime_tags from "../dialects/chime/tags.js";
import type * as dialects_chime_transcription from "../dialects/chime/transcription.js";
import type * as dialects_chime_updateCapabilities from "../dialects/chime/updateCapabilities.js";
import type * as dialects_chime_wire from "../dialects/chime/wire.js";
import type * as dialects_huawei_attendees from "../dialects/huawei/attendees.js";
import type * as dialects_huawei_conferences from "../dialects/huawei/conferences.js";
import type * as dialects_huawei_control from "../dialects/huawei/control.js";
import type * as dialects_huawei_errors from "../dialects/huawei/errors.js";
import type * as dialects_huawei_functions from "../dialects/huawei/functions.js";
import type * as dialects_huawei_http from "../dialects/huawei/http.js";
import type * as dialects_huawei_operations from "../dialects/huawei/operations.js";
import type * as dialects_huawei_passwords from "../dialects/huawei/passwords.js";
import type * as dialects_huawei_tables from "../dialects/huawei/tables.js";
import type * as dialects_huawei_tokens from "../dialects/huawei/tokens.js";
import type * as dialects_huawei_wire from "../dialects/huawei/wire.js";
import type * as functions from "../functions.js";
import type * as guests_binding from "../guests/binding.js";
import type * as guests_mutations from "../guests/mutations.js";
import type * as guests_queries from "../guests/queries.js";
import type * as http from "../http.js";
import type * as http_body from "../http/body.js";
import type * as http_cors from "../http/cors.js";
import type * as http_endpoint from "../http/endpoint.js";
import type * as http_fallback from "../http/fallback.js";
import type * as http_responses from "../http/responses.js";
import type * as http_wireRouter from "../http/wireRouter.js";
import type * as http_workosWebhook from "../http/workosWebhook.js";
import type * as livekit from "../livekit.js";
import type * as lobby from "../lobby.js";
import type * as meetings_bans from "../meetings/bans.js";
import type * as meetings_history from "../meetings/history.js";
import type * as meetings_invitations from "../meetings/invitations.js";
import type * as meetings_lifecycle from "../meetings/lifecycle.js";
import type * as meetings_lobby from "../meetings/lobby.js";
import type * as meetings_queries from "../meetings/queries.js";
import type * as meetings_tokens from "../meetings/tokens.js";
import type * as meetings_waitlist from "../meetings/waitlist.js";
import type * as model_access from "../model/access.js";
import type * as model_accessKeys from "../model/accessKeys.js";
import type * as model_addByRequest from "../model/addByRequest.js";
import type * as model_addParticipants from "../model/addParticipants.js";
import type * as model_aliases from "../model/aliases.js";
import type * as model_attendance from "../model/attendance.js";
import type * as model_bans from "../model/bans.js";
import type * as model_bindGuests from "../model/bindGuests.js";
import type * as model_caller from "../model/caller.js";
import type * as model_capabilities from "../model/capabilities.js";
import type * as model_emptyMeetings from "../model/emptyMeetings.js";
import type * as model_errors from "../model/errors.js";
import type * as model_fields from "../model/fields.js";
import type * as model_guests from "../model/guests.js";
import type * as model_history from "../model/history.js";
import type * as model_idempotency from "../model/idempotency.js";
import type * as model_invitationAnswers from "../model/invitationAnswers.js";
import type * as model_invitationStates from "../model/invitationStates.js";
import type * as model_invitationText from "../model/invitationText.js";
import type * as model_invitations from "../model/invitations.js";
import type * as model_lobby from "../model/lobby.js";
import type * as model_mediaSync from "../model/mediaSync.js";
import type * as model_meetingEdit from "../model/meetingEdit.js";
import type * as model_meetingEvents from "../model/meetingEvents.js";
import type * as model_meetingLists from "../model/meetingLists.js";
import type * as model_meetingStates from "../model/meetingStates.js";
import type * as model_meetings from "../model/meetings.js";
import type * as model_mergePeople from "../model/mergePeople.js";
import type * as model_messageStates from "../model/messageStates.js";
import type * as model_namedPeople from "../model/namedPeople.js";
import type * as model_opaqueTokens from "../model/opaqueTokens.js";
import type * as model_organizations from "../model/organizations.js";
import type * as model_outbox from "../model/outbox.js";
import type * as model_parse from "../model/parse.js";
import type * as model_participantStates from "../model/participantStates.js";
import type * as model_participants from "../model/participants.js";
import type * as model_people from "../model/people.js";
import type * as model_presence from "../model/presence.js";
import type * as model_profiles from "../model/profiles.js";
import type * as model_rateLimit from "../model/rateLimit.js";
import type * as model_rehearsal from "../model/rehearsal.js";
import type * as model_removeByRequest from "../model/removeByRequest.js";
import type * as model_removeParticipants from "../model/removeParticipants.js";
import type * as model_replaceParticipants from "../model/replaceParticipants.js";
import type * as model_secrets from "../model/secrets.js";
import type * as model_tenants from "../model/tenants.js";
import type * as model_tokenStates from "../model/tokenStates.js";
import type * as model_tokens from "../model/tokens.js";
import type * as model_updateMeeting from "../model/updateMeeting.js";
import type * as model_updateParticipants from "../model/updateParticipants.js";
import type * as model_users from "../model/users.js";
import type * as model_verifiedEmail from "../model/verifiedEmail.js";
import type * as model_waitlist from "../model/waitlist.js";
import type * as model_webhookDeliveries from "../model/webhookDeliveries.js";
import type * as model_webhookEndpoints from "../model/webhookEndpoints.js";
import type * as model_webhookQueue from "../model/webhookQueue.js";
import type * as model_webhookUrls from "../model/webhookUrls.js";
import type * as model_workosReports from "../model/workosReports.js";
import type * as model_workosSync from "../model/workosSync.js";
import type * as outbox from "../outbox.js";
import type * as rehearsal from "../rehearsal.js";
import type * as smtp from "../smtp.js";
import type * as tenants_admin from "../tenants/admin.js";
import type * as tenants_mutations from "../tenants/mutations.js";
import type * as tenants_queries from "../tenants/queries.js";
import type * as tokens from "../tokens.js";
import type * as users_mutations from "../users/mutations.js";
import type * as users_queries from "../users/queries.js";
import type * as users_sync from "../users/sync.js";
import type * as validators from "../validators.js";
import type * as waitlist from "../waitlist.js";
import type * as webhooks_deliveries from "../webhooks/deliveries.js";
import type * as webhooks_endpoints from "../webhooks/endpoints.js";
import type * as webhooks_queue from "../webhooks/queue.js";
import type * as webhooks_sending from "../webhooks/sending.js";
import type * as webhooks_store from "../webhooks/store.js";

import type {
  ApiFromModules,
  FilterApi,
  FunctionReference,
} from "convex/server";

declare const fullApi: ApiFromModules<{
  callers: typeof callers;
  cleanUp: typeof cleanUp;
  "contract/accessKeys": typeof contract_accessKeys;
  "contract/attendance": typeof contract_attendance;
  "contract/bans": typeof contract_bans;
  "contract/capabilities": typeof contract_capabilities;
  "contract/endpoint": typeof contract_endpoint;
  "contract/endpoints": typeof contract_endpoints;
  "contract/entries": typeof contract_entries;
  "contract/errors": typeof contract_errors;
  "contract/events": typeof contract_events;
  "contract/guests": typeof contract_guests;
  "contract/guestsMutations": typeof contract_guestsMutations;
  "contract/guestsQueries": typeof contract_guestsQueries;
  "contract/history": typeof contract_history;
  "contract/idempotency": typeof contract_idempotency;
  "contract/ids": typeof contract_ids;
  "contract/invitations": typeof contract_invitations;
  "contract/listedParticipant": typeof contract_listedParticipant;
  "contract/meetings": typeof contract_meetings;
  "contract/meetingsBans": typeof contract_meetingsBans;
  "contract/meetingsBulk": typeof contract_meetingsBulk;
  "contract/meetingsHistory": typeof contract_meetingsHistory;
  "contract/meetingsInvitations": typeof contract_meetingsInvitations;
  "contract/meetingsLifecycle": typeof contract_meetingsLifecycle;
  "contract/meetingsLobby": typeof contract_meetingsLobby;
  "contract/meetingsQueries": typeof contract_meetingsQueries;
  "contract/meetingsReports": typeof contract_meetingsReports;
  "contract/meetingsTokens": typeof contract_meetingsTokens;
  "contract/meetingsWaitlist": typeof contract_meetingsWaitlist;
  "contract/outbox": typeof contract_outbox;
  "contract/pagination": typeof contract_pagination;
  "contract/participantChanges": typeof contract_participantChanges;
  "contract/participantData": typeof contract_participantData;
  "contract/participants": typeof contract_participants;
  "contract/personNames": typeof contract_personNames;
  "contract/runOptions": typeof contract_runOptions;
  "contract/tenants": typeof contract_tenants;
  "contract/tenantsMutations": typeof contract_tenantsMutations;
  "contract/tenantsQueries": typeof contract_tenantsQueries;
  "contract/text": typeof contract_text;
  "contract/tokens": typeof contract_tokens;
  "contract/users": typeof contract_users;
  "contract/usersMutations": typeof contract_usersMutations;
  "contract/usersQueries": typeof contract_usersQueries;
  "contract/waitlist": typeof contract_waitlist;
  "contract/webhooks": typeof contract_webhooks;
  "contract/webhooksDeliveries": typeof contract_webhooksDeliveries;
  "contract/webhooksEndpoints": typeof contract_webhooksEndpoints;
  "contract/wire": typeof contract_wire;
  "contract/workos": typeof contract_workos;
  credentials: typeof credentials;
  crons: typeof crons;
  "dialects/chime/attendees": typeof dialects_chime_attendees;
  "dialects/chime/authenticate": typeof dialects_chime_authenticate;
  "dialects/chime/capabilities": typeof dialects_chime_capabilities;
  "dialects/chime/context": typeof dialects_chime_context;
  "dialects/chime/errors": typeof dialects_chime_errors;
  "dialects/chime/http": typeof dialects_chime_http;
  "dialects/chime/meetingWithAttendees": typeof dialects_chime_meetingWithAttendees;
  "dialects/chime/meetings": typeof dialects_chime_meetings;
  "dialects/chime/names": typeof dialects_chime_names;
  "dialects/chime/operations": typeof dialects_chime_operations;
  "dialects/chime/perform": typeof dialects_chime_perform;
  "dialects/chime/sigV4": typeof dialects_chime_sigV4;
  "dialects/chime/stored": typeof dialects_chime_stored;
  "dialects/chime/tags": typeof dialects_chime_tags;
  "dialects/chime/transcription": typeof dialects_chime_transcription;
  "dialects/chime/updateCapabilities": typeof dialects_chime_updateCapabilities;
  "dialects/chime/wire": typeof dialects_chime_wire;
  "dialects/huawei/attendees": typeof dialects_huawei_attendees;
  "dialects/huawei/conferences": typeof dialects_huawei_conferences;
  "dialects/huawei/control": typeof dialects_huawei_control;
  "dialects/huawei/errors": typeof dialects_huawei_errors;
  "dialects/huawei/functions": typeof dialects_huawei_functions;
  "dialects/huawei/http": typeof dialects_huawei_http;
  "dialects/huawei/operations": typeof dialects_huawei_operations;
  "dialects/huawei/passwords": typeof dialects_huawei_passwords;
  "dialects/huawei/tables": typeof dialects_huawei_tables;
  "dialects/huawei/tokens": typeof dialects_huawei_tokens;
  "dialects/huawei/wire": typeof dialects_huawei_wire;
  functions: typeof functions;
  "guests/binding": typeof guests_binding;
  "guests/mutations": typeof guests_mutations;
  "guests/queries": typeof guests_queries;
  http: typeof http;
  "http/body": typeof http_body;
  "http/cors": typeof http_cors;
  "http/endpoint": typeof http_endpoint;
  "http/fallback": typeof http_fallback;
  "http/responses": typeof http_responses;
  "http/wireRouter": typeof http_wireRouter;
  "http/workosWebhook": typeof http_workosWebhook;
  livekit: typeof livekit;
  lobby: typeof lobby;
  "meetings/bans": typeof meetings_bans;
  "meetings/history": typeof meetings_history;
  "meetings/invitations": typeof meetings_invitations;
  "meetings/lifecycle": typeof meetings_lifecycle;
  "meetings/lobby": typeof meetings_lobby;
  "meetings/queries": typeof meetings_queries;
  "meetings/tokens": typeof meetings_tokens;
  "meetings/waitlist": typeof meetings_waitlist;
  "model/access": typeof model_access;
  "model/accessKeys": typeof model_accessKeys;
  "model/addByRequest": typeof model_addByRequest;
  "model/addParticipants": typeof model_addParticipants;
  "model/aliases": typeof model_aliases;
  "model/attendance": typeof model_attendance;
  "model/bans": typeof model_bans;
  "model/bindGuests": typeof model_bindGuests;
  "model/caller": typeof model_caller;
  "model/capabilities": typeof model_capabilities;
  "model/emptyMeetings": typeof model_emptyMeetings;
  "model/errors": typeof model_errors;
  "model/fields": typeof model_fields;
  "model/guests": typeof model_guests;
  "model/history": typeof model_history;
  "model/idempotency": typeof model_idempotency;
  "model/invitationAnswers": typeof model_invitationAnswers;
  "model/invitationStates": typeof model_invitationStates;
  "model/invitationText": typeof model_invitationText;
  "model/invitations": typeof model_invitations;
  "model/lobby": typeof model_lobby;
  "model/mediaSync": typeof model_mediaSync;
  "model/meetingEdit": typeof model_meetingEdit;
  "model/meetingEvents": typeof model_meetingEvents;
  "model/meetingLists": typeof model_meetingLists;
  "model/meetingStates": typeof model_meetingStates;
  "model/meetings": typeof model_meetings;
  "model/mergePeople": typeof model_mergePeople;
  "model/messageStates": typeof model_messageStates;
  "model/namedPeople": typeof model_namedPeople;
  "model/opaqueTokens": typeof model_opaqueTokens;
  "model/organizations": typeof model_organizations;
  "model/outbox": typeof model_outbox;
  "model/parse": typeof model_parse;
  "model/participantStates": typeof model_participantStates;
  "model/participants": typeof model_participants;
  "model/people": typeof model_people;
  "model/presence": typeof model_presence;
  "model/profiles": typeof model_profiles;
  "model/rateLimit": typeof model_rateLimit;
  "model/rehearsal": typeof model_rehearsal;
  "model/removeByRequest": typeof model_removeByRequest;
  "model/removeParticipants": typeof model_removeParticipants;
  "model/replaceParticipants": typeof model_replaceParticipants;
  "model/secrets": typeof model_secrets;
  "model/tenants": typeof model_tenants;
  "model/tokenStates": typeof model_tokenStates;
  "model/tokens": typeof model_tokens;
  "model/updateMeeting": typeof model_updateMeeting;
  "model/updateParticipants": typeof model_updateParticipants;
  "model/users": typeof model_users;
  "model/verifiedEmail": typeof model_verifiedEmail;
  "model/waitlist": typeof model_waitlist;
  "model/webhookDeliveries": typeof model_webhookDeliveries;
  "model/webhookEndpoints": typeof model_webhookEndpoints;
  "model/webhookQueue": typeof model_webhookQueue;
  "model/webhookUrls": typeof model_webhookUrls;
  "model/workosReports": typeof model_workosReports;
  "model/workosSync": typeof model_workosSync;
  outbox: typeof outbox;
  rehearsal: typeof rehearsal;
  smtp: typeof smtp;
  "tenants/admin": typeof tenants_admin;
  "tenants/mutations": typeof tenants_mutations;
  "tenants/queries": typeof tenants_queries;
  tokens: typeof tokens;
  "users/mutations": typeof users_mutations;
  "users/queries": typeof users_queries;
  "users/sync": typeof users_sync;
  validators: typeof validators;
  waitlist: typeof waitlist;
  "webhooks/deliveries": typeof webhooks_deliveries;
  "webhooks/endpoints": typeof webhooks_endpoints;
  "webhooks/queue": typeof webhooks_queue;
  "webhooks/sending": typeof webhooks_sending;
  "webhooks/store": typeof webhooks_store;
}>;

/**
 * A utility for referencing Convex functions in your app's public API.
 *
 * Usage:
 * ```js
 * const myFunctionReference = api.myModule.myFunction;
 * ```
 */
export declare const api: FilterApi<
  typeof fullApi,
  FunctionReference<any, "public">
>;

/**
 * A utility for referencing Convex functions in your app's internal API.
 *
 * Usage:
 * ```js
 * const myFunctionReference = internal.myModule.myFunction;
 * ```
 */
export declare const internal: FilterApi<
  typeof fullApi,
  FunctionReference<any, "internal">
>;

export declare const components: {
  rateLimiter: import("@convex-dev/rate-limiter/_generated/component.js").ComponentApi<"rateLimiter">;
};
