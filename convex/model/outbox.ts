/**
 * Messages on their way out. Each is a row that is written with what it is about, and delivered at least once by
 * `outbox.drain`, or kept to be read where nothing is set up for its channel.
 */
import type { WithoutSystemFields } from "convex/server";
import { internal } from "../_generated/api";
import type { Doc } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import type { Channel } from "../contract/invitations";
import type { AttemptOutcome, OutgoingMessage } from "../contract/outbox";
import { openAsSystem } from "./access";
import { invitationText } from "./invitationText";
import { stateAt } from "./invitationStates";
import { isClosed } from "./meetingStates";
import { afterAttempt, MAX_ATTEMPTS } from "./messageStates";
import { sha256 } from "./secrets";

type Message = Doc<"outbox">;

/** For so long an attempt may be under way before it is given up and made again. */
const ATTEMPT_MS = 10 * 60_000;
/** For so long messages are kept, whatever has become of them. */
const KEEP_MS = 30 * 24 * 60 * 60_000;

/** Puts messages into the outbox and has them delivered. Each is the only one of its invitation that counts from now on. */
export async function enqueue(
  ctx: MutationCtx,
  messages: readonly Pick<WithoutSystemFields<Message>, "invitationId" | "channel" | "to" | "subject">[],
): Promise<void> {
  const now = Date.now();
  await Promise.all(
    messages.map(async (message) => {
      const fields = { ...message, state: "queued" as const, attempts: 0, nextAttemptAt: now };
      const messageId = await ctx.db.insert("outbox", fields);
      await ctx.db.patch("invitations", message.invitationId, { messageId });
    }),
  );
  await ctx.scheduler.runAfter(0, internal.outbox.drain, {});
}

/** The messages whose attempt is due, and those whose attempt has been given up; no more than `limit`. */
export async function dueMessages(db: DatabaseReader, limit: number): Promise<Message[]> {
  const dueIn = (state: "queued" | "sending") =>
    db
      .query("outbox")
      .withIndex("by_state_and_next_attempt", (q) => q.eq("state", state).lte("nextAttemptAt", Date.now()))
      .take(limit);
  const [queued, sending] = await Promise.all([dueIn("queued"), dueIn("sending")]);
  return [...queued, ...sending].slice(0, limit);
}

/**
 * Takes messages that are due, for an adapter to send.
 *
 * @param secrets Random ones, for the links of as many messages as are to be taken.
 * @returns the messages to send, and how many were taken: some are not to be sent.
 */
export async function takeDue(
  ctx: MutationCtx,
  secrets: readonly string[],
): Promise<{ taken: number; messages: OutgoingMessage[] }> {
  const due = await dueMessages(ctx.db, secrets.length);
  const prepared = await Promise.all(
    due.map((message, index) => prepare(ctx, message, secrets[index] as string)),
  );
  return { taken: due.length, messages: prepared.filter((message) => message !== null) };
}

async function prepare(ctx: MutationCtx, message: Message, secret: string): Promise<OutgoingMessage | null> {
  const { _id: messageId, channel, to, subject, attempts } = message;
  if (attempts >= MAX_ATTEMPTS) return drop(ctx, message, "gave_up");
  const invitation = await ctx.db.get("invitations", message.invitationId);
  if (!invitation || !isCurrent(invitation, message)) return drop(ctx, message, "invitation_closed");
  const meeting = await ctx.db.get("meetings", invitation.meetingId);
  if (!meeting || isClosed(meeting.state)) return drop(ctx, message, "meeting_closed");
  const text = message.text ?? (await compose(ctx, meeting, invitation, secret));
  if (!hasAdapter(channel)) {
    await ctx.db.patch("outbox", messageId, { text, state: "held" });
    return null;
  }
  const attempt = attempts + 1;
  const nextAttemptAt = Date.now() + ATTEMPT_MS;
  await ctx.db.patch("outbox", messageId, { text, state: "sending", attempts: attempt, nextAttemptAt });
  return { messageId, attempt, to, subject, text };
}

async function drop(ctx: MutationCtx, { _id }: Message, lastError: string): Promise<null> {
  await ctx.db.patch("outbox", _id, { state: "failed", lastError, text: undefined });
  return null;
}

/** The text, whose secret is from then on that of the invitation. */
async function compose(
  ctx: MutationCtx,
  meeting: Doc<"meetings">,
  invitation: Doc<"invitations">,
  secret: string,
): Promise<string> {
  const inviter = invitation.invitedBy && (await ctx.db.get("users", invitation.invitedBy));
  await ctx.db.patch("invitations", invitation._id, { tokenHash: await sha256(secret) });
  return invitationText({
    meeting,
    invitation,
    inviter: inviter?.displayName,
    secret,
  });
}

/** Is somebody to be invited by this message still, and not by a newer one? */
function isCurrent(invitation: Doc<"invitations">, { _id }: Message): boolean {
  return invitation.messageId === _id && stateAt(invitation, Date.now()) === "pending";
}

/** Is there something that takes messages of the channel? */
function hasAdapter(channel: Channel): boolean {
  return channel === "email" && !!process.env.SMTP_URL && !!process.env.MAIL_FROM;
}

/** Notes what has become of attempts. */
export async function reportAttempts(ctx: MutationCtx, outcomes: readonly AttemptOutcome[]): Promise<void> {
  // One after the other, since several may be about one meeting.
  for (const outcome of outcomes) {
    const message = await ctx.db.get("outbox", outcome.messageId);
    if (message?.state === "sending" && message.attempts === outcome.attempt) {
      await reportAttempt(ctx, message, outcome);
    }
  }
}

async function reportAttempt(ctx: MutationCtx, message: Message, outcome: AttemptOutcome): Promise<void> {
  const { state, pauseMs } = afterAttempt(outcome.attempt, outcome);
  const nextAttemptAt = Date.now() + pauseMs;
  await ctx.db.patch("outbox", message._id, {
    state,
    nextAttemptAt,
    lastError: outcome.error,
    ...(state !== "queued" && { text: undefined }),
  });
  if (state === "queued") await ctx.scheduler.runAt(nextAttemptAt, internal.outbox.drain, {});
  if (state === "sent") await noteSent(ctx, message);
}

async function noteSent(ctx: MutationCtx, { invitationId: subject, channel }: Message): Promise<void> {
  const invitation = await ctx.db.get("invitations", subject);
  const meeting = invitation && (await ctx.db.get("meetings", invitation.meetingId));
  if (!meeting) return;
  const edit = await openAsSystem(ctx, meeting);
  edit.event("invitation.sent", [{ subject, after: { channel } }]);
  await edit.save();
}

/**
 * Deletes messages that are kept no longer, the oldest first.
 *
 * @returns how many were deleted, at most `limit`.
 */
export async function deleteOldMessages(ctx: MutationCtx, limit: number): Promise<number> {
  const old = await ctx.db
    .query("outbox")
    .withIndex("by_creation_time", (q) => q.lt("_creationTime", Date.now() - KEEP_MS))
    .take(limit);
  await Promise.all(old.map(({ _id }) => ctx.db.delete("outbox", _id)));
  return old.length;
}
