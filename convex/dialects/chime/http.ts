import { internal } from "../../_generated/api";
import { type ActionCtx, httpAction } from "../../_generated/server";
import * as z from "zod";
import { describeIssues } from "../../contract/errors";
import type { WireOperation } from "../../contract/wire";
import { parseJson, withoutNulls } from "../../http/body";
import { json, logFault, retryAfter } from "../../http/responses";
import { matchOperation, queryOf } from "../../http/wireRouter";
import { authenticate } from "./authenticate";
import type { Answer } from "./context";
import { exceptionStatus, type Refusal, refusalOf, refuse, shortName } from "./errors";
import { type OperationName, operations } from "./operations";
import type { Attendee } from "./wire";

/** Where this wire is mounted. */
export const CHIME_PREFIX = "/chime/";

const DEFAULT_RETRY_MS = 1000;

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
    return json(await withJoinTokens(ctx, answer), operations[name].answer.status, headersOf(requestId));
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
  return {
    ...parseOrRefuse(z.object(operation.pathParameters), pathParameters),
    ...parseOrRefuse(z.object(operation.queryParameters), queryOf(operation, query)),
    ...(operation.body && parseOrRefuse(operation.body, readFields(bytes))),
  };
}

function parseOrRefuse<Output>(schema: z.ZodType<Output>, value: unknown): Output {
  const { data, error } = schema.safeParse(value);
  return error ? refuse("BadRequestException", describeIssues(error).message) : (data as Output);
}

/** Operations whose fields are all optional may have no body. */
function readFields(bytes: Uint8Array): unknown {
  if (bytes.byteLength === 0) return {};
  const refuseIt = () => refuse("BadRequestException", "The body is not valid JSON");
  return parseJson(bytes, refuseIt, withoutNulls) ?? {};
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

function respondRefusal(
  requestId: string,
  { exception, message, retryAfterMs = DEFAULT_RETRY_MS }: Refusal,
): Response {
  const status = exceptionStatus[exception];
  return json({ Code: shortName(exception), Message: message, RequestId: requestId }, status, {
    ...headersOf(requestId),
    "X-Amzn-ErrorType": exception,
    ...((status === 429 || status === 503) && retryAfter(retryAfterMs)),
  });
}

function headersOf(requestId: string) {
  return { "X-Amzn-RequestId": requestId };
}
