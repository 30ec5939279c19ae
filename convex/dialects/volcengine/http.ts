import type * as z from "zod";
import { internal } from "../../_generated/api";
import { httpAction } from "../../_generated/server";
import { describeIssues } from "../../contract/errors";
import { decode, withoutNulls } from "../../http/body";
import { logFault } from "../../http/responses";
import { authenticate } from "./authenticate";
import { describeError, type Refusal, refusalOf, refuse, statusOf } from "./errors";
import { parseJson, toJson } from "./json";
import { type ActionName, isAction, type RequestOf, requests, VERSION } from "./wire";

/** Where this wire is mounted besides the root. */
export const VOLCENGINE_PREFIX = "/volc/";

const SERVICE = "rtc";
const DEFAULT_REGION = "cn-north-1";

const FAULT: Refusal = { code: "UndefinedError", message: "Something went wrong on the server" };

/** Answers `POST /` and everything below {@link VOLCENGINE_PREFIX}, where there is nothing but itself. */
export const volcengine = httpAction(async (ctx, request) => {
  const { pathname, searchParams } = new URL(request.url);
  const metadata = {
    RequestId: crypto.randomUUID(),
    Action: searchParams.get("Action") ?? "",
    Version: searchParams.get("Version") ?? "",
    Service: SERVICE,
    Region: DEFAULT_REGION,
  };
  try {
    const action = requireAction(request.method, pathname, metadata);
    const { principal, region, body, repetitionKey } = await authenticate(ctx, request);
    metadata.Region = region;
    const result = await ctx.runMutation(internal.dialects.volcengine.perform.perform, {
      principal,
      action,
      request: readRequest(action, body),
      repetitionKey,
    });
    return answer(200, metadata, `{"ResponseMetadata":${toJson(metadata)},"Result":${result ?? "{}"}}`);
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) logFault(error);
    const described = refusal ?? FAULT;
    const ResponseMetadata = { ...metadata, Error: describeError(described) };
    return answer(statusOf(described.code), metadata, toJson({ ResponseMetadata }));
  }
});

function requireAction(
  method: string,
  path: string,
  { Action, Version }: { Action: string; Version: string },
): ActionName {
  for (const [name, value] of Object.entries({ Action, Version })) {
    if (value === "") refuse("MissingParameter", `The request is missing ${name} parameter.`);
  }
  const isThere = method === "POST" && (path === "/" || path === VOLCENGINE_PREFIX);
  if (!isThere || Version !== VERSION || !isAction(Action)) {
    refuse("InvalidActionOrVersion", "Could not find this operation for this version.");
  }
  return Action;
}

/** The body as the action describes it. */
function readRequest<Name extends ActionName>(action: Name, bytes: Uint8Array<ArrayBuffer>): RequestOf<Name> {
  if (bytes.byteLength === 0) refuse("InvalidParameter.BodyIsEmpty", "The body is empty");
  const { data, error } = requests[action].safeParse(parseBody(bytes), { reportInput: true });
  return error ? refuseIssues(error) : (data as RequestOf<Name>);
}

function parseBody(bytes: Uint8Array<ArrayBuffer>): unknown {
  try {
    return parseJson(decode(bytes), withoutNulls);
  } catch {
    return refuse("InvalidParameter.Unmarshal", "The body is not valid JSON");
  }
}

function refuseIssues(error: z.core.$ZodError): never {
  const [issue] = error.issues;
  if (issue && "input" in issue && issue.input === undefined && issue.path.length > 0) {
    refuse("MissingParameter", `The request is missing ${issue.path.join(".")} parameter.`);
  }
  return refuse("InvalidParameter", describeIssues(error).message);
}

function answer(status: number, { RequestId }: { RequestId: string }, body: string): Response {
  return new Response(body, {
    status,
    headers: { "Content-Type": "application/json; charset=utf-8", "X-Tt-Logid": RequestId },
  });
}
