/** The operations: what the router matches, what is parsed, what a token must grant, and what the OpenAPI document says. */
import type * as z from "zod";
import { wireOperation } from "../../contract/wire";
import { wireErrors } from "./errors";
import * as wire from "./wire";

const post = { method: "POST", pathParameters: {}, queryParameters: {} } as const;
const PATH = "/livekit.RoomService";

export const operations = {
  CreateRoom: wireOperation({
    ...post,
    path: `${PATH}/CreateRoom`,
    description:
      "Makes a room, which is active at once, or gives the one that is called so. Grant: roomCreate.",
    body: wire.createRoom,
    answer: { status: 200, body: wire.roomInfo },
    errors: wireErrors(),
  }),
  ListRooms: wireOperation({
    ...post,
    path: `${PATH}/ListRooms`,
    description: "The tenant's active rooms, whatever wire they were made by. Grant: roomList.",
    body: wire.listRooms,
    answer: { status: 200, body: wire.rooms },
    errors: wireErrors(),
  }),
  DeleteRoom: wireOperation({
    ...post,
    path: `${PATH}/DeleteRoom`,
    description: "Ends a room for good, or cancels one that has not begun. Grant: roomCreate.",
    body: wire.ofRoom,
    answer: { status: 200, body: wire.nothing },
    errors: wireErrors("not_found"),
  }),
  ListParticipants: wireOperation({
    ...post,
    path: `${PATH}/ListParticipants`,
    description: `Everybody in a room of up to ${wire.MAX_LISTED} people. Grant: roomAdmin for the room.`,
    body: wire.ofRoom,
    answer: { status: 200, body: wire.participants },
    errors: wireErrors("not_found"),
  }),
  GetParticipant: wireOperation({
    ...post,
    path: `${PATH}/GetParticipant`,
    description: "One participant. Grant: roomAdmin for the room.",
    body: wire.ofParticipant,
    answer: { status: 200, body: wire.participantInfo },
    errors: wireErrors("not_found"),
  }),
  UpdateParticipant: wireOperation({
    ...post,
    path: `${PATH}/UpdateParticipant`,
    description:
      "Changes name, metadata, attributes and what may be sent and received. Grant: roomAdmin for the room.",
    body: wire.updateParticipant,
    answer: { status: 200, body: wire.participantInfo },
    errors: wireErrors("not_found"),
  }),
  RemoveParticipant: wireOperation({
    ...post,
    path: `${PATH}/RemoveParticipant`,
    description:
      "Puts a person out: the place becomes free, and the tokens die. Grant: roomAdmin for the room.",
    body: wire.ofParticipant,
    answer: { status: 200, body: wire.nothing },
    errors: wireErrors("not_found", "failed_precondition"),
  }),
} as const;

export type OperationName = keyof typeof operations;

/** What an operation is given. */
export type InputOf<Name extends OperationName> = z.output<(typeof operations)[Name]["body"] & z.ZodType>;
