import { v } from "convex/values";
import { internalMutation, internalQuery } from "./_generated/server";
import { requirePlace } from "./model/access";
import { requireIdentity, requireUser } from "./model/caller";
import { takeBearerToken, takeToken } from "./model/rateLimit";

/** Lets the caller of an action in, as a mutation lets its own: a known, active user who does not call too often. */
export const admit = internalMutation({
  args: {},
  returns: v.id("users"),
  handler: async (ctx) => {
    const identity = await requireIdentity(ctx);
    await takeToken(ctx, identity.subject);
    return (await requireUser(ctx, identity))._id;
  },
});

/** Lets the bearer of a join token in whose signature is good, unless the token is sent too often. */
export const admitBearer = internalMutation({
  args: { participantId: v.string() },
  returns: v.null(),
  handler: async (ctx, { participantId }) => {
    await takeBearerToken(ctx, participantId);
    return null;
  },
});

/**
 * The id of a meeting that the caller, a known and active user, is in. It says nothing else of the caller, so that whatever is
 * made of it alone is the same for everybody in the meeting.
 */
export const meetingOfParticipant = internalQuery({
  args: { meetingId: v.string() },
  returns: v.id("meetings"),
  handler: async (ctx, { meetingId }) =>
    requirePlace(ctx.db, meetingId, await requireUser(ctx, await requireIdentity(ctx))),
});
