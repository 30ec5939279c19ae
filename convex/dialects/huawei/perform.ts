import { type ObjectType, v } from "convex/values";
import { internal } from "../../_generated/api";
import type { Doc } from "../../_generated/dataModel";
import { internalMutation, type MutationCtx } from "../../_generated/server";
import { openAsTenant } from "../../model/access";
import { fail } from "../../model/errors";
import { takeWireToken } from "../../model/rateLimit";
import { inviteAttendees, onlineAttendee, pageOfPeople, rowsOf } from "./attendees";
import * as conferences from "./conferences";
import { controlHandlers, type ControlName } from "./control";
import { refuse } from "./errors";
import type { OperationName, operationsBy, Parsed } from "./operations";
import * as tokens from "./tokens";

const keptToken = v.object({ key: v.string(), hash: v.string() });

const requestFields = {
  operation: v.string(),
  // Their shapes are the operation's, by which they have been parsed; nobody but the HTTP action calls this.
  query: v.any(),
  body: v.any(),
  /** The account and password of a login, or the host password of a meeting. */
  account: v.optional(v.string()),
  password: v.optional(v.string()),
  /** The access token that was sent. */
  access: v.optional(keptToken),
  /** The control token that was sent. */
  control: v.optional(keptToken),
  /** What is to be kept of a token that is given in answer. */
  fresh: v.optional(keptToken),
  host: v.string(),
};

/** What the HTTP action hands over. */
type WireRequest = ObjectType<typeof requestFields>;

/** The same, of an operation whose shapes it has been parsed by. */
type RequestOf<Name extends OperationName> = Omit<WireRequest, "query" | "body"> & Parsed<Name>;

type Handle<Request> = (ctx: MutationCtx, request: Request) => Promise<unknown>;

type OpenName = keyof (typeof operationsBy)["login" | "withPassword"];

/** Operations for which no token is needed. */
const openHandlers: { [Name in OpenName]: Handle<RequestOf<Name>> } = {
  CreateToken: login,
  CreateConfToken: openControl,
  InviteWithPwd: inviteWithPassword,
};

type AccessName = keyof (typeof operationsBy)["withAccessToken"];

type AccessHandler<Request> = (
  ctx: MutationCtx,
  caller: tokens.Caller,
  request: Request,
  token: Doc<"huaweiTokens">,
) => Promise<unknown>;

/** Operations for whoever has an access token. */
const accessHandlers: { [Name in AccessName]: AccessHandler<RequestOf<Name>> } = {
  DeleteToken: (ctx, _caller, _request, token) => tokens.deleteToken(ctx, token),
  CreateMeeting: conferences.createConference,
  UpdateMeeting: conferences.editConference,
  CancelMeeting: conferences.cancelConference,
  SearchMeetings: (ctx, caller, request) =>
    conferences.searchConferences(ctx, caller, ["active", "scheduled"], request),
  SearchOnlineMeetings: (ctx, caller, request) =>
    conferences.searchConferences(ctx, caller, ["active"], request),
  ShowMeetingDetail: conferences.conferenceDetail,
  ShowOnlineMeetingDetail: async (ctx, caller, request) => {
    const { conferenceID } = request.query;
    conferences.requireOn(await conferences.requireConference(ctx, caller.tenantId, conferenceID));
    return conferences.conferenceDetail(ctx, caller, request);
  },
  ListOnlineConfAttendee: listAttendees,
  StartMeeting: async (ctx, caller, request) => {
    await conferences.startConference(ctx, caller, request);
    return { uuid: "", regionIP: request.host };
  },
};

/**
 * Does what a request asks for, in one transaction. Query and body have been parsed by the operation's shapes. Gives the answer
 * without the token in it; null if it is empty.
 */
export const perform = internalMutation({
  args: requestFields,
  // Each operation has an answer of its own, which its handler's types see to.
  returns: v.any(),
  handler: async (ctx, request) => (await answer(ctx, request)) ?? null,
});

function answer(ctx: MutationCtx, request: WireRequest): Promise<unknown> {
  const name = request.operation as OperationName;
  if (name in openHandlers) {
    const handle = openHandlers[name as OpenName] as Handle<WireRequest>;
    return handle(ctx, request);
  }
  if (name in accessHandlers) return withAccessToken(ctx, name as AccessName, request);
  return withControlToken(ctx, name as ControlName, request);
}

async function login(ctx: MutationCtx, request: RequestOf<"CreateToken">): Promise<unknown> {
  const { body, account = "", password = "", fresh } = request;
  if (body.account !== account) refuse("wrongAccountOrPassword", "Incorrect account or password");
  await takeWireToken(ctx, RATE, account);
  const key = await tokens.requireAccount(ctx, account, password);
  const createTime = Date.now();
  if (body.createTokenType !== 1 && fresh) await tokens.keepAccessToken(ctx, key, body.clientType, fresh);
  return {
    clientType: body.clientType,
    createTime,
    expireTime: Math.floor((createTime + tokens.ACCESS_TOKEN_MS) / 1000),
    validPeriod: tokens.ACCESS_TOKEN_MS / 1000,
    tokenType: 0,
    firstLogin: false,
    pwdExpired: false,
    user: {
      userId: key.accessKeyId,
      ucloginAccount: account,
      companyId: key.tenantId,
      name: key.label ?? account,
    },
  };
}

const RATE = { wire: "huawei", perMinute: 100 };

