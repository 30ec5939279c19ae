/** What is done for callers who have no token of this wire yet, but an API key, a refresh token or a join link. */
import { v } from "convex/values";
import { internalMutation, type MutationCtx } from "../../_generated/server";
import { findByApiKeyHash } from "../../model/accessKeys";
import type { KeptToken } from "../../model/opaqueTokens";
import { takeToken } from "../../model/rateLimit";
import type { Answer, ChalkCtx } from "./context";
import { refuse, type Refusal } from "./errors";
import { type ErrorText, errorStatus } from "./errorTexts";
import {
  findToken,
  linkGrant,
  participantGrants,
  REFRESH_TOKEN_MS,
  tenantGrant,
  withRefresh,
} from "./grants";
import { findRoom, roomIdOf } from "./names";

const kept = v.object({ key: v.string(), hash: v.string() });

type Outcome = Answer | { refused: Refusal };

/** Opens a session for an API key. */
export const open = internalMutation({
  args: { apiKeyHash: v.string(), fresh: kept },
  handler: async (ctx, { apiKeyHash, fresh }): Promise<Answer> => {
    const { tenantId, accessKeyId } =
      (await findByApiKeyHash(ctx.db, apiKeyHash)) ?? refuse("invalid API key");
    await takeToken(ctx, accessKeyId);
    const grant = tenantGrant({ tenantId, accessKeyId });
    return { body: {}, grants: [await withRefresh(ctx, grant, tenantId, fresh)] };
  },
});

/**
 * Puts the next secret in the place of the one that was sent. A token that is refused is deleted with those that followed it, which
 * must be committed: so that the refusal is returned and not thrown.
 */
export const refresh = internalMutation({
  args: { sent: kept, fresh: kept },
  handler: async (ctx, { sent, fresh }): Promise<Outcome> => {
    const found = await findToken(ctx, "refresh", sent);
    if (!found) refuse("invalid refresh token");
    const { token, row, next, state } = found;
    if (next !== "spent") {
      await ctx.db.delete("chalkTokens", token._id);
      return refused(state === "expired" ? "refresh token has expired" : "invalid refresh token");
    }
    const refreshUntil = Date.now() + REFRESH_TOKEN_MS;
    await ctx.db.patch("chalkTokens", token._id, { hash: fresh.hash, expiresAt: refreshUntil });
    if (token.accessKeyId !== undefined) {
      await takeToken(ctx, token.accessKeyId);
      const grant = tenantGrant({ tenantId: token.tenantId, accessKeyId: token.accessKeyId });
      return { body: {}, grants: [{ ...grant, refreshUntil }] };
    }
    const meeting = row && (await ctx.db.get("meetings", row.meetingId));
    if (!meeting) refuse("invalid refresh token");
    await takeToken(ctx, row._id);
    const caller = { kind: "participant", tenantId: token.tenantId, row } as const;
    const [grant] = await participantGrants({ ...ctx, caller, fresh }, meeting, [row]);
    return { body: {}, grants: grant ? [{ ...grant, refreshUntil }] : [] };
  },
});

/** Gives an access token for the token of a join link, once. */
export const exchange = internalMutation({
  args: { sent: v.union(kept, v.null()), fresh: kept },
  handler: async (ctx, { sent, fresh }): Promise<Outcome> => {
    const found = sent && (await findToken(ctx, "join", sent));
    if (!found) refuse("invalid join token");
    const { token, state } = found;
    const { tenantId, accessKeyId, meetingId } = token;
    if (state === "expired") refuse("join token has expired");
    if (state !== "good" || accessKeyId === undefined || meetingId === undefined)
      refuse("invalid join token");
    await takeToken(ctx, accessKeyId);
    await ctx.db.delete("chalkTokens", token._id);
    const principal = { tenantId, accessKeyId };
    const chalkCtx = asLink(ctx, { principal, meetingId }, fresh);
    const meeting = await findRoom(chalkCtx, meetingId);
    if (!meeting) return refused("room not found");
    const roomId = await roomIdOf(chalkCtx, meeting);
    return {
      body: { room_id: roomId, room_name: meeting.title },
      grants: [linkGrant(principal, meetingId, roomId)],
    };
  },
});

function asLink(
  ctx: MutationCtx,
  link: Omit<Extract<ChalkCtx["caller"], { kind: "link" }>, "kind">,
  fresh: KeptToken,
): ChalkCtx {
  return { ...ctx, caller: { kind: "link", ...link }, fresh };
}

function refused(text: ErrorText): { refused: Refusal } {
  return { refused: { status: errorStatus[text], error: text } };
}
