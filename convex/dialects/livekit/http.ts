import { internal } from "../../_generated/api";
import { httpAction } from "../../_generated/server";
import { describeIssues } from "../../contract/errors";
import { parseJson, readBytes, withoutNulls } from "../../http/body";
import { json, logFault } from "../../http/responses";
import { authenticate } from "./authenticate";
import { type Refusal, refusalOf, refuse, twirpStatus } from "./errors";
import { type OperationName, operations } from "./operations";

/** Where this wire is mounted, which LiveKit's clients do not let one choose. */
export const TWIRP_PREFIX = "/twirp/";

const SERVICE = /^\/twirp\/livekit\.RoomService\/([A-Za-z]{1,64})$/;

const FAULT: Refusal = { twirp: "internal", msg: "internal error" };

/** Answers every request below {@link TWIRP_PREFIX}. */
export const livekit = httpAction(async (ctx, request) => {
  try {
    const operation = route(request);
    const { principal, grant } = await authenticate(ctx, request);
    const input = readInput(operation, await readBytes(request));
    const { perform } = internal.dialects.livekit.perform;
    return json(await ctx.runMutation(perform, { principal, grant, operation, input }));
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) logFault(error);
    const { twirp: code, msg } = refusal ?? FAULT;
    return json({ code, msg }, twirpStatus[code]);
  }
});

function route(request: Request): OperationName {
  const { pathname } = new URL(request.url);
  const [, name] = SERVICE.exec(pathname) ?? refuse("bad_route", "there is no such service");
  if (request.method !== "POST") refuse("bad_route", "only POST is allowed");
  const mediaType = request.headers.get("Content-Type")?.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") refuse("bad_route", "Content-Type must be application/json");
  if (name === undefined || !Object.hasOwn(operations, name)) {
    refuse("unimplemented", "this method is not served here");
  }
  return name as OperationName;
}

function readInput(name: OperationName, bytes: Uint8Array<ArrayBuffer>): object {
  const { data, error } = operations[name].body?.safeParse(readFields(bytes)) ?? {};
  if (error) refuse("invalid_argument", describeIssues(error).message);
  return data as object;
}

/** The fields in camel case: protobuf's JSON takes the names of its own files, too. */
function readFields(bytes: Uint8Array): unknown {
  const value = parseJson(bytes, () => refuse("malformed", "the body is not valid JSON"), withoutNulls);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? camelCased(value) : value;
}

function camelCased(fields: object): object {
  const entries = Object.entries(fields).map(([name, value]) => [
    name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value as unknown,
  ]);
  return Object.fromEntries(entries) as object;
}
