/** The wire itself: which operation, whose credentials, what was sent, and how it is answered. */
import * as z from "zod";
import { internal } from "../../_generated/api";
import { type ActionCtx, httpAction } from "../../_generated/server";
import { readJson, withoutNulls } from "../../http/body";
import { logFault, retryAfter } from "../../http/responses";
import { matchOperation } from "../../http/wireRouter";
import { newToken, readToken } from "../../model/opaqueTokens";
import { parse } from "../../model/parse";
import { codes, codeStatus, refusalOf, refuse } from "./errors";
import { type OperationName, operations, operationsBy } from "./operations";

/** For clients that want a path of its own for this system; what comes behind it is as without it. */
const OWN_PREFIX = "/huawei/";

/** Where it is mounted. */
export const HUAWEI_PREFIXES = ["/v1/mmc/", "/v1/usg/", OWN_PREFIX];

interface Credentials {
  account?: string;
  password?: string;
  access?: { key: string; hash: string };
  control?: { key: string; hash: string };
}

/** Answers every request of this wire. */
export const huawei = httpAction(async (ctx, request) => {
  const requestId = requestIdOf(request);
  try {
    return respond(200, await answer(ctx, request), requestId);
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) logFault(error);
    const { code, message, status, retryAfterMs } = refusal ?? {
      code: codes.failure,
      message: "System processing failure",
      status: codeStatus[codes.failure],
    };
    return respond(status, { error_code: code, error_msg: message }, requestId, {
      ...(retryAfterMs !== undefined && retryAfter(retryAfterMs)),
    });
  }
});

async function answer(ctx: ActionCtx, request: Request): Promise<unknown> {
  const { pathname, searchParams, host } = new URL(request.url);
  const { method } = request;
  const path = pathname.startsWith(OWN_PREFIX) ? pathname.slice(OWN_PREFIX.length) : pathname;
  const match = matchOperation<OperationName>(operations, { method, path, query: searchParams });
  if (!match) refuse("noSuchApi", "The API does not exist or has not been published in the environment");
  const { name } = match;
  const { queryParameters, body: shape } = operations[name];
  // First of all, so that nobody's megabytes are parsed for who has nothing to show.
  const credentials = await credentialsOf(name, request);
  const query = parse(z.object(queryParameters), Object.fromEntries(searchParams));
  const body = shape ? parse<z.ZodType>(shape, await readJson(request, withoutNulls)) : undefined;
  const fresh = name === "CreateToken" || name === "CreateConfToken" ? await newToken() : null;
  const result: unknown = await ctx.runMutation(internal.dialects.huawei.perform.perform, {
    operation: name,
    query,
    body: body ?? null,
    host,
    ...credentials,
    ...(fresh && { fresh: fresh.kept }),
  });
  return fresh ? withToken(name, result, fresh.text, request) : result;
}

/** Puts the token into an answer: only its hash has been where the answer was made. */
function withToken(name: OperationName, result: unknown, fresh: string, request: Request): unknown {
  if (name === "CreateToken") return { accessToken: fresh, ...(result as object) };
  const { isRenewed, answer } = result as { isRenewed: boolean; answer: { data: { token: string } } };
  const token = isRenewed ? (controlTokenOf(request) ?? "") : fresh;
  return { ...answer, data: { ...answer.data, token } };
}

async function credentialsOf(name: OperationName, request: Request): Promise<Credentials> {
  if (name in operationsBy.login) return basicOf(request);
  if (name in operationsBy.withControlToken) return { control: await requireToken(controlTokenOf(request)) };
  const access = request.headers.get("X-Access-Token");
  if (name in operationsBy.withAccessToken) return { access: await requireToken(access) };
  const control = await readToken(controlTokenOf(request) ?? "");
  const password = request.headers.get("X-Password");
  return {
    ...(access && { access: await requireToken(access) }),
    ...(control && { control }),
    ...(password !== null && { password }),
  };
}

async function requireToken(text: string | null) {
  if (!text) refuse("tokenMissing", "Request token is null");
  return (await readToken(text)) ?? refuse("authenticationFailed", "The token is invalid or has expired");
}

/** A control token as it is, or as `Basic` and its base64. */
function controlTokenOf(request: Request): string | null {
  const header = request.headers.get("X-Conference-Authorization");
  const [, encoded] = /^Basic +([A-Za-z0-9+/=_-]+)$/i.exec(header ?? "") ?? [];
  return encoded === undefined ? header : (decode(encoded) ?? "");
}

function basicOf(request: Request): Credentials {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=_-]+)$/i.exec(request.headers.get("Authorization") ?? "") ?? [];
  const text = encoded === undefined ? null : decode(encoded);
  const colon = text?.indexOf(":") ?? -1;
  if (!text || colon < 1)
    refuse("wrongAccountOrPassword", "Authorization must be Basic base64(account:password)");
  return { account: text.slice(0, colon), password: text.slice(colon + 1) };
}

function decode(encoded: string): string | null {
  try {
    const bytes = Uint8Array.from(atob(encoded.replaceAll("-", "+").replaceAll("_", "/")), (character) =>
      character.charCodeAt(0),
    );
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The client's own, if it can stand in a header, so that both sides can find the request. */
function requestIdOf(request: Request): string {
  const given = request.headers.get("X-Request-Id") ?? "";
  return /^[\w-]{1,64}$/.test(given) ? given : crypto.randomUUID().replaceAll("-", "");
}

function respond(
  status: number,
  body: unknown,
  requestId: string,
  headers: Record<string, string> = {},
): Response {
  return new Response(body === null || body === undefined ? "" : JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json;charset=UTF-8", "X-Request-Id": requestId, ...headers },
  });
}
