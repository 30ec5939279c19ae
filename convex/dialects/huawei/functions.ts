/** The one function behind all operations: each is one transaction. */
import { v } from "convex/values";
import { internal } from "../../_generated/api";
import { internalMutation, type MutationCtx } from "../../_generated/server";
import { openAsTenant } from "../../model/access";
import { fail } from "../../model/errors";
import { takeWireToken } from "../../model/rateLimit";
import { inviteAttendees, onlineAttendee, pageOfPeople, rowsOf } from "./attendees";
import * as conferences from "./conferences";
import { controlHandlers, type ControlName } from "./control";
import { refuse } from "./errors";
import { type OperationName, operationsBy, type Parsed } from "./operations";
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

interface Request {
  operation: OperationName;
  query: unknown;
  body: unknown;
  account?: string;
  password?: string;
  access?: { key: string; hash: string };
  control?: { key: string; hash: string };
  fresh?: { key: string; hash: string };
  host: string;
}

/** Does what a request asks for. Query and body have been parsed. Gives the answer without the token in it; null if it is empty. */
export const run = internalMutation({
  args: requestFields,
  // Each operation has an answer of its own, which its handler's types see to.
  returns: v.any(),
  handler: async (ctx, args) => (await answer(ctx, args as Request)) ?? null,
});

async function answer(ctx: MutationCtx, request: Request): Promise<unknown> {
  const { operation } = request;
  if (operation in operationsBy.login) return login(ctx, request);
  if (operation in operationsBy.withPassword) return withPassword(ctx, request);
  if (operation in operationsBy.withControlToken)
    return withControlToken(ctx, operation as ControlName, request);
  return withAccessToken(ctx, request);
}

async function login(ctx: MutationCtx, request: Request): Promise<unknown> {
  const { body } = request as unknown as Parsed<"CreateToken">;
  const { account = "", password = "", fresh } = request;
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

async function withAccessToken(ctx: MutationCtx, request: Request): Promise<unknown> {
  const { caller, token } = await tokens.requireAccessToken(ctx, request.access ?? NO_TOKEN);
  await takeWireToken(ctx, RATE, caller.rateKey);
  const parsed = <Name extends OperationName>() => request as unknown as Parsed<Name>;
  switch (request.operation) {
    case "DeleteToken":
      return tokens.deleteToken(ctx, token);
    case "CreateMeeting":
      return conferences.createConference(ctx, caller, parsed<"CreateMeeting">());
    case "UpdateMeeting":
      return conferences.editConference(ctx, caller, parsed<"UpdateMeeting">());
    case "CancelMeeting":
      return conferences.cancelConference(ctx, caller, parsed<"CancelMeeting">());
    case "SearchMeetings":
      return conferences.searchConferences(ctx, caller, ["active", "scheduled"], parsed<"SearchMeetings">());
    case "SearchOnlineMeetings":
      return conferences.searchConferences(ctx, caller, ["active"], parsed<"SearchOnlineMeetings">());
    case "ShowMeetingDetail":
    case "ShowOnlineMeetingDetail": {
      const { query } = parsed<"ShowMeetingDetail">();
      const conference = await conferences.requireConference(ctx, caller.tenantId, query.conferenceID);
      if (request.operation === "ShowOnlineMeetingDetail") conferences.requireOn(conference);
      return conferences.conferenceDetail(ctx, caller, parsed<"ShowMeetingDetail">());
    }
    case "ListOnlineConfAttendee":
      return listAttendees(ctx, caller, parsed<"ListOnlineConfAttendee">());
    case "StartMeeting":
      await conferences.startConference(ctx, caller, parsed<"StartMeeting">());
      return { uuid: "", regionIP: request.host };
    default:
      throw new Error(`No handler for ${request.operation}`);
  }
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
async function withControlToken(
  ctx: MutationCtx,
  operation: ControlName,
  request: Request,
): Promise<unknown> {
  const found = await tokens.findControlToken(ctx, request.control ?? NO_TOKEN);
  if (!found) refuse("authenticationFailed", "The meeting control token is invalid or has expired");
  const { caller, token } = found;
  await takeWireToken(ctx, RATE, caller.rateKey);
  const { query } = request as unknown as Parsed<"StopMeeting">;
  const conference = await conferences.requireConference(ctx, caller.tenantId, query.conferenceID);
  if (conference.meeting._id !== token.meetingId) {
    refuse("insufficientPermissions", "The meeting control token is of another meeting");
  }
  conferences.requireOn(conference);
  const edit = await openAsTenant(ctx, caller, token.meetingId, "change");
  // Which operation it is says of which shape its query and body are.
  const handle = controlHandlers[operation] as (
    ...args: [typeof edit, Request, typeof conference]
  ) => Promise<unknown>;
  const result = await handle(edit, request, conference);
  await edit.save();
  return result;
}

async function withPassword(ctx: MutationCtx, request: Request): Promise<unknown> {
  if (request.operation === "InviteWithPwd") return inviteWithPassword(ctx, request);
  const { query } = request as unknown as Parsed<"CreateConfToken">;
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

async function inviteWithPassword(ctx: MutationCtx, request: Request): Promise<void> {
  const { query, body } = request as unknown as Parsed<"InviteWithPwd">;
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
      await ctx.scheduler.runAfter(0, internal.dialects.huawei.functions.deleteExpiredTokens, {});
    return null;
  },
});

const PAGE = 200;
