/** The operations: what the router matches, what is parsed, and what the OpenAPI document says. */
import type * as z from "zod";
import { wireOperation } from "../../contract/wire";
import { wireErrors } from "./errors";
import * as wire from "./wire";

const CONTROL = "/v1/mmc/control/conferences";
const MANAGEMENT = "/v1/mmc/management/conferences";

/** The answer of an operation that says nothing but that it is done. */
const empty = { status: 200 };

type Empty = Readonly<Record<never, z.ZodType>>;

const managementErrors = wireErrors(
  "authenticationFailed",
  "tokenMissing",
  "conferenceNotFound",
  "conferenceOver",
  "notFoundOrWrongPassword",
  "onlyHostsStart",
  "tooManyConferences",
  "tooManyParticipants",
  "inviteFailed",
  "onlyInvited",
  "samePasswords",
);
const controlErrors = wireErrors(
  "authenticationFailed",
  "tokenMissing",
  "insufficientPermissions",
  "conferenceNotFound",
  "conferenceOver",
  "tooManyParticipants",
  "inviteFailed",
  "onlyInvited",
);

type Queries = Readonly<Record<string, z.ZodType>>;

/** Makes operations that belong together: where their paths begin, whom they are for, and what they can fail with. */
function operationsUnder(
  { prefix = "", audience = "" }: { prefix?: string; audience?: string },
  errors: ReturnType<typeof wireErrors>,
) {
  return <Query extends Queries, Body extends object = object>(
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    description: string,
    queryParameters: Query,
    body?: z.ZodType<Body>,
    answer?: z.ZodType,
  ) =>
    wireOperation<Empty, Query, Body>({
      method,
      path: prefix + path,
      description: description + audience,
      pathParameters: {},
      queryParameters,
      ...(body && { body }),
      answer: answer ? { status: 200, body: answer } : empty,
      errors,
    });
}

/** An operation on a meeting that is on, with its control token. */
const control = operationsUnder(
  { prefix: CONTROL, audience: " For whoever has the control token of the meeting." },
  controlErrors,
);

/** An operation for an application that has logged in. */
const management = operationsUnder({}, managementErrors);

const { queries, answers } = wire;
const { ofConference, ofParticipant } = queries;

/** For whoever has an account and its password. */
const login = {
  CreateToken: wireOperation({
    method: "POST",
    path: "/v1/usg/acs/auth/account",
    description:
      "Gives an access token for twelve hours. With clientType 72 an account has 64 at most, else one for each type: with one more the oldest dies.",
    pathParameters: {},
    queryParameters: queries.none,
    body: wire.login,
    answer: { status: 200, body: answers.accessToken },
    errors: wireErrors("wrongAccountOrPassword"),
  }),
};

/** For applications with an access token. */
const withAccessToken = {
  DeleteToken: management("DELETE", "/v1/usg/acs/token", "Makes the access token useless.", queries.none),
  CreateMeeting: management(
    "POST",
    MANAGEMENT,
    "Makes a meeting, which is on at once without a startTime.",
    queries.create,
    wire.createConference,
    answers.conferences,
  ),
  UpdateMeeting: management(
    "PUT",
    MANAGEMENT,
    "Changes a meeting that is not over. Attendees are invited, or changed if they are already.",
    queries.ofConferenceForPortal,
    wire.editConference,
    answers.conferences,
  ),
  CancelMeeting: management(
    "DELETE",
    MANAGEMENT,
    "Cancels a scheduled meeting; with type 1 ends one that is on.",
    queries.cancel,
  ),
  SearchMeetings: management(
    "GET",
    MANAGEMENT,
    "The meetings of the tenant that are scheduled or on, those that are on first.",
    queries.conferences,
    undefined,
    answers.conferencePage,
  ),
  SearchOnlineMeetings: management(
    "GET",
    `${MANAGEMENT}/online`,
    "The meetings of the tenant that are on.",
    queries.conferences,
    undefined,
    answers.conferencePage,
  ),
  ShowMeetingDetail: management(
    "GET",
    `${MANAGEMENT}/confDetail`,
    "A meeting that is scheduled or on, and a page of its people.",
    queries.detail,
    undefined,
    answers.detail,
  ),
  ShowOnlineMeetingDetail: management(
    "GET",
    `${MANAGEMENT}/online/confDetail`,
    "A meeting that is on, and a page of its people.",
    queries.detail,
    undefined,
    answers.detail,
  ),
  ListOnlineConfAttendee: management(
    "GET",
    `${MANAGEMENT}/online/conf-attendee`,
    "A page of the people of a meeting that is on, without those who have left.",
    queries.attendees,
    undefined,
    answers.attendees,
  ),
  StartMeeting: management(
    "POST",
    `${MANAGEMENT}/start`,
    "Starts a meeting with its host password, or its guest password if allowGuestStartConf is set.",
    queries.none,
    wire.start,
    answers.started,
  ),
};

