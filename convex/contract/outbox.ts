import * as z from "zod";
import { id } from "./ids";
import { channel } from "./invitations";
import { text } from "./text";

/**
 * `queued`: waits for its first or next attempt. `sending`: an attempt is under way, or has been given up at `nextAttemptAt`.
 * `failed`: will not be tried again. `held`: nothing is set up for its channel, so it stays here to be read.
 */
export const messageState = z.enum(["queued", "sending", "sent", "failed", "held"]);
export type MessageState = z.infer<typeof messageState>;

/** Fields of the table `outbox`. */
export const messageFields = {
  invitationId: id("invitations"),
  channel,
  to: text(),
  subject: text(),
  /** Holds the secret of the link, so it is written when the message is taken, and goes when it has been sent. */
  text: text().exactOptional(),
  state: messageState,
  attempts: z.int(),
  nextAttemptAt: z.number(),
  /** A code like `SMTP 550`, never an address or what a server said. */
  lastError: z.string().exactOptional(),
};

/** A message on its way out, as an adapter gets it. */
export const outgoingMessage = z.strictObject({
  messageId: id("outbox"),
  attempt: z.int(),
  to: z.string(),
  subject: z.string(),
  text: z.string(),
});
export type OutgoingMessage = z.infer<typeof outgoingMessage>;

/** What has become of one attempt. `permanent`: another one would fare no better. */
export const attemptOutcome = z.strictObject({
  messageId: id("outbox"),
  attempt: z.int(),
  error: z.string().exactOptional(),
  permanent: z.boolean().exactOptional(),
});
export type AttemptOutcome = z.infer<typeof attemptOutcome>;
