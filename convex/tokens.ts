/** What the actions of `livekit.ts` and `meetings/tokens.ts` read and write. */
import { zodOutputToConvex } from "convex-helpers/server/zod4";
import { v } from "convex/values";
import { internalMutation, internalQuery } from "./_generated/server";
import { tokenBearer } from "./contract/tokens";
import * as tokens from "./model/tokens";
import { requireUserById } from "./model/users";

const kept = v.object({ key: v.string(), hash: v.string() });
const bearer = zodOutputToConvex(tokenBearer);
const issued = v.object({ bearer, expiresAt: v.number() });

/** Keeps a new refresh token of a user, or of a guest for a host. */
export const openRefreshToken = internalMutation({
  args: {
    userId: v.id("users"),
    meetingId: v.string(),
    participantId: v.optional(v.string()),
    kept,
  },
  returns: issued,
  handler: async (ctx, { userId, kept, ...args }) =>
    tokens.openRefreshToken(ctx, await requireUserById(ctx.db, userId), args, kept),
});

/** Puts the next secret of a refresh token in the place of the one that was sent. */
export const rotateRefreshToken = internalMutation({
  args: { sent: kept, next: kept },
  returns: v.union(
    v.object({ issued }),
    v.object({ refused: v.union(v.literal("TOKEN_INVALID"), v.literal("TOKEN_REVOKED")) }),
  ),
  handler: (ctx, { sent, next }) => tokens.rotateRefreshToken(ctx, sent, next),
});

/** Keeps a new control token of a host. */
export const openControlToken = internalMutation({
  args: { userId: v.id("users"), meetingId: v.string(), kept },
  returns: issued,
  handler: async (ctx, { userId, meetingId, kept }) =>
    tokens.openControlToken(ctx, await requireUserById(ctx.db, userId), meetingId, kept),
});

/** What a control token is worth now. A mutation, as how often it is asked is limited. */
export const checkControlToken = internalMutation({
  args: { sent: kept },
  returns: v.union(
    v.object({
      active: v.literal(true),
      meetingId: v.id("meetings"),
      participantId: v.id("meetingParticipants"),
      expiresAt: v.number(),
    }),
    v.object({
      active: v.literal(false),
      reason: v.union(v.literal("invalid"), v.literal("expired"), v.literal("revoked")),
    }),
  ),
  handler: (ctx, { sent }) => tokens.checkControlToken(ctx, sent),
});

/** Those of the people who may come into the room now, of whom none has to pass the lobby first. */
export const admitted = internalQuery({
  args: { meetingId: v.id("meetings"), participantIds: v.array(v.id("meetingParticipants")) },
  returns: v.array(v.union(bearer, v.null())),
  handler: (ctx, { meetingId, participantIds }) =>
    Promise.all(
      participantIds.map((participantId) => tokens.findAdmitted(ctx.db, { meetingId, participantId })),
    ),
});

/** Those of the people who may be in the room now, as a media server wants to know them. */
export const bearers = internalQuery({
  args: { meetingId: v.string(), participantIds: v.array(v.string()) },
  returns: v.array(v.union(bearer, v.null())),
  handler: (ctx, { meetingId, participantIds }) =>
    Promise.all(
      participantIds.map((participantId) => tokens.findBearer(ctx.db, { meetingId, participantId })),
    ),
});
