/** The operations: what the router matches, what is parsed, who may call, and what the OpenAPI document says. */
import { type WireInput, type WireOperation, wireOperation } from "../../contract/wire";
import { openErrors, wireErrors } from "./errorTexts";
import * as wire from "./wire";

const none = { pathParameters: {}, queryParameters: {} };
const ofRoom = { pathParameters: { id: wire.roomId }, queryParameters: {} };
const ofParticipant = { pathParameters: { id: wire.roomId, pid: wire.participantId }, queryParameters: {} };
const ofTenant = { pathParameters: { id: wire.tenantId }, queryParameters: {} };

export const operations = {
  IssueToken: wireOperation({
    method: "POST",
    path: "/auth/token",
    description: "Gives a session of the tenant for an API key. Its refresh token lasts seven days.",
    ...none,
    body: wire.tokenRequest,
    answer: { status: 200, body: wire.sessionAnswer },
    errors: openErrors("invalid API key format", "invalid API key"),
  }),
  RefreshToken: wireOperation({
    method: "POST",
    path: "/auth/refresh",
    description:
      "Gives the next access and refresh token of a session or of a participant. A refresh token works once; sent again, it ends its successors too.",
    ...none,
    body: wire.refreshRequest,
    answer: { status: 200, body: wire.sessionAnswer },
    errors: openErrors("invalid refresh token", "refresh token has expired"),
  }),
  CreateRoom: wireOperation({
    method: "POST",
    path: "/rooms",
    description: "Makes a room, which is active at once. Only with credentials of the tenant.",
    ...none,
    body: wire.createRoom,
    answer: { status: 201, body: wire.roomAnswer },
    errors: wireErrors("host role required", "too many active rooms"),
  }),
  ScheduleRoom: wireOperation({
    method: "POST",
    path: "/rooms/schedule",
    description:
      "Makes a room for later, which the first who is added within `allow_early_join_minutes` of its time opens. Only with credentials of the tenant.",
    ...none,
    body: wire.scheduleRoom,
    answer: { status: 201, body: wire.roomAnswer },
    errors: wireErrors(
      "host role required",
      "scheduled_start_at must be in the future",
      "scheduled_end_at must be after scheduled_start_at",
    ),
  }),
  ListRooms: wireOperation({
    method: "GET",
    path: "/rooms",
    description:
      "The tenant's rooms, the newest first, whatever wire they were made by. Only with credentials of the tenant.",
    pathParameters: {},
    queryParameters: wire.listRooms,
    answer: { status: 200, body: wire.roomsAnswer },
    errors: wireErrors("host role required", "invalid status filter"),
  }),
  GetRoom: wireOperation({
    method: "GET",
    path: "/rooms/{id}",
    description: "One room.",
    ...ofRoom,
    answer: { status: 200, body: wire.roomAnswer },
    errors: wireErrors("room not found"),
  }),
  UpdateRoom: wireOperation({
    method: "PATCH",
    path: "/rooms/{id}",
    description: "Changes the fields given of a room that is not over. Only for hosts.",
    ...ofRoom,
    body: wire.updateRoom,
    answer: { status: 200, body: wire.roomAnswer },
    errors: wireErrors("host role required", "room not found", "room is not active", "room is full"),
  }),
  DeleteRoom: wireOperation({
    method: "DELETE",
    path: "/rooms/{id}",
    description: "Ends or cancels a room, which is not found on this wire from then on. Only for hosts.",
    ...ofRoom,
    answer: { status: 204 },
    errors: wireErrors("host role required", "room not found"),
  }),
  EndRoom: wireOperation({
    method: "POST",
    path: "/rooms/{id}/end",
    description: "Ends an active room for good. Only for hosts.",
    ...ofRoom,
    answer: { status: 200, body: wire.roomAnswer },
    errors: wireErrors("host role required", "room not found", "room is not active"),
  }),
  AddParticipant: wireOperation({
    method: "POST",
    path: "/rooms/{id}/participants",
    description:
      "A person comes into a room. Who is there already, by the same external_user_id, is given back with fresh tokens. A room that is named and not there is made if the tenant allows early joining. Who is no host adds plain participants without an external_user_id of somebody else.",
    ...ofRoom,
    body: wire.newParticipant,
    answer: { status: 201, body: wire.addAnswer },
    errors: wireErrors(
      "host role required",
      "room not found",
      "room is not active",
      "room is full",
      "too many active rooms",
      "participant already in room",
      "user is deactivated",
      "banned from the room",
      "room is locked",
    ),
  }),
  BulkAddParticipants: wireOperation({
    method: "POST",
    path: "/rooms/{id}/participants/bulk",
    description: `Adds up to ${wire.MAX_BULK} people in one transaction. What is wrong with one is in its result. Only for hosts.`,
    ...ofRoom,
    body: wire.bulkRequest,
    answer: { status: 200, body: wire.bulkAnswer },
    errors: wireErrors(
      "host role required",
      "room not found",
      "no participants provided",
      "room is locked",
      "too many active rooms",
    ),
  }),
  ListParticipants: wireOperation({
    method: "GET",
    path: "/rooms/{id}/participants",
    description: "Who is in a room.",
    pathParameters: { id: wire.roomId },
    queryParameters: wire.listParticipants,
    answer: { status: 200, body: wire.participantsAnswer },
    errors: wireErrors("room not found"),
  }),
  GetParticipant: wireOperation({
    method: "GET",
    path: "/rooms/{id}/participants/{pid}",
    description: "One participant. For hosts and oneself.",
    ...ofParticipant,
    answer: { status: 200, body: wire.participantAnswer },
    errors: wireErrors("forbidden", "room not found", "participant not found", "invalid participant id"),
  }),
  UpdateParticipant: wireOperation({
    method: "PATCH",
    path: "/rooms/{id}/participants/{pid}",
    description: "Changes name and role. For hosts, and the name for oneself.",
    ...ofParticipant,
    body: wire.updateParticipant,
    answer: { status: 200, body: wire.participantAnswer },
    errors: wireErrors(
      "forbidden",
      "participants cannot update their own role",
      "room not found",
      "participant not found",
      "invalid participant id",
      "room is not active",
      "a room keeps at least one host",
    ),
  }),
  RemoveParticipant: wireOperation({
    method: "DELETE",
    path: "/rooms/{id}/participants/{pid}",
    description: "Puts a person out: the place becomes free, and the tokens die. Only for hosts.",
    ...ofParticipant,
    answer: { status: 204 },
    errors: wireErrors(
      "host role required",
      "room not found",
      "participant not found",
      "invalid participant id",
      "room is not active",
      "a room keeps at least one host",
    ),
  }),
  RefreshParticipantToken: wireOperation({
    method: "POST",
    path: "/rooms/{id}/participants/{pid}/token",
    description: "New tokens for a person in an active room. Only for hosts.",
    ...ofParticipant,
    answer: { status: 200, body: wire.participantTokens },
    errors: wireErrors(
      "host role required",
      "room not found",
      "participant not found",
      "invalid participant id",
      "room is not active",
    ),
  }),
  CreateJoinToken: wireOperation({
    method: "POST",
    path: "/rooms/{id}/join-token",
    description:
      "A join link's token, which can be exchanged once within a day. Only with credentials of the tenant.",
    ...ofRoom,
    answer: { status: 200, body: wire.joinTokenAnswer },
    errors: wireErrors("host role required", "room not found", "room is not active"),
  }),
  ExchangeJoinToken: wireOperation({
    method: "POST",
    path: "/public/join-token/exchange",
    description: "Gives an access token for one room to whoever has a join link.",
    ...none,
    body: wire.exchangeRequest,
    answer: { status: 200, body: wire.exchangeAnswer },
    errors: openErrors("invalid join token", "join token has expired", "room not found"),
  }),
  GetTenant: wireOperation({
    method: "GET",
    path: "/tenants/{id}",
    description: "The tenant of the credentials.",
    ...ofTenant,
    answer: { status: 200, body: wire.tenantAnswer },
    errors: wireErrors("host role required", "access denied: tenant mismatch"),
  }),
  UpdateTenantConfig: wireOperation({
    method: "PATCH",
    path: "/tenants/{id}/config",
    description: "Changes what the tenant decides for itself, for all wires.",
    ...ofTenant,
    body: wire.configChanges,
    answer: { status: 200, body: wire.tenantAnswer },
    errors: wireErrors("host role required", "access denied: tenant mismatch"),
  }),
} as const satisfies Record<string, WireOperation>;

export type OperationName = keyof typeof operations;

/** Operations that need no credentials: what they take is one. */
export const openOperations: readonly OperationName[] = ["IssueToken", "RefreshToken", "ExchangeJoinToken"];

/** What an operation is given. */
export type InputOf<Name extends OperationName> = WireInput<(typeof operations)[Name]>;