/** For whoever knows the host password of a meeting. */
const withPassword = {
  CreateConfToken: wireOperation({
    method: "GET",
    path: `${CONTROL}/token`,
    description:
      "Gives a control token of a meeting that is on for its host password (X-Password). With a control token (X-Conference-Authorization) makes that good for another half hour.",
    pathParameters: {},
    queryParameters: ofConference,
    answer: { status: 200, body: answers.controlToken },
    errors: wireErrors(
      "authenticationFailed",
      "insufficientPermissions",
      "conferenceNotFound",
      "conferenceOver",
      "notFoundOrWrongPassword",
      "passwordNeeded",
    ),
  }),
  InviteWithPwd: wireOperation({
    method: "POST",
    path: `${CONTROL}/inviteWithPwd`,
    description: "Invites a number to a meeting that is on, with its host password.",
    pathParameters: {},
    queryParameters: ofConference,
    body: wire.inviteWithPassword,
    answer: empty,
    errors: wireErrors(
      "conferenceNotFound",
      "conferenceOver",
      "notFoundOrWrongPassword",
      "tooManyParticipants",
      "inviteFailed",
      "onlyInvited",
    ),
  }),
};

/** For whoever has a control token. */
const withControlToken = {
  InviteParticipant: control(
    "POST",
    "/participants",
    "Invites people; who is there already is given the name and role.",
    ofConference,
    wire.invite,
  ),
  DeleteAttendees: control(
    "POST",
    "/attendees/delete",
    "Removes people.",
    ofConference,
    wire.deleteAttendees,
  ),
  HangUp: control(
    "POST",
    "/participants/delete",
    "Puts people out; their places stay theirs.",
    ofConference,
    wire.hangUp,
  ),
  SetRole: control(
    "PUT",
    "/participants/role",
    "Makes a person a host, or no longer one.",
    ofParticipant,
    wire.setRole,
  ),
  SetCohost: control(
    "PUT",
    "/participants/cohost",
    "Makes a person a co-host, or no longer one.",
    ofParticipant,
    wire.setCohost,
  ),
  RenameParticipant: control("PUT", "/participants/name", "Renames a person.", ofConference, wire.rename),
  MuteParticipant: control(
    "PUT",
    "/participants/mute",
    "Mutes a person, or no longer.",
    ofParticipant,
    wire.mute,
  ),
  MuteMeeting: control(
    "PUT",
    "/mute",
    "Mutes everybody but hosts, or nobody any longer.",
    ofConference,
    wire.muteAll,
  ),
  RollcallParticipant: control(
    "PUT",
    "/participants/rollCall",
    "Lets one person speak and mutes everybody else but hosts.",
    ofParticipant,
  ),
  LockMeeting: control("PUT", "/lock", "Lets nobody in who is not there, or again.", ofConference, wire.lock),
  ProlongMeeting: control("PUT", "/duration", "Plans more time.", ofConference, wire.prolong),
  StopMeeting: control("PUT", "/stop", "Ends the meeting.", ofConference),
  Hand: control(
    "PUT",
    "/participants/hands",
    "Raises (1) or lowers (0) a person's hand.",
    ofParticipant,
    wire.hand,
  ),
  BatchHand: control(
    "PUT",
    "/participants/batch/hands",
    "Raises or lowers the hands of some people, or of all.",
    ofConference,
    wire.hands,
  ),
  AllowWaitingParticipant: control(
    "PUT",
    "/allowWaitingParticipant",
    "Lets a person, or everybody, in from the waiting room.",
    ofConference,
    wire.allowWaiting,
  ),
  MoveToWaitingRoom: control(
    "PUT",
    "/moveToWaitingRoom",
    "Sends a person back to the waiting room.",
    ofConference,
    wire.moveToWaiting,
  ),
  BatchMoveToWaitingRoom: control(
    "PUT",
    "/batchMoveToWaitingRoom",
    "Sends people back to the waiting room.",
    ofConference,
    wire.moveSeveralToWaiting,
  ),
  ShowRealTimeInfoOfMeeting: control(
    "GET",
    "/realTimeInfo",
    "Who is invited, who is there, who is host.",
    ofConference,
    undefined,
    answers.realTimeInfo,
  ),
};

/** Which operations want which credentials. */
export const operationsBy = { login, withAccessToken, withPassword, withControlToken };

export const operations = { ...login, ...withAccessToken, ...withPassword, ...withControlToken };
export type OperationName = keyof typeof operations;

/** What an operation gets, parsed by its shapes. */
export interface Parsed<Name extends OperationName> {
  query: z.output<z.ZodObject<(typeof operations)[Name]["queryParameters"]>>;
  body: BodyOf<(typeof operations)[Name]>;
}

type BodyOf<Operation> = Operation extends { body?: z.ZodType<infer Body> } ? Body : undefined;
