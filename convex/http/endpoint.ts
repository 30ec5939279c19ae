import { type UserIdentity, makeFunctionReference } from "convex/server";
import * as z from "zod";
import { type ActionCtx, httpAction } from "../_generated/server";
import { type Endpoint, functionName } from "../contract/endpoint";
import { fail } from "../model/errors";
import { parse } from "../model/parse";
import { readJson } from "./body";
import { withCors } from "./cors";
import { errorResponse, successResponse } from "./responses";

const anyObject = z.custom<Record<string, unknown>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "Must be an object",
);

/** The body that Convex's own `/api/run` takes. */
const envelope = z.strictObject({
  args: anyObject.default({}),
  format: z.literal("json").exactOptional(),
});

/** Answers `POST /api/run/<path>`: the token, the body, the arguments, the function, in this order. */
export function endpointAction(endpoint: Endpoint) {
  return httpAction(async (ctx, request) => {
    try {
      // First of all, so that nobody's megabytes are parsed for a stranger.
      if (endpoint.access !== "anyone") await requireToken(ctx);
      const { args } = parse(envelope, await readJson(request));
      const value = await run(ctx, endpoint, parse(endpoint.args, args));
      return withCors(request, successResponse(value));
    } catch (error) {
      return withCors(request, errorResponse(error));
    }
  });
}

async function requireToken({ auth }: ActionCtx): Promise<void> {
  // Convex throws here for a token that it cannot accept.
  const identity = await auth.getUserIdentity().catch((): UserIdentity | null => null);
  if (!identity) fail("UNAUTHENTICATED", "A valid bearer token is required");
}

function run(ctx: ActionCtx, endpoint: Endpoint, args: Record<string, unknown>): Promise<unknown> {
  const name = functionName(endpoint);
  switch (endpoint.kind) {
    case "query":
      return ctx.runQuery(makeFunctionReference<"query">(name), args);
    case "mutation":
      return ctx.runMutation(makeFunctionReference<"mutation">(name), args);
    case "action":
      return ctx.runAction(makeFunctionReference<"action">(name), args);
  }
}
