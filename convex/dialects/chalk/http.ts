import * as z from "zod";
import { internal } from "../../_generated/api";
import type { Id } from "../../_generated/dataModel";
import { type ActionCtx, httpAction } from "../../_generated/server";
import type { WireOperation } from "../../contract/wire";
import { parseJson, readBytes, withoutNulls } from "../../http/body";
import { withCors } from "../../http/cors";
import { json, logFault, retryAfter } from "../../http/responses";
import { matchOperation, queryOf } from "../../http/wireRouter";
import { newToken, readToken } from "../../model/opaqueTokens";
import type { Answer, Credential, Grant } from "./context";
import { describe, orRefuse, type Refusal, refuse, refuseInput, refusalOf } from "./errors";
import { type OperationName, openOperations, operations } from "./operations";
import {
  ACCESS_TOKEN_SECONDS,
  hashOfApiKey,
  readCredential,
  readRefresh,
  signAccess,
  signRefresh,
} from "./tokens";
import * as wire from "./wire";

/** Where this wire is mounted. */
export const CHALK_PREFIX = "/api/v1/";

type Body = Record<string, unknown> | undefined;

const FAULT: Refusal = { status: 500, error: "internal server error" };

/** Answers every request below {@link CHALK_PREFIX}. */
export const chalk = httpAction(async (ctx, request) => {
  const requestId = crypto.randomUUID();
  try {
    const { name, pathParameters, query } = route(request);
    // First of all, so that nobody's megabytes are read for a stranger.
    const credential = openOperations.includes(name) ? null : await readCredential(ctx, request);
    const input = readInput(name, pathParameters, query, await readBytes(request));
    const body = credential
      ? await perform(ctx, name, credential, input)
      : await openSession(ctx, name, input);
    return withCors(request, json(body, operations[name].answer.status, headersOf(requestId)));
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) logFault(error);
    return withCors(request, respondRefusal(requestId, refusal ?? FAULT));
  }
});

async function perform(
  ctx: ActionCtx,
  operation: OperationName,
  credential: Credential,
  input: Record<string, unknown>,
): Promise<Body> {
  const { text, kept: fresh } = await newToken();
  const answer: Answer = await ctx.runMutation(internal.dialects.chalk.perform.perform, {
    credential,
    operation,
    input,
    fresh,
  });
  return withTokens(ctx, answer, text);
}

function route(request: Request) {
  const { pathname, searchParams: query } = new URL(request.url);
  const path = pathname.slice(CHALK_PREFIX.length);
  const match = matchOperation<OperationName>(operations, { method: request.method, path, query });
  return match ? { ...match, query } : refuse("not found");
}

/** Parameters and the fields of the body, as the operation describes them. */
function readInput(
  name: OperationName,
  pathParameters: Record<string, string>,
  query: URLSearchParams,
  bytes: Uint8Array<ArrayBuffer>,
): Record<string, unknown> {
  const operation: WireOperation = operations[name];
  return {
    ...(operation.body && (parsed(operation.body, readFields(bytes)) as object)),
    ...(parsed(z.object(operation.queryParameters), queryOf(operation, query)) as object),
    ...(parsed(z.object(operation.pathParameters), pathParameters) as object),
  };
}

function parsed(schema: z.ZodType, value: unknown): unknown {
  const { data, error } = schema.safeParse(value);
  return error ? refuseInput(describe(error)) : withoutAbsent(data);
}

/** Leaves out the fields that a shape has found to be as good as absent, which Convex does not take for arguments. */
function withoutAbsent(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Operations whose fields are all optional may have no body. */
function readFields(bytes: Uint8Array): unknown {
  if (bytes.byteLength === 0) return {};
  return parseJson(bytes, () => refuse("invalid JSON"), withoutNulls) ?? {};
}

/** What is done for a caller who has another secret than a token of this wire. */
async function openSession(
  ctx: ActionCtx,
  name: OperationName,
  input: Record<string, unknown>,
): Promise<Body> {
  const { open, refresh, exchange } = internal.dialects.chalk.sessions;
  if (name === "IssueToken") {
    const apiKeyHash = await hashOfApiKey(wire.tokenRequest.parse(input).api_key);
    const { text, kept: fresh } = await newToken();
    return withTokens(ctx, await ctx.runMutation(open, { apiKeyHash, fresh }), text);
  }
  if (name === "RefreshToken") {
    const sent = await readRefresh(wire.refreshRequest.parse(input).refresh_token);
    const { text, kept: fresh } = await newToken(sent.key);
    return withTokens(ctx, orRefuse(await ctx.runMutation(refresh, { sent, fresh })), text);
  }
  const sent = await readToken(wire.exchangeRequest.parse(input).join_token);
  const { text, kept: fresh } = await newToken();
  return withTokens(ctx, orRefuse(await ctx.runMutation(exchange, { sent, fresh })), text);
}

/** The body of an answer with the tokens that belong to it. */
async function withTokens(
  ctx: ActionCtx,
  { body, grants = [], givesJoinToken }: Answer,
  freshText: string,
): Promise<Body> {
  if (givesJoinToken) return { ...body, join_token: freshText };
  const joinTokens = await joinTokensOf(ctx, grants);
  const made = await Promise.all(
    grants.map(async (grant) => grant && tokensOf(grant, joinTokens, freshText)),
  );
  const { results } = (body ?? {}) as { results?: Body[] };
  return results
    ? { ...body, results: results.map((result, index) => ({ ...result, ...made[index] })) }
    : body && { ...body, ...made[0] };
}

async function tokensOf(grant: Grant, joinTokens: ReadonlyMap<string, string>, freshText: string) {
  const { participant_id: participantId } = grant.claims;
  const accessToken = await signAccess(grant);
  return {
    access_token: accessToken,
    expires_in: ACCESS_TOKEN_SECONDS,
    ...(grant.refreshUntil !== undefined && {
      refresh_token: await signRefresh(grant, freshText),
      token_type: "Bearer",
    }),
    // Who may not come into the room now, as one who waits in the lobby, may call for themselves all the same.
    ...(participantId !== undefined && { auth_token: joinTokens.get(participantId) ?? accessToken }),
  };
}

/** Join tokens of the media server by participant, for those of one room who may come in. */
async function joinTokensOf(
  ctx: ActionCtx,
  grants: readonly (Grant | null)[],
): Promise<ReadonlyMap<string, string>> {
  const people = grants.flatMap((grant) => grant?.claims ?? []);
  const participantIds = people.flatMap(({ participant_id: id }) => (id as Id<"meetingParticipants">) ?? []);
  const [first] = people;
  if (first?.meeting_id === undefined || participantIds.length === 0) return new Map();
  const tokens: (string | null)[] = await ctx.runAction(internal.livekit.joinTokens, {
    meetingId: first.meeting_id as Id<"meetings">,
    participantIds,
  });
  return new Map(
    participantIds.flatMap((id, index) => (tokens[index] ? [[id, tokens[index]] as const] : [])),
  );
}

function respondRefusal(requestId: string, { status, error, retryAfterMs = 1000 }: Refusal): Response {
  return json({ error }, status, {
    ...headersOf(requestId),
    ...((status === 429 || status === 503) && retryAfter(retryAfterMs)),
  });
}

function headersOf(requestId: string) {
  return { "X-Request-Id": requestId };
}