async function withAccessToken(ctx: MutationCtx, name: AccessName, request: WireRequest): Promise<unknown> {
  const { caller, token } = await tokens.requireAccessToken(ctx, request.access ?? NO_TOKEN);
  await takeWireToken(ctx, RATE, caller.rateKey);
  const handle = accessHandlers[name] as AccessHandler<WireRequest>;
  return handle(ctx, caller, request, token);
}

const NO_TOKEN = { key: "", hash: "" };

async function listAttendees(
  ctx: MutationCtx,
  { tenantId }: tokens.Caller,
  { query }: Parsed<"ListOnlineConfAttendee">,
) {
  const conference = await conferences.requireConference(ctx, tenantId, query.conf_id);
  conferences.requireOn(conference);
  const { offset = 0, limit = 20, search_key: searchKey } = query;
  const rows = (await rowsOf(ctx.db, conference.meeting)).filter(({ presence }) => presence !== "left");
  const { people, count } = await pageOfPeople(ctx.db, rows, { offset, limit, searchKey });
  return { data: people.map(onlineAttendee), offset, limit, count };
}

/** The caller and the meeting of a control token, which is good for this meeting alone. */
async function withControlToken(ctx: MutationCtx, name: ControlName, request: WireRequest): Promise<unknown> {
  const found = await tokens.findControlToken(ctx, request.control ?? NO_TOKEN);
  if (!found) refuse("authenticationFailed", "The meeting control token is invalid or has expired");
  const { caller, token } = found;
  await takeWireToken(ctx, RATE, caller.rateKey);
  const { query }: Parsed<ControlName> = request;
  const conference = await conferences.requireConference(ctx, caller.tenantId, query.conferenceID);
  if (conference.meeting._id !== token.meetingId) {
    refuse("insufficientPermissions", "The meeting control token is of another meeting");
  }
  conferences.requireOn(conference);
  const edit = await openAsTenant(ctx, caller, token.meetingId, "change");
  // Which operation it is says of which shape its query and body are.
  const handle = controlHandlers[name] as (
    ...args: [typeof edit, WireRequest, typeof conference]
  ) => Promise<unknown>;
  const result = await handle(edit, request, conference);
  await edit.save();
  return result;
}

/** Gives a control token for a meeting's host password, or makes the one that was sent last longer. */
async function openControl(ctx: MutationCtx, request: RequestOf<"CreateConfToken">): Promise<unknown> {
  const { query } = request;
  const kept = request.control && (await tokens.findControlToken(ctx, request.control));
  if (kept) {
    await takeWireToken(ctx, RATE, kept.caller.rateKey);
    const conference = await conferences.requireConference(ctx, kept.caller.tenantId, query.conferenceID);
    if (conference.meeting._id !== kept.token.meetingId) {
      refuse("insufficientPermissions", "The meeting control token is of another meeting");
    }
    conferences.requireOn(conference);
    const expireTime = await tokens.renewControlToken(ctx, kept.token);
    return { isRenewed: true, answer: controlToken(conference, kept.caller, expireTime, request.host) };
  }
  if (request.control && !request.password) {
    refuse("authenticationFailed", "The meeting control token is invalid or has expired");
  }
  // Who calls is of interest for whom the events name; the password is what opens the meeting.
  const access = request.access && (await tokens.requireAccessToken(ctx, request.access));
  const conference = await conferences.openWithHostPassword(ctx, query.conferenceID, request.password ?? "");
  const { _id, tenantId } = conference.meeting;
  if (access && access.caller.tenantId !== tenantId) fail("MEETING_NOT_FOUND", "The meeting does not exist");
  const caller = access?.caller ?? tokens.callerByPassword(tenantId, _id);
  await takeWireToken(ctx, RATE, caller.rateKey);
  const expireTime = await tokens.keepControlToken(
    ctx,
    { _id, tenantId },
    caller.account,
    request.fresh ?? NO_TOKEN,
  );
  return { isRenewed: false, answer: controlToken(conference, caller, expireTime, request.host) };
}

/** All of the answer but the token itself. */
function controlToken(
  { meeting, row }: conferences.Conference,
  { accessKeyId, tenantId }: tokens.Caller,
  expireTime: number,
  host: string,
) {
  return {
    data: {
      token: "",
      // There is no WebSocket on which to be told of changes.
      tmpWsToken: "",
      wsURL: "",
      role: 1,
      expireTime,
      userID: meeting.organizerId ?? accessKeyId,
      orgID: tenantId,
      participantID: "",
      confTokenExpireTime: tokens.CONTROL_TOKEN_MS / 1000,
      vmrCurrentConfID: row.conferenceId,
      supportNotifyType: [],
    },
    addressToken: "",
    gloablPublicIP: host,
  };
}

async function inviteWithPassword(
  ctx: MutationCtx,
  { query, body }: RequestOf<"InviteWithPwd">,
): Promise<void> {
  const { meeting } = await conferences.openWithHostPassword(ctx, query.conferenceID, body.pwd);
  const caller = tokens.callerByPassword(meeting.tenantId, meeting._id);
  await takeWireToken(ctx, RATE, caller.rateKey);
  const edit = await openAsTenant(ctx, caller, meeting._id, "change");
  await inviteAttendees(edit, [{ name: body.callNum.slice(0, 96), phone: body.callNum }]);
  await edit.save();
}

/** Deletes tokens that have expired. */
export const deleteExpiredTokens = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const deleted = await tokens.deleteExpired(ctx, PAGE);
    if (deleted === PAGE)
      await ctx.scheduler.runAfter(0, internal.dialects.huawei.perform.deleteExpiredTokens, {});
    return null;
  },
});

const PAGE = 200;
