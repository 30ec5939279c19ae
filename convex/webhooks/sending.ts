/** Sends webhooks, signed as https://www.standardwebhooks.com says. */
import { zodOutputToConvex } from "convex-helpers/server/zod4";
import { v } from "convex/values";
import { Webhook } from "standardwebhooks";
import { internal } from "../_generated/api";
import { internalAction } from "../_generated/server";
import { webhookAttempt, type WebhookAttempt, webhookTask, type WebhookTask } from "../contract/webhooks";
import { unseal } from "../model/secrets";
import { type Order, SEND_TIMEOUT_MS } from "../model/webhookQueue";
import { isAllowedUrl } from "../model/webhookUrls";

/** However slowly they are taken, one action has time for so many messages. */
const MESSAGES_PER_ACTION = 50;

/** Sends what is due at a cursor, one message after the other, until nothing is left or one fails. */
export const send = internalAction({
  args: { cursorId: v.id("webhookCursors") },
  returns: v.null(),
  handler: async (ctx, { cursorId }) => {
    let order: Order | null = await ctx.runMutation(internal.webhooks.queue.take, { cursorId });
    for (let left = MESSAGES_PER_ACTION - 1; order; left--) {
      const { task, ...ids }: Order = order;
      const attempt = await post(task);
      order = await ctx.runMutation(internal.webhooks.queue.settle, { ...ids, attempt, goesOn: left > 0 });
    }
    return null;
  },
});

/** Sends one message for whoever waits to know what comes of it. */
export const sendOnce = internalAction({
  args: { task: zodOutputToConvex(webhookTask) },
  returns: zodOutputToConvex(webhookAttempt),
  handler: (_, { task }): Promise<WebhookAttempt> => post(task),
});

/** Nothing of the answer is read but its status: whoever it comes from is no friend. */
async function post({ url, sealedSecrets, messageId, body }: WebhookTask): Promise<WebhookAttempt> {
  if (!isAllowedUrl(url)) return { delivered: false, failure: "blocked" };
  const timestamp = new Date();
  const secrets = await Promise.all(sealedSecrets.map(unseal));
  const signatures = secrets.map((secret) => new Webhook(secret).sign(messageId, timestamp, body));
  try {
    const response = await fetch(url, {
      method: "POST",
      redirect: "manual",
      headers: {
        "Content-Type": "application/json",
        "webhook-id": messageId,
        "webhook-timestamp": String(Math.floor(timestamp.getTime() / 1000)),
        "webhook-signature": signatures.join(" "),
      },
      body,
      signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
    });
    await response.body?.cancel();
    const { ok: delivered, status } = response;
    return delivered ? { delivered, status } : { delivered, status, failure: "status" };
  } catch (error) {
    const isTimeout = error instanceof Error && error.name === "TimeoutError";
    return { delivered: false, failure: isTimeout ? "timeout" : "unreachable" };
  }
}
