import { internal } from "../../_generated/api";
import { type ActionCtx, httpAction } from "../../_generated/server";
import * as z from "zod";
import { describeIssues } from "../../contract/errors";
import type { WireOperation } from "../../contract/wire";
import { logFault } from "../../http/responses";
import { matchOperation } from "../../http/wireRouter";
import { authenticate } from "./authenticate";
import type { Answer } from "./context";
import { exceptionStatus, type Refusal, refusalOf, refuse, shortName } from "./errors";
import { type OperationName, operations } from "./operations";
import type { Attendee } from "./wire";

/** Where this wire is mounted. */
export const CHIME_PREFIX = "/chime/";

const DEFAULT_RETRY_SECONDS = 1;

/** Answers every request below {@link CHIME_PREFIX}. */
export const chime = httpAction(async (ctx, request) => {
  const requestId = crypto.randomUUID();
  try {
    const { name, pathParameters, query } = route(request);
    const { principal, body, repetitionKey } = await authenticate(ctx, request);
    const input = readInput(name, pathParameters, query, body);
    const answer: Answer = await ctx.runMutation(internal.dialects.chime.perform.perform, {
      principal,
      operation: name,
      input,
      repetitionKey,
    });
    return respond(operations[name].answer.status, requestId, await withJoinTokens(ctx, answer));
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) logFault(error);
    return respondRefusal(requestId, refusal ?? FAULT);
  }
});

const FAULT: Refusal = {
  exception: "ServiceFailureException",
  message: "The service encountered an unexpected error.",
};

function route(request: Request) {
  const { pathname, searchParams: query } = new URL(request.url);
  const path = pathname.slice(CHIME_PREFIX.length);
  const match = matchOperation<OperationName>(operations, { method: request.method, path, query });
  return match ? { ...match, query } : refuse("UnknownOperationException", "There is no such operation");
}

/** Parameters and the fields of the body, as the operation describes them; BadRequestException. */
function readInput(
  name: OperationName,
  pathParameters: Record<string, string>,
  query: URLSearchParams,
  bytes: Uint8Array<ArrayBuffer>,
): Record<string, unknown> {
  const operation: WireOperation = operations[name];
  const given = Object.keys(operation.queryParameters).flatMap((field) => {
    const value = query.get(field);
    return value === null ? [] : [[field, value] as const];
  });
  return {
    ...parseOrRefuse(z.object(operation.pathParameters), pathParameters),
    ...parseOrRefuse(z.object(operation.queryParameters), Object.fromEntries(given)),
    ...(operation.body && parseOrRefuse(operation.body, readJson(bytes))),
  };
}

function parseOrRefuse<Output>(schema: z.ZodType<Output>, value: unknown): Output {
  const { data, error } = schema.safeParse(value);
  return error ? refuse("BadRequestException", describeIssues(error).message) : (data as Output);
}

/** Fields that are null are as good as absent. */
function readJson(bytes: Uint8Array<ArrayBuffer>): unknown {
  if (bytes.byteLength === 0) return {};
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return JSON.parse(text, (_, value: unknown) => value ?? undefined) ?? {};
  } catch {
    return refuse("BadRequestException", "The body is not valid JSON");
  }
}

/** The body of an answer, with a fresh join token for each attendee who may come in now. */
async function withJoinTokens(
  ctx: ActionCtx,
  { body, bearers }: Answer,
): Promise<Record<string, unknown> | undefined> {
  if (!body || !bearers || bearers.participantIds.length === 0) return body;
  const tokens: (string | null)[] = await ctx.runAction(internal.livekit.joinTokens, bearers);
  const { Attendee: one, Attendees: several = [] } = body as { Attendee?: Attendee; Attendees?: Attendee[] };
  for (const [index, attendee] of (one ? [one] : several).entries()) {
    const token = tokens[index];
    if (token) attendee.JoinToken = token;
  }
  return body;
}

function respondRefusal(requestId: string, { exception, message, retryAfterMs }: Refusal): Response {
  const status = exceptionStatus[exception];
  const retryAfterSeconds =
    retryAfterMs === undefined ? DEFAULT_RETRY_SECONDS : Math.ceil(retryAfterMs / 1000);
  return respond(
    status,
    requestId,
    { Code: shortName(exception), Message: message, RequestId: requestId },
    {
      "X-Amzn-ErrorType": exception,
      ...((status === 429 || status === 503) && { "Retry-After": String(retryAfterSeconds) }),
    },
  );
}

function respond(
  status: number,
  requestId: string,
  body: Record<string, unknown> | undefined,
  headers: Record<string, string> = {},
): Response {
  return new Response(body === undefined ? null : JSON.stringify(body), {
    status,
    headers: {
      "X-Amzn-RequestId": requestId,
      ...(body !== undefined && { "Content-Type": "application/json" }),
      ...headers,
    },
  });
}
