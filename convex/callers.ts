import { zodToConvex } from "convex-helpers/server/zod4";
import { v } from "convex/values";
import { internalMutation, internalQuery } from "./_generated/server";
import { participantFields, placeField } from "./contract/participants";
import { requirePlace } from "./model/access";
import { requireIdentity, requireUser } from "./model/caller";
import { takeBearerToken, takeToken } from "./model/rateLimit";
import { tableFields } from "./validators";

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

const { role, presence, historyFrom } = tableFields(participantFields);

/**
 * What some fields say of the caller's place in a meeting, for a known and active user who is in it. It says nothing else of the
 * caller, so that whatever is made of it alone is the same for all of whom it says the same.
 */
export const placeInMeeting = internalQuery({
  args: { meetingId: v.string(), fields: v.array(zodToConvex(placeField)) },
  returns: v.object({
    meetingId: v.id("meetings"),
    participant: v.object({ role, presence, historyFrom }).partial(),
  }),
  handler: async (ctx, { meetingId, fields }) =>
    requirePlace(ctx.db, meetingId, await requireUser(ctx, await requireIdentity(ctx)), fields),
});
