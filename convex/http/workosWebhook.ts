import { WorkOS } from "@workos-inc/node/worker";
import * as z from "zod";
import { internal } from "../_generated/api";
import { httpAction } from "../_generated/server";
import { workosEvent, workosMembershipEvent, workosUserEvent } from "../contract/workos";
import { fail } from "../model/errors";
import { parse } from "../model/parse";
import { readJson } from "./body";
import { errorResponse, successResponse } from "./responses";

const handledEvents: readonly string[] = [
  ...workosUserEvent.shape.event.options,
  ...workosMembershipEvent.shape.event.options,
];

/**
 * Answers `POST /webhooks/workos`. Events that are of no use here get a 200 too, so that WorkOS does not send them again.
 */
export const workosWebhook = httpAction(async (ctx, request) => {
  try {
    const payload = parse(z.looseObject({ event: z.string() }), await verifiedPayload(request));
    if (handledEvents.includes(payload.event)) {
      await ctx.runMutation(internal.users.sync.applyEvent, { event: parse(workosEvent, payload) });
    }
    return successResponse(null);
  } catch (error) {
    return errorResponse(error);
  }
});

/** The body, if WorkOS has signed it less than three minutes ago; else WEBHOOK_SIGNATURE_INVALID. */
async function verifiedPayload(request: Request): Promise<unknown> {
  const secret = process.env.WORKOS_WEBHOOK_SECRET;
  if (!secret) fail("NOT_CONFIGURED", "WORKOS_WEBHOOK_SECRET is not set");
  const sigHeader = request.headers.get("WorkOS-Signature");
  if (!sigHeader) fail("WEBHOOK_SIGNATURE_INVALID", "WorkOS-Signature is missing");
  const payload = await readJson(request);
  try {
    // The SDK signs the JSON again, so it wants the parsed body. No API is called: the client id is a matter of form.
    await new WorkOS({ clientId: "unused" }).webhooks.verifyHeader({ payload, sigHeader, secret });
  } catch {
    fail("WEBHOOK_SIGNATURE_INVALID", "WorkOS-Signature does not fit the body, or is too old");
  }
  return payload;
}
